#pragma once

namespace primer::kernels {

/// The instruction sets for which the library has code. Which one runs is decided when the program
/// starts, so that one binary serves old processors and uses all of a new one. With `reference`,
/// the kernels that have a plain definition (namespace reference) run that: slow, but easy to
/// trust.
enum class Isa { reference, baseline, avx2, avx512 };

/// The best of them that this processor has; or, if the environment variable PRIMER_ISA names one,
/// that one. Throws Error if PRIMER_ISA names none of them, or one that this processor lacks.
Isa isa();

/// Whether this processor can run it.
bool supported(Isa isa);

/// "reference", "baseline", "avx2" or "avx512".
const char* name(Isa isa);

}  // namespace primer::kernels

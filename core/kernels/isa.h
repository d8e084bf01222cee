#pragma once

namespace primer::kernels {

/// The instruction sets for which the library has code. Which one runs is decided when the program
/// starts, so that one binary serves old processors and uses all of a new one.
enum class Isa { baseline, avx2, avx512 };

/// The best of them that this processor has; or, if the environment variable PRIMER_ISA names one,
/// that one. Throws Error if PRIMER_ISA names none of them, or one that this processor lacks.
Isa isa();

/// "baseline", "avx2" or "avx512".
const char* name(Isa isa);

}  // namespace primer::kernels

#pragma once

namespace primer::kernels {

/// The instruction sets for which the library has code. The program chooses one when it starts, so
/// one binary runs on old processors and uses new ones fully. `baseline` is what all processors of
/// a kind have: on x86-64 SSE2; on AArch64 NEON, which is its name there. With `reference`, kernels
/// that have a plain definition (namespace reference) run that: slow, but easy to trust.
enum class Isa { reference, baseline, avx2, avx512 };

/// The instruction set in use: the one that the environment variable PRIMER_ISA names or, if it is
/// not set, the best that this processor has. Throws Error, which lists what this processor has, if
/// PRIMER_ISA names anything else.
Isa isa();

/// Whether this processor has the instruction set.
bool supported(Isa isa);

/// "reference", "baseline" (on AArch64 "neon"), "avx2" or "avx512".
const char* name(Isa isa);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

namespace primer::benchmarks {

/// How many floating-point operations a second `threads` cores do together, at the most: what they
/// do in fused multiply-adds on registers, at the instruction set that the kernels use. (At the
/// baseline of x86-64, which has none, in multiplications and additions.) All threads are busy at
/// once, so a clock that drops under load is in it; the best of many short runs counts for each.
/// More threads than there are cores do no more than the cores. Takes about a fifth of a second.
double fma_peak(int threads);

}  // namespace primer::benchmarks

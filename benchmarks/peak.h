#pragma once

namespace primer::benchmarks {

/// The peak of `threads` cores together, in floating-point operations per second: fused
/// multiply-adds on registers, at the instruction set that the kernels use. (The baseline of x86-64
/// has none: there multiplications and additions.) All threads run at once, so a clock that drops
/// under load counts; each thread's best of many short runs counts. More threads than cores reach
/// no more than the cores. Takes about a fifth of a second.
double fma_peak(int threads);

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

#pragma once

#include <cstdint>

#include "../../real.h"

// A register of Reals, for the loops that we vectorise by hand. Everything has internal linkage, so
// each file has its own copy, compiled for its own instruction set.

// In front of a loop over registers: without it, Clang may keep an array of registers in memory,
// and the loop takes twice as long. benchmarks/isa/stack_traffic.py finds such loops.
#ifdef __clang__
#define PRIMER_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PRIMER_UNROLL _Pragma("GCC unroll 16")
#endif

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
constexpr int kLanes = kBytes / static_cast<int>(sizeof(Real));

using Vector [[gnu::vector_size(kBytes)]] = Real;

// `lanes` values, in some registers or in a part of one, for as many sums side by side: with a
// fixed number of them, the order of additions is the same at every instruction set, and so are the
// bits.
template <class T, int lanes>
struct Some {
    using Values [[gnu::vector_size(lanes * sizeof(T))]] = T;
};

// Memory need not be aligned to a register's size. Each compiles to one instruction.
template <class V = Vector, class T>
V load(const T* from) {
    V v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
template <class V, class T>
void store(const V& v, T* to) {
    __builtin_memcpy(to, &v, sizeof v);
}
// A register with `x` in every lane.
[[maybe_unused]] inline Vector splat(Real x) { return Vector{} + x; }

// std::min, of which the linker might keep a copy for another processor: see gemm_tile.cpp.
[[maybe_unused]] inline std::int64_t smaller(std::int64_t a, std::int64_t b) {
    return a < b ? a : b;
}

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

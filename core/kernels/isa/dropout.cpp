// The loops of dropout: plain loops, which the compiler vectorises. Compiled once for each
// instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014): its
// i-th number is a function of seed and i, so a loop can compute a vector of them anywhere.
std::uint64_t random(std::uint64_t seed, std::uint64_t i) {
    std::uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

constexpr Index kBlock = kDropoutBlock, kHalf = kBlock / 2;

void forward(Index first, Index n, std::uint64_t seed, std::uint32_t limit, Real scale,
             const Real* x, Real* y, std::uint8_t* kept) {
    std::uint32_t drawn[kBlock];
    for (Index begin = 0; begin < n; begin += kBlock) {
        // Each number serves two elements, half a block apart.
        const auto number = static_cast<std::uint64_t>((first + begin) / 2);
        for (Index i = 0; i < kHalf; ++i) {
            const std::uint64_t z = random(seed, number + static_cast<std::uint64_t>(i));
            drawn[i] = static_cast<std::uint32_t>(z);
            drawn[i + kHalf] = static_cast<std::uint32_t>(z >> 32);
        }
        const Index length = n - begin < kBlock ? n - begin : kBlock;
        const Real* from = x + begin;
        Real* to = y + begin;
        std::uint8_t* bytes = kept + begin;
        for (Index i = 0; i < length; ++i) {
            to[i] = from[i] * (drawn[i] >= limit ? scale : Real(0));
        }
        for (Index i = 0; i < length; ++i) bytes[i] = drawn[i] >= limit ? 1 : 0;
    }
}

void backward(Index n, Real scale, const std::uint8_t* kept, const Real* dy, Real* dx) {
    for (Index i = 0; i < n; ++i) dx[i] = dy[i] * (kept[i] != 0 ? scale : Real(0));
}

}  // namespace

DropoutKernels dropout_kernels() { return {.forward = forward, .backward = backward}; }

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

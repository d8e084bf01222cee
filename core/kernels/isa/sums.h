#pragma once

#include <cstdint>

// Sums that compilers can make vectors of, for the files that are compiled once for each
// instruction set: each has them to itself, so they may be included there.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

constexpr std::int64_t kLanes = 32;

// The sum of term(i) for i < n, in so many sums side by side that vectors of any width can hold
// them: a single one would wait for each addition to end before the next could begin. In the same
// order at every instruction set, so that the bits are the same.
template <class Term>
[[gnu::always_inline]] inline double sum_of(std::int64_t n, Term term) {
    double lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        for (std::int64_t k = 0; k < kLanes; ++k) lanes[k] += term(i + k);
    }
    double rest = 0;
    for (; i < n; ++i) rest += term(i);
    if (n < kLanes) return rest;
    // Halves onto halves: each is a vector as well.
    for (std::int64_t width = kLanes / 2; width > 0; width /= 2) {
        for (std::int64_t k = 0; k < width; ++k) lanes[k] += lanes[k + width];
    }
    return lanes[0] + rest;
}

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL

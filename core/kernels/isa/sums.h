#pragma once

#include <cstdint>

// Sums that compilers can vectorise, for the files that are compiled once for each instruction set.
// Everything has internal linkage: each file has its own copy.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

constexpr std::int64_t kSums = 32;

// The sum of term(i) for i < n, in kSums sums side by side, enough for vectors of any width: in a
// single sum, each addition would wait for the one before. The order is the same at every
// instruction set, and so are the bits.
template <class Term>
[[gnu::always_inline]] inline double sum_of(std::int64_t n, Term term) {
    double lanes[kSums] = {};
    std::int64_t i = 0;
    for (; i + kSums <= n; i += kSums) {
        for (std::int64_t k = 0; k < kSums; ++k) lanes[k] += term(i + k);
    }
    double rest = 0;
    for (; i < n; ++i) rest += term(i);
    if (n < kSums) return rest;
    // Adds the upper half to the lower one, again and again: each half is a vector, too.
    for (std::int64_t width = kSums / 2; width > 0; width /= 2) {
        for (std::int64_t k = 0; k < width; ++k) lanes[k] += lanes[k + width];
    }
    return lanes[0] + rest;
}

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

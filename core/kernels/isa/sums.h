#pragma once

#include <cstdint>

// Sums that compilers can vectorise, for the files that are compiled once for each instruction set.
// Everything has internal linkage, so each file has its own copy.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

constexpr std::int64_t kSums = 32;

// The sum of `width` lanes: adds the upper half to the lower one, again and again. Each half is a
// vector, too, whose length the compiler knows.
template <std::int64_t width>
[[gnu::always_inline]] inline double sum_of_lanes(double* lanes) {
    if constexpr (width > 1) {
        for (std::int64_t k = 0; k < width / 2; ++k) lanes[k] += lanes[k + width / 2];
        return sum_of_lanes<width / 2>(lanes);
    }
    return lanes[0];
}

// The sum of term(i) for i < n, in kSums sums side by side, enough for vectors of any width,
// because in a single sum, each addition would wait for the one before. The order is the same at
// every instruction set, and so are the bits.
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
    return sum_of_lanes<kSums>(lanes) + rest;
}

struct TwoSums {
    double first, second;
};

// The sums of both members of terms(i), a TwoSums.
template <class Terms>
[[gnu::always_inline]] inline TwoSums two_sums_of(std::int64_t n, Terms terms) {
    constexpr std::int64_t count = kSums;
    double first[count] = {}, second[count] = {};
    std::int64_t i = 0;
    for (; i + count <= n; i += count) {
        for (std::int64_t k = 0; k < count; ++k) {
            const TwoSums of = terms(i + k);
            first[k] += of.first;
            second[k] += of.second;
        }
    }
    TwoSums rest{0, 0};
    for (; i < n; ++i) {
        const TwoSums of = terms(i);
        rest.first += of.first;
        rest.second += of.second;
    }
    if (n < count) return rest;
    return {sum_of_lanes<count>(first) + rest.first, sum_of_lanes<count>(second) + rest.second};
}

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

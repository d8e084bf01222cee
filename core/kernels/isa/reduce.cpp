// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"

#include "sums.h"
#include "vector.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

static_assert(kMostColumns == kSums);

double sum(Index n, const Real* x) {
    return sum_of(n, [x](Index i) { return static_cast<double>(x[i]); });
}

double sum_of_squares(Index n, const Real* x) {
    return sum_of(n,
                  [x](Index i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
}

void row_sums(Index rows, Index n, double factor, const Real* x, Real* y) {
    for (Index r = 0; r < rows; ++r) y[r] += static_cast<Real>(sum(n, x + r * n) * factor);
}

// Sixteen values whatever the width of a register, so that of 0 and -0, which are equal, the same
// one is taken at every instruction set.
using Sixteen = Some<Real, 16>::Values;

// Makes `best` the more extreme of two values, or of each two in a vector. A NaN wins, and stays.
template <bool largest, class V>
[[gnu::always_inline]] inline void keep_extreme(const V& v, V& best) {
    if constexpr (largest) {
        best = v > best ? v : best;
    } else {
        best = v < best ? v : best;
    }
    best = v != v ? v : best;
}

template <bool largest>
[[gnu::always_inline]] inline Real row_extreme(Index n, const Real* x) {
    constexpr Index width = 16;
    Real best = x[0];
    if (n >= width) {
        Sixteen all, next;
        __builtin_memcpy(&all, x + n - width, sizeof all);  // some of them for the second time
        for (Index i = 0; i + width <= n; i += width) {
            __builtin_memcpy(&next, x + i, sizeof next);
            keep_extreme<largest>(next, all);
        }
        Real values[width];
        store(all, values);
        for (Index half = width / 2; half > 0; half /= 2) {
            for (Index k = 0; k < half; ++k) {
                keep_extreme<largest>(values[k + half], values[k]);
            }
        }
        return values[0];
    }
    for (Index i = 1; i < n; ++i) keep_extreme<largest>(x[i], best);
    return best;
}

void row_extremes(Index rows, Index n, bool largest, const Real* x, Real* y) {
    for (Index r = 0; r < rows; ++r) {
        y[r] = largest ? row_extreme<true>(n, x + r * n) : row_extreme<false>(n, x + r * n);
    }
}

void add_rows(Index rows, Index columns, Index stride, const Real* x, double* sums) {
    double lanes[kSums] = {};
    for (Index k = 0; k < columns; ++k) lanes[k] = sums[k];
    if (columns == kSums) {  // a length that the compiler knows
        for (Index r = 0; r < rows; ++r) {
            for (Index k = 0; k < kSums; ++k) lanes[k] += static_cast<double>(x[r * stride + k]);
        }
    } else {
        for (Index r = 0; r < rows; ++r) {
            for (Index k = 0; k < columns; ++k) lanes[k] += static_cast<double>(x[r * stride + k]);
        }
    }
    for (Index k = 0; k < columns; ++k) sums[k] = lanes[k];
}

}  // namespace

ReduceKernels reduce_kernels() {
    return {.sum = sum,
            .sum_of_squares = sum_of_squares,
            .row_sums = row_sums,
            .row_extremes = row_extremes,
            .add_rows = add_rows};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

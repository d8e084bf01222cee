// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"

#include "sums.h"

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
    return {
        .sum = sum, .sum_of_squares = sum_of_squares, .row_sums = row_sums, .add_rows = add_rows};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

inline constexpr std::int64_t kMostColumns = 32;

/// The loops of reductions, at one instruction set. All add up in the same order, whatever the
/// width of a vector is, so that the results are the same bits at all of them.
struct ReduceKernels {
    /// The sum of x[i] for i < n, added up in double.
    double (*sum)(std::int64_t n, const Real* x);
    /// The sum of x[i]^2.
    double (*sum_of_squares)(std::int64_t n, const Real* x);
    /// sums[i] += the sum over r < rows of x[r * stride + i], for i < columns <= kMostColumns.
    void (*add_rows)(std::int64_t rows, std::int64_t columns, std::int64_t stride, const Real* x,
                     double* sums);
};

namespace baseline {
ReduceKernels reduce_kernels();
}
namespace avx2 {
ReduceKernels reduce_kernels();
}
namespace avx512 {
ReduceKernels reduce_kernels();
}

}  // namespace primer::kernels

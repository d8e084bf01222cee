#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// The loops of softmax, at one instruction set, with the bits the same at all of them: over `rows`
/// rows of `n` values, one after the other in memory.
struct SoftmaxKernels {
    using Index = std::int64_t;
    /// Of each row r, largest[r] = max x, y = e^(x - max x) and sums[r] = the sum of y, added up in
    /// double.
    void (*exponentials)(Index rows, Index n, const Real* x, Real* y, double* largest,
                         double* sums);
    /// y = y / sums[r]
    void (*divide)(Index rows, Index n, const double* sums, Real* y);
    /// y = (x - largest[r]) - logs[r]
    void (*subtract)(Index rows, Index n, const double* largest, const double* logs, const Real* x,
                     Real* y);
    /// softmax_backward and log_softmax_backward of core/kernels/reduce.h.
    void (*backward)(Index rows, Index n, const Real* y, const Real* dy, Real* dx);
    void (*log_backward)(Index rows, Index n, const Real* y, const Real* dy, Real* dx);
};

namespace baseline {
SoftmaxKernels softmax_kernels();
}
namespace avx2 {
SoftmaxKernels softmax_kernels();
}
namespace avx512 {
SoftmaxKernels softmax_kernels();
}

}  // namespace primer::kernels

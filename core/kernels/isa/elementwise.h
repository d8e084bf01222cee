#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// The loops of arithmetic, at one instruction set, with the bits the same at all of them.
struct ElementwiseKernels {
    using Index = std::int64_t;
    /// y[i] = a[i * stride_a] op b[i * stride_b] for i < n; y may be a if stride_a is 1.
    using Binary = void (*)(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                            Real* y);
    /// y[i] = op x[i]; y may be x.
    using Unary = void (*)(Index n, const Real* x, Real* y);

    Binary add, sub, mul, div;
    Unary neg, exp, sqrt;
    void (*scale)(Index n, Real factor, Real* x);
};

namespace baseline {
ElementwiseKernels elementwise_kernels();
}
namespace avx2 {
ElementwiseKernels elementwise_kernels();
}
namespace avx512 {
ElementwiseKernels elementwise_kernels();
}

}  // namespace primer::kernels

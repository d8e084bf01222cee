#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// The innermost loops of a convolution in which each channel has its own kernels, at one
/// instruction set. Both walk over an output plane, `rows` rows of `columns`; output (i, j) of y or
/// dy is at i * columns + j, and tap t meets it with x[i * x_step + offsets[t] + j].
struct DepthwiseLoops {
    std::int64_t rows, columns, x_step, taps;
    const std::int64_t* offsets;
};

struct Depthwise {
    /// y = bias + sum over the taps of weight[t] x.
    void (*forward)(const DepthwiseLoops& loops, const Real* x, const Real* weight, Real bias,
                    Real* y);
    /// dweight[t] += sum over the plane of dy x.
    void (*weight)(const DepthwiseLoops& loops, const Real* x, const Real* dy, Real* dweight);
};

namespace baseline {
Depthwise depthwise();
}
namespace avx2 {
Depthwise depthwise();
}
namespace avx512 {
Depthwise depthwise();
}

}  // namespace primer::kernels

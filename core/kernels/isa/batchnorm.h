#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

inline constexpr std::int64_t kMostChannels = 32;

/// Values of x [batch, channels, inner] that are walked together: of each of `rows` images some
/// neighbouring channels, at most kMostChannels, and of each of those `inner` values side by side.
/// The images begin row_stride apart, and the channels channel_stride.
struct BatchNormBlock {
    std::int64_t rows, channels, inner, row_stride, channel_stride;
};

/// (x - center) scale + shift, with the numbers of each of a block's channels.
struct BatchNormLine {
    Real center[kMostChannels], scale[kMostChannels], shift[kMostChannels];
};

/// The loops over a block, at one instruction set. They add up each channel in the same order,
/// whatever the width of a vector is, so that the results are the same bits at all of them.
struct BatchNormKernels {
    /// Of each channel the sum of x - center and that of (x - center)^2.
    void (*moments)(const BatchNormBlock& block, const Real* center, const Real* x, double* sum,
                    double* squares);
    /// y = the line's or, with relu, the larger of it and 0.
    void (*normalize)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                      const Real* x, Real* y);
    /// With g = dy or, with relu, 0 where the line is <= 0: of each channel the sum of g and that
    /// of g (x - center).
    void (*gradient_sums)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                          const Real* x, const Real* dy, double* sum, double* products);
    /// dx = g scale, plus (x - center) slope + offset where these are not null. Without relu and
    /// them, x may be null.
    void (*input_gradient)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                           const Real* slope, const Real* offset, const Real* x, const Real* dy,
                           Real* dx);
};

namespace baseline {
BatchNormKernels batch_norm_kernels();
}
namespace avx2 {
BatchNormKernels batch_norm_kernels();
}
namespace avx512 {
BatchNormKernels batch_norm_kernels();
}

}  // namespace primer::kernels

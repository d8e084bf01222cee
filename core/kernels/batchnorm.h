#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// The sizes of x [batch, channels, inner]: inner is height times width, or 1 for x [N, C].
struct BatchNormSizes {
    Index batch, channels, inner;

    /// The number of values of one channel.
    Index count() const { return batch * inner; }
};

/// The moments of one channel; the variance is the mean squared distance from the mean.
struct Moments {
    double mean, variance;
};

/// The normalization, given the moments: y = (x - mean) / sqrt(variance + eps) * weight + bias or,
/// with relu, the larger of that and 0. A NaN stays a NaN.
struct BatchNormRule {
    double eps;
    const Real* weight = nullptr;  ///< [channels], or nullptr: 1
    const Real* bias = nullptr;    ///< [channels], or nullptr: 0
    bool relu = false;
};

/// values[c], or `otherwise` if `values` is nullptr: the weight or the bias of channel c.
inline double or_else(double otherwise, const Real* values, Index c) {
    return values != nullptr ? static_cast<double>(values[c]) : otherwise;
}

/// Computes y from given moments [channels].
void batch_norm(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                const Moments* moments, Real* y);
/// Computes y from the moments of x itself and writes these. They are exact to the last digits of a
/// float even where the mean is large and the variance small. Needs sizes.count() >= 1.
void batch_norm_training(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y);

/// What the backward reads.
struct BatchNormBackward {
    const Real* x;  ///< may be nullptr for dx alone, without relu and with given moments
    const Real* dy;
    const Moments* moments;
    bool moments_depend_on_x;  ///< whether the moments depend on x, as in batch_norm_training
};

/// The gradients of x, weight and bias. A gradient that is nullptr is not computed. With relu, dy
/// counts as 0 where y <= 0.
void batch_norm_backward(const BatchNormSizes& sizes, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

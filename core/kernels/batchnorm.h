#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// Of x [batch, channels, inner]: inner is an image's height times width, or 1 for x [N, C].
struct BatchNormSizes {
    Index batch, channels, inner;

    /// The number of values of one channel.
    Index count() const { return batch * inner; }
};

/// Of the values of one channel; the variance is the mean squared distance from the mean.
struct Moments {
    double mean, variance;
};

/// What is made of a value, besides its channel's moments:
/// y = (x - mean) / sqrt(variance + eps) * weight + bias or, with relu, the larger of that and 0; a
/// NaN stays a NaN.
struct BatchNormRule {
    double eps;
    const Real* weight = nullptr;  ///< [channels], or nullptr: 1
    const Real* bias = nullptr;    ///< [channels], or nullptr: 0
    bool relu = false;
};

/// y, with the moments [channels] given.
void batch_norm(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                const Moments* moments, Real* y);
/// y with the moments of x itself, which it writes. They are exact to the last digits of a float
/// even where the mean is large and the variance small. Needs sizes.count() >= 1.
void batch_norm_training(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y);

/// What the backward reads.
struct BatchNormBackward {
    const Real* x;  ///< may be nullptr for a dx of batch_norm without relu, dweight and dbias
    const Real* dy;
    const Moments* moments;
    bool moments_of_x;  ///< whether they change with x: batch_norm_training
};

/// The gradients of x, weight and bias; those that are nullptr are not computed. With relu, dy
/// counts as 0 where y <= 0.
void batch_norm_backward(const BatchNormSizes& sizes, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias);

}  // namespace primer::kernels

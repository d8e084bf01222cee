#pragma once

#include "primer/core/real.h"
#include "primer/core/shape.h"

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

/// y = (x - mean) / sqrt(variance + eps) * weight + bias with the moments [channels] of each
/// channel. weight and bias [channels] may be nullptr: 1 and 0.
void batch_norm(const BatchNormSizes& sizes, double eps, const Real* x, const Moments* moments,
                const Real* weight, const Real* bias, Real* y);
/// The same with the moments of x itself, which it writes. They are exact to the last digits of a
/// float even where the mean is large and the variance small. Needs sizes.count() >= 1.
void batch_norm_training(const BatchNormSizes& sizes, double eps, const Real* x, const Real* weight,
                         const Real* bias, Moments* moments, Real* y);

/// What the backward reads. x may be nullptr for a dx of batch_norm without dweight and dbias.
struct BatchNormBackward {
    const Real *x, *dy;
    const Moments* moments;
    const Real* weight;  ///< may be nullptr
    bool moments_of_x;   ///< whether they change with x: batch_norm_training
};

/// The gradients of x, weight and bias; those that are nullptr are not computed.
void batch_norm_backward(const BatchNormSizes& sizes, double eps, const BatchNormBackward& from,
                         Real* dx, Real* dweight, Real* dbias);

namespace reference {
// The definition: plain loops over one channel after another. What the others are compared with.
void batch_norm_training(const BatchNormSizes& sizes, double eps, const Real* x, const Real* weight,
                         const Real* bias, Moments* moments, Real* y);
void batch_norm_backward(const BatchNormSizes& sizes, double eps, const BatchNormBackward& from,
                         Real* dx, Real* dweight, Real* dbias);
}  // namespace reference

}  // namespace primer::kernels

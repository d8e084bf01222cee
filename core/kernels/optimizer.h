#pragma once

#include <cstdint>

#include "../real.h"

namespace primer::kernels {

/// The numbers of one SGD step.
struct SgdStep {
    Real lr;
    Real momentum;  ///< the share of the velocity that is kept
    Real gain;      ///< the share of the gradient that is added to it
    Real weight_decay;
    bool nesterov;
    bool maximize;
};

/// One step for n weights w, given their gradients:
///
///     g = +-grad + weight_decay w          (minus to maximize; +-grad where weight_decay is 0)
///     v = momentum v + gain g              (only if there is a velocity; it may be null)
///     w = w - lr d,  d = g without a velocity, g + momentum v with nesterov, else v
void sgd_update(std::int64_t n, const SgdStep& step, const Real* grad, Real* velocity, Real* w);

/// The numbers of one step of Adam or AdamW.
struct AdamStep {
    Real lr;  ///< divided by the correction of the mean, 1 - beta1^step
    Real beta1, one_minus_beta1;
    Real beta2, one_minus_beta2;
    Real root_correction;  ///< sqrt(1 - beta2^step)
    Real eps;
    Real weight_decay;  ///< the share of w that is added to the gradient
    Real keep;          ///< the share of w that decoupled decay (AdamW) leaves
    bool maximize;
};

/// One step for n weights w, given their gradients:
///
///     g = +-grad + weight_decay w          (minus to maximize)
///     mean = beta1 mean + (1 - beta1) g
///     square = beta2 square + (1 - beta2) g^2
///     largest = max(largest, square)       (it may be null: then it is square)
///     w = keep w - lr mean / (sqrt(largest) / root_correction + eps)
void adam_update(std::int64_t n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w);

/// The numbers of one step of RMSprop.
struct RmspropStep {
    Real lr;
    Real alpha, one_minus_alpha;
    Real eps;
    Real weight_decay;
    Real momentum;
    bool maximize;
};

/// One step for n weights w, given their gradients:
///
///     g = +-grad + weight_decay w          (minus to maximize)
///     square = alpha square + (1 - alpha) g^2
///     mean = alpha mean + (1 - alpha) g    (it may be null: then it is 0)
///     d = g / (sqrt(square - mean^2) + eps)
///     velocity = momentum velocity + d     (it may be null: then it is d)
///     w = w - lr velocity
void rmsprop_update(std::int64_t n, const RmspropStep& step, const Real* grad, Real* square,
                    Real* mean, Real* velocity, Real* w);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include "primer/core/real.h"
#include "primer/core/shape.h"

namespace primer::kernels {

/// The numbers of one SGD step.
struct SgdStep {
    Real lr;
    Real momentum;  ///< the part of the velocity that is kept
    Real gain;      ///< the part of the gradient that is added to it
    Real weight_decay;
    bool nesterov;
    bool maximize;
};

/// One step for n weights w, given their gradients:
///
///     g = +-grad + weight_decay w          (minus to maximize)
///     v = momentum v + gain g              (only if there is a velocity; it may be null)
///     w = w - lr d,  d = g without a velocity, g + momentum v with nesterov, else v
void sgd_update(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w);

/// The sum of x[i]^2, added up in double.
double sum_of_squares(Index n, const Real* x);

}  // namespace primer::kernels

#pragma once

#include "primer/core/real.h"
#include "primer/core/shape.h"

namespace primer::kernels {

/// sum over the rows r of -sum_c t_rc log_softmax(x_r)_c for x [rows, classes], where the target
/// t_rc is 1 - smoothing + smoothing / classes at c = labels[r] and smoothing / classes elsewhere.
/// Writes the softmax of x to p as well, which the backward needs.
double cross_entropy(Index rows, Index classes, const Real* x, const Index* labels,
                     double smoothing, Real* p);

/// dx = factor (p - t).
void cross_entropy_backward(Index rows, Index classes, const Real* p, const Index* labels,
                            double smoothing, Real factor, Real* dx);

}  // namespace primer::kernels

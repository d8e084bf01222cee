#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// The sum over the rows r of -sum_c t_rc log_softmax(x_r)_c for x [rows, classes], where the
/// target t_rc is 1 - smoothing + smoothing / classes at c = labels[r] and smoothing / classes
/// elsewhere. Also writes p, the softmax of x, for the backward.
double cross_entropy(Index rows, Index classes, const Real* x, const Index* labels,
                     double smoothing, Real* p);

/// dx = factor (p - t).
void cross_entropy_backward(Index rows, Index classes, const Real* p, const Index* labels,
                            double smoothing, Real factor, Real* dx);

/// The sum of h(x[i]), where h(x) = x^2 / (2 beta) for |x| < beta, else |x| - beta / 2. With beta =
/// 0 it is the sum of |x[i]|.
double smooth_l1(Index n, double beta, const Real* x);
/// dx = factor h'(x), and 0 where x = 0.
void smooth_l1_backward(Index n, double beta, const Real* x, Real factor, Real* dx);

/// The sum of (1 - t) log(1 + e^x) + w t log(1 + e^-x) for logits x, targets t and weights w of the
/// positive examples; w may be nullptr: 1.
double binary_cross_entropy(Index n, const Real* x, const Real* t, const Real* w);
/// Its gradients, times factor. dx or dt may be nullptr and is then not computed.
void binary_cross_entropy_backward(Index n, const Real* x, const Real* t, const Real* w,
                                   Real factor, Real* dx, Real* dt);

}  // namespace primer::kernels

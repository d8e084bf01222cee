#pragma once

#include "primer/core/kernels/reduce.h"
#include "primer/core/real.h"
#include "primer/core/shape.h"

// The activations, a forward and a backward each; the formulas and their derivatives are derived in
// core/ops/activation.cpp. A forward makes y from x, a backward dx from dy and from what the op
// keeps, x or y, all of n elements. But for maxout, where the sizes differ, y may be x, and dx may
// be dy.

namespace primer::kernels {

/// y = max(x, 0); a NaN stays a NaN.
void relu(Index n, const Real* x, Real* y);
/// dx = 0 where y <= 0, else dy: at x = 0 the derivative is taken as 0, at a NaN as 1 (as in
/// PyTorch).
void relu_backward(Index n, const Real* y, const Real* dy, Real* dx);

/// y = x where x > 0, else slope x.
void leaky_relu(Index n, Real slope, const Real* x, Real* y);
/// dx = dy where x > 0, else slope dy. For slope >= 0, y may stand for x.
void leaky_relu_backward(Index n, Real slope, const Real* x, const Real* dy, Real* dx);

/// y = x where x > 0, else w[c] x, for x [outer, c, inner].
void prelu(const Axis& axis, const Real* x, const Real* w, Real* y);
/// dx = dy where x > 0, else w[c] dy.
void prelu_backward(const Axis& axis, const Real* x, const Real* w, const Real* dy, Real* dx);
/// What each x adds to its channel's dw: 0 where x > 0, else x dy.
void prelu_backward_weight(Index n, const Real* x, const Real* dy, Real* terms);

/// y = above x where x > 0, else below (e^x - 1).
void elu(Index n, Real above, Real below, const Real* x, Real* y);
/// dx = above dy where x > 0, else below e^x dy.
void elu_backward(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx);

/// y = x P(x), with P(x) = (1 + erf(x / sqrt(2))) / 2.
void gelu(Index n, const Real* x, Real* y);
/// dx = (P(x) + x P'(x)) dy, with P'(x) = e^(-x^2 / 2) / sqrt(2 pi).
void gelu_backward(Index n, const Real* x, const Real* dy, Real* dx);

/// y = x (1 + tanh u) / 2, with u = sqrt(2 / pi) (x + 0.044715 x^3).
void gelu_tanh(Index n, const Real* x, Real* y);
void gelu_tanh_backward(Index n, const Real* x, const Real* dy, Real* dx);

/// y = x s(x), with s(x) = 1 / (1 + e^-x).
void silu(Index n, const Real* x, Real* y);
/// dx = s(x) (1 + x (1 - s(x))) dy.
void silu_backward(Index n, const Real* x, const Real* dy, Real* dx);

/// y = 1 / (1 + e^-x).
void sigmoid(Index n, const Real* x, Real* y);
/// dx = s(x) s(-x) dy.
void sigmoid_backward(Index n, const Real* x, const Real* dy, Real* dx);

/// y = tanh x.
void tanh(Index n, const Real* x, Real* y);
/// dx = dy / cosh^2 x.
void tanh_backward(Index n, const Real* x, const Real* dy, Real* dx);

/// y = x where beta x > threshold, else ln(1 + e^(beta x)) / beta.
void softplus(Index n, Real beta, Real threshold, const Real* x, Real* y);
/// dx = dy where beta x > threshold, else dy / (1 + e^(-beta x)).
void softplus_backward(Index n, Real beta, Real threshold, const Real* x, const Real* dy, Real* dx);

/// y = x min(max(x + 3, 0), 6) / 6.
void hardswish(Index n, const Real* x, Real* y);
/// dx = 0 where x <= -3, dy where x >= 3, else (x / 3 + 1 / 2) dy.
void hardswish_backward(Index n, const Real* x, const Real* dy, Real* dx);

/// y[o, i] = max over j of x[o, j, i], and the first j that has it, `piece`: a Real, for its memory
/// is a tensor's. A NaN counts as the largest. Needs 1 <= axis.n <= 2^24, so that j is exact.
void maxout(const Axis& axis, const Real* x, Real* y, Real* piece);
/// dx[o, j, i] = dy[o, i] where j = piece[o, i], else 0.
void maxout_backward(const Axis& axis, const Real* piece, const Real* dy, Real* dx);

}  // namespace primer::kernels

#pragma once

#include "../real.h"
#include "../shape.h"
#include "reduce.h"

// The activations that depend on channels, or on halves of a dimension. The others work element by
// element, and their loops are in isa/table.h. core/ops/activation.cpp has the formulas and
// derivatives.

namespace primer::kernels {

/// y = x where x > 0, else w[c] x, for x [outer, c, inner].
void prelu(const Axis& axis, const Real* x, const Real* w, Real* y);
/// dx = dy where x > 0, else w[c] dy.
void prelu_backward(const Axis& axis, const Real* x, const Real* w, const Real* dy, Real* dx);

/// y = a s(b), with the sigmoid s and the halves a and b of x [outer, n, inner] along n, which is
/// even.
void glu(const Axis& axis, const Real* x, Real* y);
void glu_backward(const Axis& axis, const Real* x, const Real* dy, Real* dx);

/// y[o, i] = max over j of x[o, j, i]; piece[o, i] = the first j that has it, as a Real because a
/// tensor holds it. A NaN counts as the largest. Needs 1 <= axis.n <= 2^24, so that j is exact.
void maxout(const Axis& axis, const Real* x, Real* y, Real* piece);
/// dx[o, j, i] = dy[o, i] where j = piece[o, i], else 0.
void maxout_backward(const Axis& axis, const Real* piece, const Real* dy, Real* dx);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

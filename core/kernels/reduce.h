#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// The reduced dimension and the ones around it: x is [outer, n, inner], y [outer, inner]. In
/// row-major memory every reduction over one dimension, or over all, has this form.
struct Axis {
    Index outer, n, inner;
    /// Dimension `dim` (0 <= dim < rank) of `shape`.
    Axis(const Shape& shape, int dim);
    /// All of a tensor: outer = inner = 1.
    explicit Axis(const Shape& shape) : outer(1), n(shape.numel()), inner(1) {}
};

/// y[o, i] = factor times the sum over j of x[o, j, i], computed in double, so that the mean of
/// large numbers is finite even where their sum is not.
void sum(const Axis& axis, const Real* x, Real* y, double factor = 1);

/// The sum of x[i]^2, added up in double.
double sum_of_squares(Index n, const Real* x);

/// y[o, i] = max over j of x[o, j, i], and the first j that has it. A NaN counts as the largest.
/// Needs axis.n >= 1.
void max(const Axis& axis, const Real* x, Real* y, Index* argmax);

/// y[j] += factor times the sum of all x[i] to which broadcasting `y_shape` to `x_shape` would copy
/// y[j].
void sum_to(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y, double factor = 1);

/// y[o, :, i] = softmax of x[o, :, i]: exp(x - max x) / sum exp(x - max x). Subtracting the maximum
/// does not change the result, but keeps exp from overflowing.
void softmax(const Axis& axis, const Real* x, Real* y);
/// dx = y (dy - sum(y dy) / sum(y)), from y = softmax(x). Without rounding, sum(y) would be 1.
/// Dividing by it makes a constant in all dy cancel, however large it is.
void softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx);
/// y[o, :, i] = (x - max x) - log sum exp(x - max x), in this order: added to a large maximum, the
/// logarithm would be lost to rounding.
void log_softmax(const Axis& axis, const Real* x, Real* y);
/// dx = dy - exp(y) sum(dy), from y = log_softmax(x).
void log_softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx);

}  // namespace primer::kernels

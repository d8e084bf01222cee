#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// The dimension that is reduced, and what lies around it: x is [outer, n, inner], y [outer,
/// inner]. Row-major memory lets every reduction over one dimension, or over all, be written so.
struct Axis {
    Index outer, n, inner;
    /// Dimension `dim` (0 <= dim < rank) of `shape`.
    Axis(const Shape& shape, int dim);
    /// All of a tensor: outer = inner = 1.
    explicit Axis(const Shape& shape) : outer(1), n(shape.numel()), inner(1) {}
};

/// y[o, i] = factor times the sum over j of x[o, j, i], all of it in double: the mean of large
/// numbers is finite where their sum is not.
void sum(const Axis& axis, const Real* x, Real* y, double factor = 1);

/// The sum of x[i]^2, added up in double.
double sum_of_squares(Index n, const Real* x);

/// y[o, i] = max over j of x[o, j, i], and the first j that has it. A NaN counts as the largest.
/// Needs axis.n >= 1.
void max(const Axis& axis, const Real* x, Real* y, Index* argmax);

/// y[j] += factor times the sum of all x[i] that broadcasting would have copied from y[j]: the
/// reverse of broadcasting `y_shape` to `x_shape`.
void sum_to(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y, double factor = 1);

/// y[o, :, i] = softmax of x[o, :, i]: exp(x - max x) / sum exp(x - max x). Subtracting the maximum
/// changes nothing but keeps exp from overflowing.
void softmax(const Axis& axis, const Real* x, Real* y);
/// dx = y (dy - sum(y dy) / sum(y)), from y = softmax(x). But for rounding, sum(y) is 1; dividing
/// by it makes what all dy have in common cancel, however large it is.
void softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx);
/// y[o, :, i] = (x - max x) - log sum exp(x - max x), in this order: beside a large maximum the
/// logarithm would be lost.
void log_softmax(const Axis& axis, const Real* x, Real* y);
/// dx = dy - exp(y) sum(dy), from y = log_softmax(x).
void log_softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx);

}  // namespace primer::kernels

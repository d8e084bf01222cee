#pragma once

#include <array>

#include "../real.h"
#include "../shape.h"
#include "parallel.h"

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

/// y[j] += factor times the sum of all x[i] to which broadcasting `y_shape` to `x_shape` would copy
/// y[j].
void sum_to(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y, double factor = 1);

/// Some dimensions of x and y, with their strides in both.
struct Dimensions {
    int rank = 0;
    std::array<Index, Shape::kMaxRank> size{}, in_x{}, in_y{};

    void add(Index n, Index stride_x, Index stride_y);
    /// The product of the sizes.
    Index count() const;
    struct Place {
        Index x = 0, y = 0;
    };
    /// The place of the i-th combination of positions.
    Place at(Index i) const;
};

/// How reducing x to the shape `kept`, which has size 1 in the reduced dimensions, divides the
/// elements of x: into one line for each element of the result.
class Lines {
  public:
    Lines() = default;  // none
    Lines(const Shape& x, const Shape& kept);
    /// How many lines there are, and how many elements each has (0 if there are no lines).
    Index count() const { return count_; }
    Index size() const { return size_; }
    /// Whether the lines are the rows of a matrix [count, size] in x's memory, for which there are
    /// fast kernels. Not with Isa::reference: the ops then go through the elements one by one.
    bool are_fast_rows() const;

    /// Calls f(first, n, stride) for the rows of a line, in the order of memory: the n positions
    /// first, first + stride, ... in x.
    template <class F>
    void each_row(Index line, const F& f) const {
        const Index first = kept_.at(line).x;
        for (Index row = 0; row < rows_; ++row) {
            f(first + reduced_.at(row).x, row_size_, row_stride_);
        }
    }
    /// Calls f(i) for the position i in x of each element of a line, in the order of memory.
    template <class F>
    void each(Index line, const F& f) const {
        each_row(line, [&f](Index i, Index n, Index stride) {
            for (Index j = 0; j < n; ++j, i += stride) f(i);
        });
    }

  private:
    Index count_ = 0, size_ = 0;
    Dimensions kept_, reduced_;  // but for the innermost reduced one, along which a row runs
    Index rows_ = 0, row_size_ = 0, row_stride_ = 0;
};

/// y[r] = the largest or smallest value of row r, NaN if one is NaN, for x [rows, n] with n >= 1.
void row_extremes(Index rows, Index n, bool largest, const Real* x, Real* y);
/// y[r] = ln sum_i e^(x[r, i]) for x [rows, n] with n >= 1. Not exact where it is not finite.
void row_logsumexp(Index rows, Index n, const Real* x, Real* y);

/// Calls f(line) for every line, on all threads.
template <class F>
void for_each_line(const Lines& lines, const F& f) {
    rows(lines.count(), lines.size(), kGrain, [&](Index begin, Index end) {
        for (Index line = begin; line < end; ++line) f(line);
    });
}

/// y[o, :, i] = softmax of x[o, :, i]: exp(x - max x) / sum exp(x - max x). Subtracting the maximum
/// does not change the result, but keeps exp from overflowing.
void softmax(const Axis& axis, const Real* x, Real* y);
/// dx = y (dy - sum(y dy) / sum(y)), from y = softmax(x). Without rounding, sum(y) would be 1.
/// Dividing by it makes a constant in all dy cancel, however large it is.
void softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx);
/// y[o, :, i] = (x - max x) - log sum exp(x - max x), in this order, because added to a large
/// maximum, the logarithm would be lost to rounding.
void log_softmax(const Axis& axis, const Real* x, Real* y);
/// dx = dy - exp(y) sum(dy), from y = log_softmax(x).
void log_softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

#include "only.h"

namespace primer {

/// Counts, positions and sizes: signed, so that a difference of two may be negative.
using Index = std::int64_t;

/// The sizes of a tensor's dimensions, outermost first: Shape{64, 3, 32, 32}. A scalar is Shape{},
/// of rank 0 and with one element. A dimension may be 0; the tensor then has no elements.
class Shape {
  public:
    static constexpr int kMaxRank = 6;  ///< more dimensions than this throw Error

    Shape() = default;
    /// Throws Error for more than kMaxRank dimensions, a negative one, or more elements than
    /// memory can ever hold.
    Shape(std::initializer_list<Only<Index>> dims);
    explicit Shape(std::span<const Index> dims);

    /// The number of dimensions.
    int rank() const { return rank_; }
    /// The product of the dimensions.
    Index numel() const { return numel_; }
    /// Size of dimension `dim`. As in PyTorch, -1 is the last one. Throws Error if there is none.
    Index operator[](Only<int> dim) const {
        return dims_[static_cast<std::size_t>(normalize(dim))];
    }
    /// The sizes, outermost first.
    std::span<const Index> dims() const { return {dims_.data(), static_cast<std::size_t>(rank_)}; }

    /// `dim` as a number in [0, rank): adds the rank to a negative one. Throws Error, naming `who`.
    int normalize(int dim, const char* who = "Shape") const;

    /// The same shape with dimension `dim` of size `size`.
    Shape with(int dim, Index size) const;
    /// The same shape without dimension `dim`.
    Shape without(int dim) const;
    /// This shape followed by `tail`'s dimensions.
    Shape concat(const Shape& tail) const;
    /// The dimensions first, first + 1, ..., last - 1 (numbers in [0, rank], not wrapped).
    Shape slice(int first, int last) const;

    std::string str() const;  ///< "[64, 3, 32, 32]"; a scalar is "[]"

    /// Whether rank and sizes are equal.
    friend bool operator==(const Shape& a, const Shape& b);

  private:
    std::array<Index, kMaxRank> dims_{};
    int rank_ = 0;
    Index numel_ = 1;
};

/// Prints str().
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The shape itself, or [1] for a scalar, because an op along a dimension takes a scalar, too,
/// whose dimension is 0, or -1, as in PyTorch.
Shape at_least_1d(const Shape& shape);

/// The shape of `a op b` under NumPy's broadcasting rule: align the shapes at their last dimension;
/// two sizes fit if they are equal or one of them is 1 or missing, and the larger one wins.
/// Throws Error, naming `who` and both shapes, if they do not fit.
Shape broadcast(const Shape& a, const Shape& b, const char* who);

/// How far apart two neighbours lie in memory, for each dimension.
using Strides = std::array<Index, Shape::kMaxRank>;

/// The strides of `in` in row-major memory for each dimension of `out`: 0 along the dimensions in
/// which `in` is repeated by broadcasting. Throws Error unless broadcast(in, out) == out.
Strides broadcast_strides(const Shape& in, const Shape& out);
/// Those of `shape` itself. They are 0 along dimensions of size 1, which have no neighbours.
inline Strides row_major_strides(const Shape& shape) { return broadcast_strides(shape, shape); }

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "shape.h"

#include <algorithm>
#include <limits>
#include <ostream>

#include "error.h"
#include "real.h"

namespace primer {

namespace {

void check_rank(std::size_t rank) {
    check(rank <= Shape::kMaxRank, "Shape: expected at most ", Shape::kMaxRank, " dimensions, got ",
          rank);
}

}  // namespace

Shape::Shape(std::initializer_list<Only<Index>> dims) {
    check_rank(dims.size());
    std::array<Index, kMaxRank> sizes{};
    std::copy(dims.begin(), dims.end(), sizes.begin());
    *this = Shape(std::span<const Index>(sizes.data(), dims.size()));
}

Shape::Shape(std::span<const Index> dims) {
    check_rank(dims.size());
    rank_ = static_cast<int>(dims.size());
    std::copy(dims.begin(), dims.end(), dims_.begin());
    for (Index d : dims) check(d >= 0, "Shape: expected sizes of 0 or more, got ", *this);

    // A size of 0 makes the product 0 whatever stands beside it, but the others must still be
    // sizes that could be multiplied, because strides are products of them.
    constexpr Index limit = std::numeric_limits<std::ptrdiff_t>::max() / Index{sizeof(Real)};
    Index nonzero = 1;
    for (Index d : dims) {
        check(d == 0 || nonzero <= limit / d, "Shape: ", *this, " has more elements than memory");
        if (d != 0) nonzero *= d;
        numel_ *= d;
    }
}

int Shape::normalize(int dim, const char* who) const {
    check(rank_ > 0, who, ": the shape [] of a scalar has no dimension ", dim);
    const int wrapped = dim < 0 ? dim + rank_ : dim;
    check(wrapped >= 0 && wrapped < rank_, who, ": expected a dimension from ", -rank_, " to ",
          rank_ - 1, " for the shape ", *this, ", got ", dim);
    return wrapped;
}

Shape Shape::with(int dim, Index size) const {
    std::array<Index, kMaxRank> dims = dims_;
    dims[static_cast<std::size_t>(normalize(dim))] = size;
    return Shape(std::span<const Index>(dims.data(), static_cast<std::size_t>(rank_)));
}

Shape Shape::without(int dim) const {
    dim = normalize(dim);
    return slice(0, dim).concat(slice(dim + 1, rank_));
}

Shape Shape::concat(const Shape& tail) const {
    check(rank_ + tail.rank_ <= kMaxRank, "Shape: ", *this, " followed by ", tail,
          " has more than ", kMaxRank, " dimensions");
    std::array<Index, kMaxRank> dims = dims_;
    std::copy(tail.dims().begin(), tail.dims().end(), dims.begin() + rank_);
    return Shape(std::span<const Index>(dims.data(), static_cast<std::size_t>(rank_ + tail.rank_)));
}

Shape Shape::slice(int first, int last) const {
    check(0 <= first && first <= last && last <= rank_, "Shape: no dimensions ", first, " to ",
          last, " in ", *this);
    return Shape(
        dims().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
}

std::string Shape::str() const {
    std::string text = "[";
    for (int i = 0; i < rank_; ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(dims_[static_cast<std::size_t>(i)]);
    }
    return text + "]";
}

bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.dims(), b.dims()); }

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

Shape at_least_1d(const Shape& shape) { return shape.rank() == 0 ? Shape{1} : shape; }

Shape broadcast(const Shape& a, const Shape& b, const char* who) {
    std::array<Index, Shape::kMaxRank> dims{};
    const int rank = std::max(a.rank(), b.rank());
    for (int i = 1; i <= rank; ++i) {  // from the last dimension to the first
        const Index da = i <= a.rank() ? a[-i] : 1;
        const Index db = i <= b.rank() ? b[-i] : 1;
        check(da == db || da == 1 || db == 1, who, ": the shapes ", a, " and ", b,
              " do not broadcast: counted from the last dimension, sizes must be equal or one of "
              "them 1, but dimension -",
              i, " is ", da, " and ", db);
        dims[static_cast<std::size_t>(rank - i)] = da == 1 ? db : da;
    }
    return Shape(std::span<const Index>(dims.data(), static_cast<std::size_t>(rank)));
}

Strides broadcast_strides(const Shape& in, const Shape& out) {
    Strides strides{};
    Index stride = 1;
    for (int i = 1; i <= in.rank(); ++i) {
        check(i <= out.rank() && (in[-i] == 1 || in[-i] == out[-i]),
              "broadcast_strides: the shape ", in, " cannot be broadcast to ", out);
        strides[static_cast<std::size_t>(out.rank() - i)] = in[-i] == 1 ? 0 : stride;
        stride *= in[-i];
    }
    return strides;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

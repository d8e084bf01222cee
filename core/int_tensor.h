#pragma once

#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <utility>
#include <vector>

#include "error.h"
#include "shape.h"

namespace primer {

/// A tensor of whole numbers, without a gradient: class labels, or the result of argmax.
struct IntTensor {
    Shape shape{0};             ///< of no elements, unless one is given
    std::vector<Index> values;  ///< in row-major order

    IntTensor() = default;
    /// One dimension. Implicit, so that a list of labels can be written in a call.
    IntTensor(std::vector<Index> v) : shape{static_cast<Index>(v.size())}, values(std::move(v)) {}
    IntTensor(std::initializer_list<Only<Index>> v)
        : IntTensor(std::vector<Index>(v.begin(), v.end())) {}
    /// Throws Error unless there are shape.numel() values.
    IntTensor(const Shape& s, std::vector<Index> v) : shape(s), values(std::move(v)) {
        check_whole("IntTensor(shape, values)");
    }

    /// The number of elements.
    Index numel() const { return shape.numel(); }
    /// The one value of a tensor with one element.
    Index item() const;
    /// Value i of one dimension; a negative i counts from the end.
    Index operator[](Only<Index> i) const;

    /// Throws Error, naming `who`, unless there are shape.numel() values. The members are public,
    /// so every function that takes an IntTensor calls this first.
    void check_whole(const char* who) const {
        check(std::ssize(values) == shape.numel(), who, ": IntTensor: shape ", shape, " needs ",
              shape.numel(), " values, got ", values.size());
    }
};

/// Prints it as a Tensor is printed.
std::ostream& operator<<(std::ostream& out, const IntTensor& x);

}  // namespace primer
// SPDX-License-Identifier: MIT

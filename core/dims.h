#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "only.h"

namespace primer {

/// Dimensions over which an op reduces, in any order; -1 is the last one. One number stands for a
/// list with just that: sum(x, 0), sum(x, {0, 2}). The empty list means all dimensions.
class Dims {
  public:
    Dims() = default;
    /// Whole numbers only: neither true nor 0.5 is a dimension.
    template <WholeNumber T>
    Dims(T dim) : dims_{Only<int>(dim)} {}
    Dims(std::initializer_list<Only<int>> dims) : dims_(dims.begin(), dims.end()) {}
    Dims(std::span<const int> dims) : dims_(dims.begin(), dims.end()) {}

    /// Whether the list is empty, which means all dimensions.
    bool empty() const { return dims_.empty(); }
    /// The dimensions, as they were given.
    std::vector<int>::const_iterator begin() const { return dims_.begin(); }
    std::vector<int>::const_iterator end() const { return dims_.end(); }

  private:
    std::vector<int> dims_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

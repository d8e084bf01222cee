#pragma once

#include <concepts>
#include <initializer_list>
#include <iterator>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include "int_tensor.h"
#include "only.h"
#include "rng.h"
#include "tensor.h"

// Where tensors come from: listed values, one value, a sequence, random numbers. All but the
// IntTensors hold Reals, whatever kind of number they were made from.

namespace primer {

/// A number or a list of such values: the argument of tensor(). It keeps a list where it was
/// written, so make one only in the call.
class ListedValues {
  public:
    /// A number.
    template <Number T>
    ListedValues(T number) : number_(static_cast<double>(number)) {}
    /// A list.
    ListedValues(std::initializer_list<ListedValues> list) : list_(list), is_list_(true) {}

    /// Whether it is a list; otherwise it is a number.
    bool is_list() const { return is_list_; }
    /// The number; 0 for a list.
    double number() const { return number_; }
    /// The list; empty for a number.
    std::span<const ListedValues> list() const { return {list_.begin(), list_.size()}; }

  private:
    double number_ = 0;
    std::initializer_list<ListedValues> list_;
    bool is_list_ = false;
};

/// As in PyTorch, the braces make the shape: tensor(3.5) is a scalar, tensor({1, 2, 3}) a vector,
/// tensor({{1, 2}, {3, 4}}) a matrix, tensor({{1}, {2}}) one of shape [2, 1]. Throws Error for
/// lists of different lengths side by side.
Tensor tensor(const ListedValues& values);
/// tensor({1, 2, 3, 4, 5, 6}, {2, 3}): the values in row-major order. Throws Error unless there are
/// as many as the shape has elements.
Tensor tensor(std::initializer_list<double> values, const Shape& shape);
/// A copy of the values.
Tensor tensor(std::span<const Real> values, const Shape& shape);
/// One dimension: a copy of a vector, an array or another range of numbers.
template <std::ranges::input_range Range>
requires Number<std::ranges::range_value_t<Range>> Tensor tensor(const Range& numbers) {
    std::vector<Real> reals;
    for (const auto number : numbers) reals.push_back(static_cast<Real>(number));
    return tensor(reals, {std::ssize(reals)});
}

/// The same numbers as Reals, such as indices for an Embedding in a Sequential: PyTorch's
/// x.float(). (A template, so that braces are never taken for an IntTensor.)
template <std::same_as<IntTensor> T>
Tensor tensor(const T& numbers) {
    numbers.check_whole("tensor");
    return tensor(std::vector<Real>(numbers.values.begin(), numbers.values.end()), numbers.shape);
}

/// x's values without their fractions: to_int(tensor({-1.5, 2})) is {-1, 2}; PyTorch's x.long().
/// Throws Error for NaN, and for numbers that an Index cannot hold.
IntTensor to_int(const Tensor& x);

/// The values are not initialised. Here, as in zeros, ones, rand and randn, the sizes may be
/// written without braces: empty(2, 3) is empty({2, 3}). A generator behind them needs the braces.
Tensor empty(const Shape& shape);
Tensor empty(WholeNumber auto... sizes) { return empty(Shape{sizes...}); }
/// Every value is 0, 1 or `value`.
Tensor zeros(const Shape& shape);
Tensor zeros(WholeNumber auto... sizes) { return zeros(Shape{sizes...}); }
Tensor ones(const Shape& shape);
Tensor ones(WholeNumber auto... sizes) { return ones(Shape{sizes...}); }
Tensor full(const Shape& shape, Only<Real> value);
Tensor full(Number auto...) = delete;  // write full({2, 3}, 0.5)
/// The same, in x's shape.
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);

/// 0, 1, 2, ..., count - 1.
Tensor arange(Only<Index> count);
/// start, start + step, start + 2 step, ... as long as they are before `end`. Throws Error unless
/// the numbers are finite and step leads from start to end.
Tensor arange(Only<double> start, Only<double> end, Only<double> step = 1);
/// `steps` numbers at equal distances, from start to end inclusive; one is start itself. Throws
/// Error for fewer than 0.
Tensor linspace(Only<double> start, Only<double> end, Only<Index> steps);
/// [n, m], 1 where the row is the column and 0 elsewhere; without m the identity matrix, [n, n].
Tensor eye(Only<Index> n);
Tensor eye(Only<Index> n, Only<Index> m);

/// Independent uniform numbers from [0, 1).
Tensor rand(const Shape& shape, Rng& rng = default_rng());
Tensor rand(WholeNumber auto... sizes) { return rand(Shape{sizes...}); }
template <class... T, class = std::enable_if_t<(std::same_as<T, Rng&> || ...)>>
void rand(WholeNumber auto, T&&...) = delete;  // rand({2, 3}, rng)
Tensor rand_like(const Tensor& x, Rng& rng = default_rng());
/// Independent normal numbers of mean 0 and variance 1.
Tensor randn(const Shape& shape, Rng& rng = default_rng());
Tensor randn(WholeNumber auto... sizes) { return randn(Shape{sizes...}); }
template <class... T, class = std::enable_if_t<(std::same_as<T, Rng&> || ...)>>
void randn(WholeNumber auto, T&&...) = delete;  // randn({2, 3}, rng)
Tensor randn_like(const Tensor& x, Rng& rng = default_rng());
/// Independent whole numbers, uniform over low, low + 1, ..., high - 1; low is 0 if it is left out.
/// Throws Error unless low < high and high - low is an Index.
IntTensor randint(Only<Index> low, Only<Index> high, const Shape& shape, Rng& rng = default_rng());
IntTensor randint(Only<Index> high, const Shape& shape, Rng& rng = default_rng());
/// 0, 1, ..., count - 1 in random order.
IntTensor randperm(Only<Index> count, Rng& rng = default_rng());

}  // namespace primer
// SPDX-License-Identifier: MIT

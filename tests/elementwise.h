#pragma once

#include <functional>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

// What the tests of the ops share that work element by element.

namespace primer {

using Inputs = std::vector<Tensor>;

/// An op of two tensors, and its definition for numbers.
struct Binary {
    const char* name;
    Tensor (*op)(const Tensor&, const Tensor&);
    double (*reference)(double, double);
};

inline const std::vector<Shape> kShapes{
    {},  {1},       {7},       {2, 3},          {1, 5, 1},         {2, 1, 3, 2},
    {0}, {3, 0, 2}, {1, 1, 1}, {2, 1, 2, 1, 3}, {2, 1, 3, 1, 2, 2}};

/// Every way in which shapes can fit: rows, columns, both at once, missing dimensions, sizes of 1
/// and 0, scalars on either side.
using ShapePairs = std::vector<std::pair<Shape, Shape>>;
inline const ShapePairs kShapePairs{
    {{}, {}},
    {{1}, {}},
    {{3}, {}},
    {{3}, {1}},
    {{5}, {5}},
    {{2, 3}, {}},
    {{2, 3}, {3}},
    {{2, 3}, {2, 1}},
    {{2, 1}, {1, 3}},
    {{3, 1}, {4}},
    {{1, 1}, {1}},
    {{2, 3}, {1, 1}},
    {{4, 1, 3}, {2, 1}},
    {{2, 3, 5}, {3, 1}},
    {{2, 3, 5}, {2, 1, 5}},
    {{1, 3, 1}, {2, 1, 5}},
    {{2, 3, 1, 2}, {3, 2, 2}},
    {{2, 1, 3, 1, 2}, {2, 1, 3, 1}},
    {{1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1}},
    {{2, 1, 2, 3, 1, 2}, {1, 2}},
    {{0}, {1}},
    {{0}, {}},
    {{3, 0}, {3, 1}},
    {{0, 3}, {3}},
    {{2, 0, 3}, {1, 3}},
};

/// Positive, and away from 0, so that every op is smooth there.
inline Tensor positive(const Shape& shape, Rng& rng) {
    const Tensor x = rand(shape, rng);
    Real* out = x.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) out[i] = Real(0.5) + 2 * out[i];
    return x;
}

/// y[i] = f(a, b) at every position i of the broadcast shape, by the definition: along a dimension
/// of size 1, or that is missing, the position is 0.
inline std::vector<double> by_definition(const Tensor& a, const Tensor& b, const Shape& shape,
                                         double (*f)(double, double)) {
    const auto element = [&](const Tensor& x, Index flat) {
        Index offset = 0, stride = 1;
        for (int d = 1; d <= shape.rank(); ++d) {
            const Index i = flat % shape[-d];
            flat /= shape[-d];
            if (d > x.rank()) continue;
            if (x.shape()[-d] != 1) offset += i * stride;
            stride *= x.shape()[-d];
        }
        return static_cast<double>(x.data()[offset]);
    };
    std::vector<double> y;
    for (Index i = 0; i < shape.numel(); ++i) y.push_back(f(element(a, i), element(b, i)));
    return y;
}

/// Checks shape and every value.
inline void check_close(const Tensor& x, const Shape& shape, const std::vector<double>& expected) {
    REQUIRE(x.shape() == shape);
    for (Index i = 0; i < x.numel(); ++i) {
        const double want = expected[static_cast<std::size_t>(i)];
        CAPTURE(i);
        CHECK(static_cast<double>(x.data()[i]) == doctest::Approx(want).epsilon(kTolerance));
    }
}

/// dx of f at x for dy = 1.
inline std::vector<double> slopes(const std::function<Tensor(const Tensor&)>& f,
                                  std::initializer_list<double> values) {
    const Tensor x = tensor(values).requires_grad_();
    Tape tape;
    tape.backward(sum(f(x)));
    return {x.grad().values().begin(), x.grad().values().end()};
}

inline constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace primer
// SPDX-License-Identifier: MIT

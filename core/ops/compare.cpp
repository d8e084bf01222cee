#include <algorithm>
#include <cmath>
#include <limits>

#include "../kernels/copy.h"
#include "../ops.h"
#include "../tape.h"
#include "map.h"

namespace primer {
namespace {

using internal::map, internal::map_into;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// dy where a > b, half of it where they are equal, 0 where a < b; dy where one of them is NaN.
Tensor share_of_larger(const Tensor& dy, const Tensor& a, const Tensor& b) {
    return map_into(dy.clone(), a, b, kernels::share_of_larger);
}

// y = min(max(x, low), high), so dy/dx = 1 between the bounds and 0 outside. At the bounds it is
// taken as 1.
Tensor clamp_between(const char* op, const Tensor& x, double min, double max) {
    if (std::isnan(min)) max = min;  // NaN as the upper bound makes everything NaN
    const auto low = static_cast<Real>(min), high = static_cast<Real>(max);
    Tensor y = empty(x.shape());
    kernels::clamp(x.numel(), low, high, x.data(), y.mutable_data());
    return record({op, 0}, y, {x}, [low, high, x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        Tensor grad = empty(dy.shape());
        kernels::clamp_backward(dy.numel(), low, high, x->data(), dy.data(), grad.mutable_data());
        dx.add(grad);
    });
}

// A comparison is constant between its jumps, so no tape needs to know its inputs.
Tensor compare(const char* op, const Tensor& a, const Tensor& b, kernels::BinaryLoop f) {
    return record({op, 0}, map(op, a, b, f), std::span<const Tensor>(), nullptr);
}

}  // namespace

// dy/da = 1 where a > b, 0 where a < b; dy/db the other way round. At the kink, a = b, each is
// taken as 1/2, so that they add up to the derivative of max(x, x) = x.
Tensor maximum(const Tensor& a, const Tensor& b) {
    const Tensor y = map("maximum", a, b, kernels::maximum);
    return record({"maximum", 0}, y, {a, b},
                  [a = Saved(a), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(share_of_larger(dy, a, b));
                      if (db.wanted()) db.add(share_of_larger(dy, b, a));
                  });
}

// As for maximum, with a and b exchanged, so the gradient goes to a where b is the larger.
Tensor minimum(const Tensor& a, const Tensor& b) {
    const Tensor y = map("minimum", a, b, kernels::minimum);
    return record({"minimum", 0}, y, {a, b},
                  [a = Saved(a), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(share_of_larger(dy, b, a));
                      if (db.wanted()) db.add(share_of_larger(dy, a, b));
                  });
}

Tensor clamp(const Tensor& x, Only<double> min, Only<double> max) {
    return clamp_between("clamp", x, min, max);
}

Tensor clamp_min(const Tensor& x, Only<double> min) {
    return clamp_between("clamp_min", x, min, kInfinity);
}

Tensor clamp_max(const Tensor& x, Only<double> max) {
    return clamp_between("clamp_max", x, -kInfinity, max);
}

// dy/da = 1 where a is taken, else 0; dy/db the other way round.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
    const Shape shape =
        broadcast(broadcast(condition.shape(), a.shape(), "where"), b.shape(), "where");
    Tensor y = empty(shape);
    kernels::expand(condition.shape(), condition.data(), shape, y.mutable_data());
    y = map_into(y, a, b, kernels::choose);  // reads the condition and writes over it
    return record({"where", 0}, y, {a, b},
                  [condition = Saved(condition)](const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(where(condition, dy, 0));
                      if (db.wanted()) db.add(where(condition, 0, dy));
                  });
}

Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", a, b, kernels::less); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", a, b, kernels::less_equal); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", a, b, kernels::greater); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", a, b, kernels::greater_equal); }
Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", a, b, kernels::equal); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", a, b, kernels::not_equal); }

// Compares whole numbers, because large ones that differ may be the same Real.
Tensor eq(const IntTensor& a, const IntTensor& b) {
    a.check_whole("eq");
    b.check_whole("eq");
    check(a.shape == b.shape, "eq: expected two IntTensors of one shape, got ", a.shape, " and ",
          b.shape);
    Tensor y = empty(a.shape);
    std::ranges::transform(a.values, b.values, y.mutable_data(),
                           [](Index i, Index j) { return static_cast<Real>(i == j); });
    return record({"eq", 0}, y, std::span<const Tensor>(), nullptr);
}

Tensor operator==(const IntTensor& a, Only<Index> b) {
    return eq(a, IntTensor(a.shape, std::vector<Index>(a.values.size(), b)));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "creation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "error.h"
#include "init.h"

namespace primer {
namespace {

// The shape that the first of the lists, the first in it, and so on, have.
Shape shape_of(const ListedValues& values) {
    std::array<Index, Shape::kMaxRank + 1> dims{};
    std::size_t rank = 0;
    for (const ListedValues* v = &values; v->is_list() && rank < dims.size();) {
        dims[rank++] = std::ssize(v->list());
        if (v->list().empty()) break;
        v = &v->list().front();
    }
    return Shape(std::span<const Index>(dims.data(), rank));  // throws for a rank too high
}

// Appends the numbers in `values`, which must have the dimensions dim, dim + 1, ... of `shape`.
void append(std::vector<Real>& reals, const ListedValues& values, const Shape& shape, int dim) {
    if (dim == shape.rank()) {
        check(!values.is_list(), "tensor: expected a number in dimension ", dim,
              ", as at its beginning, got a list");
        reals.push_back(static_cast<Real>(values.number()));
        return;
    }
    check(values.is_list(), "tensor: expected a list in dimension ", dim,
          ", as at its beginning, got the number ", values.number());
    check(std::ssize(values.list()) == shape[dim], "tensor: expected lists of ", shape[dim],
          " in dimension ", dim, ", as at its beginning, got one of ", values.list().size());
    for (const ListedValues& v : values.list()) append(reals, v, shape, dim + 1);
}

// A tensor whose elements are value(), value(), ... in row-major order.
template <class F>
Tensor generate(const Shape& shape, F value) {
    Tensor x = empty(shape);
    std::generate_n(x.mutable_data(), x.numel(), value);
    return x;
}

}  // namespace

Tensor tensor(const ListedValues& values) {
    const Shape shape = shape_of(values);
    std::vector<Real> reals;
    append(reals, values, shape, 0);
    return tensor(reals, shape);
}

Tensor tensor(std::initializer_list<double> values, const Shape& shape) {
    std::vector<Real> reals;
    for (double value : values) reals.push_back(static_cast<Real>(value));
    return tensor(reals, shape);
}

Tensor tensor(std::span<const Real> values, const Shape& shape) {
    check(static_cast<Index>(values.size()) == shape.numel(), "tensor: shape ", shape, " needs ",
          shape.numel(), " values, got ", values.size());
    Tensor x = empty(shape);
    std::copy(values.begin(), values.end(), x.mutable_data());
    return x;
}

IntTensor to_int(const Tensor& x) {
    IntTensor whole(x.shape(), std::vector<Index>(static_cast<std::size_t>(x.numel())));
    std::ranges::transform(x.values(), whole.values.begin(), [](double value) {
        check(std::abs(value) < 0x1p63, "to_int: expected numbers that an Index can hold, got ",
              value);
        return static_cast<Index>(value);
    });
    return whole;
}

Tensor empty(const Shape& shape) {
    auto impl = std::make_shared<Tensor::Impl>();
    impl->shape = shape;
    impl->storage = std::make_shared<Storage>(shape.numel());
    impl->data = impl->storage->data();
    return Tensor(std::move(impl));
}

Tensor zeros(const Shape& shape) { return full(shape, 0); }

Tensor ones(const Shape& shape) { return full(shape, 1); }

Tensor full(const Shape& shape, Only<Real> value) { return empty(shape).fill_(value); }

Tensor zeros_like(const Tensor& x) { return zeros(x.shape()); }

Tensor ones_like(const Tensor& x) { return ones(x.shape()); }

Tensor arange(Only<Index> count) {
    check(count >= 0, "arange: expected a count of 0 or more, got ", count);
    return generate({count}, [i = Index{0}]() mutable { return static_cast<Real>(i++); });
}

Tensor arange(Only<double> from, Only<double> to, Only<double> by) {
    const double start = from, end = to, step = by;
    check((end - start) / step >= 0 && std::isfinite(start) && std::isfinite(step),
          "arange: expected a step that leads from the start to the end, got the step ", step,
          " from ", start, " to ", end);
    const double count = std::ceil((end - start) / step);
    check(count < 0x1p53, "arange: from ", start, " to ", end, " there are too many steps of ",
          step);
    return generate({static_cast<Index>(count)},
                    [=, i = 0.0]() mutable { return static_cast<Real>(start + i++ * step); });
}

Tensor linspace(Only<double> from, Only<double> to, Only<Index> steps) {
    check(steps >= 0, "linspace: expected 0 or more steps, got ", steps);
    const double start = from, end = to;
    // Each half is counted from its own end, so that both ends are exact.
    const Index last = steps - 1;
    const double step = last > 0 ? (end - start) / static_cast<double>(last) : 0;
    return generate({steps}, [=, i = Index{0}]() mutable {
        const auto after = static_cast<double>(i), before = static_cast<double>(last - i);
        const bool first_half = i++ <= last / 2;
        return static_cast<Real>(first_half ? start + after * step : end - before * step);
    });
}

Tensor eye(Only<Index> n) { return eye(n, n); }

Tensor eye(Only<Index> n, Only<Index> m) { return eye_(empty({n, m})); }

Tensor rand(const Shape& shape, Rng& rng) {
    return generate(shape, [&] { return rng.uniform(); });
}

Tensor rand_like(const Tensor& x, Rng& rng) { return rand(x.shape(), rng); }

Tensor randn(const Shape& shape, Rng& rng) {
    return generate(shape, [&] { return rng.normal(); });
}

Tensor randn_like(const Tensor& x, Rng& rng) { return randn(x.shape(), rng); }

IntTensor randint(Only<Index> from, Only<Index> to, const Shape& shape, Rng& rng) {
    const Index low = from, high = to;
    check(low < high && (low >= 0 || high <= std::numeric_limits<Index>::max() + low),
          "randint: expected low < high, and not too far apart, got ", low, " and ", high);
    std::vector<Index> values(static_cast<std::size_t>(shape.numel()));
    std::ranges::generate(values, [&] { return low + rng.below(high - low); });
    return IntTensor(shape, std::move(values));
}

IntTensor randint(Only<Index> high, const Shape& shape, Rng& rng) {
    return randint(0, high, shape, rng);
}

IntTensor randperm(Only<Index> count, Rng& rng) { return IntTensor(rng.permutation(count)); }

}  // namespace primer
// SPDX-License-Identifier: MIT

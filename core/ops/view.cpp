#include <algorithm>

#include "../error.h"
#include "../internal.h"
#include "../kernels/copy.h"
#include "../kernels/elementwise.h"
#include "../ops.h"
#include "../tape.h"

// These ops only move values, so their gradients move dy's values back.

namespace primer {
namespace {

Tensor reshape_to(const Tensor& x, const Shape& shape, const char* op) {
    return record({op, 0}, internal::alias(x, shape), {x},
                  [from = x.shape()](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      dx.add(internal::alias(dy, from));
                  });
}

// One of the sizes may be -1.
Tensor reshape_to_sizes(const Tensor& x, std::span<const Index> sizes, const char* op) {
    std::vector<Index> dims(sizes.begin(), sizes.end());
    for (const Index size : sizes) {
        check(size >= -1, op, ": expected sizes of 0 or more, or one of -1 to be computed, got ",
              size, " for x ", x.shape());
    }
    check(sizes.size() <= Shape::kMaxRank, op, ": expected at most ", Shape::kMaxRank,
          " dimensions, got ", sizes.size());
    const auto computed = std::ranges::find(dims, Index{-1});
    if (computed != dims.end()) {
        *computed = 1;
        check(std::ranges::find(dims, Index{-1}) == dims.end(), op,
              ": expected at most one size of -1, got several for x ", x.shape());
        const Index rest = Shape(dims).numel();
        check(rest > 0, op,
              ": a size of -1 beside one of 0 could be any number; give the "
              "size itself, for x ",
              x.shape());
        check(x.numel() % rest == 0, op, ": the ", x.numel(), " elements of x ", x.shape(),
              " do not divide into rows of ", rest, ", the product of the sizes beside -1");
        *computed = x.numel() / rest;
    }
    const Shape shape(dims);
    check(shape.numel() == x.numel(), op, ": shape ", x.shape(), " has ", x.numel(),
          " elements, shape ", shape, " has ", shape.numel());
    return reshape_to(x, shape, op);
}

}  // namespace

Tensor reshape(const Tensor& x, std::span<const Index> sizes) {
    return reshape_to_sizes(x, sizes, "reshape");
}
Tensor reshape(const Tensor& x, std::initializer_list<Index> sizes) {
    return reshape(x, std::span(sizes.begin(), sizes.size()));
}
Tensor reshape(const Tensor& x, const Shape& shape) { return reshape(x, shape.dims()); }

Tensor view(const Tensor& x, std::span<const Index> sizes) {
    return reshape_to_sizes(x, sizes, "view");
}
Tensor view(const Tensor& x, std::initializer_list<Index> sizes) {
    return view(x, std::span(sizes.begin(), sizes.size()));
}
Tensor view(const Tensor& x, const Shape& shape) { return view(x, shape.dims()); }

Tensor flatten(const Tensor& x, Only<int> start_dim, Only<int> end_dim) {
    const Shape from = at_least_1d(x.shape());  // a scalar becomes [1]
    start_dim = from.normalize(start_dim, "flatten");
    end_dim = from.normalize(end_dim, "flatten");
    check(start_dim <= end_dim, "flatten: start_dim ", start_dim, " comes after end_dim ", end_dim,
          " in shape ", from);
    const Shape middle{from.slice(start_dim, end_dim + 1).numel()};
    return reshape_to(
        x, from.slice(0, start_dim).concat(middle).concat(from.slice(end_dim + 1, from.rank())),
        "flatten");
}

Tensor transpose(const Tensor& x, Only<int> dim0, Only<int> dim1) {
    const Shape from = at_least_1d(x.shape());
    dim0 = from.normalize(dim0, "transpose");
    dim1 = from.normalize(dim1, "transpose");
    if (dim0 > dim1) std::swap(dim0, dim1);
    Tensor y =
        empty(x.rank() == 0 ? x.shape() : from.with(dim0, from[dim1]).with(dim1, from[dim0]));
    kernels::swap_axes(from, dim0, dim1, x.data(), y.mutable_data());
    return record({"transpose", 0}, y, {x}, [dim0, dim1](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(transpose(dy, dim0, dim1));
    });
}

// Every element outside the slice has gradient 0.
Tensor slice(const Tensor& x, Only<Index> start, Only<Index> end) {
    check(x.rank() >= 1, "slice: a scalar has no first dimension");
    check(0 <= start && start <= end && end <= x.shape()[0],
          "slice: expected 0 <= start <= end <= ", x.shape()[0], " for shape ", x.shape(), ", got ",
          start, " and ", end);
    const Index row = x.shape().slice(1, x.rank()).numel();
    const Tensor y = internal::alias(x, x.shape().with(0, end - start), start * row);
    return record({"slice", 0}, y, {x},
                  [from = x.shape(), first = start * row](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = zeros(from);
                      std::copy_n(dy.data(), dy.numel(), grad.mutable_data() + first);
                      dx.add(grad);
                  });
}

// With the dimensions before `dim` taken as rows, each tensor owns a strip of columns of y.
Tensor concat(std::span<const Tensor> tensors, Only<int> dim) {
    check(!tensors.empty(), "concat: expected at least one tensor");
    const Shape& first = tensors[0].shape();
    dim = first.normalize(dim, "concat");
    Index size = 0;
    for (const Tensor& t : tensors) {
        check(t.rank() == first.rank() && t.shape().with(dim, first[dim]) == first,
              "concat: shapes may differ only in dimension ", dim, ", got ", first, " and ",
              t.shape());
        size += t.shape()[dim];
    }
    Tensor y = empty(first.with(dim, size));
    const Index rows = first.slice(0, dim).numel();
    const Index width = y.shape().slice(dim, y.rank()).numel();  // of a row of y
    std::vector<Shape> shapes;
    Index column = 0;
    for (const Tensor& t : tensors) {
        const Index w = t.shape().slice(dim, t.rank()).numel();
        kernels::copy_2d(rows, w, t.data(), w, y.mutable_data() + column, width);
        column += w;
        shapes.push_back(t.shape());
    }
    return record(
        {"concat", 0}, y, tensors, [rows, width, dim, shapes](const Tensor& dy, std::span<Grad> d) {
            Index start = 0;
            for (std::size_t i = 0; i < shapes.size(); ++i) {
                Grad& dx = d[i];
                Tensor grad = empty(shapes[i]);
                const Index w = shapes[i].slice(dim, shapes[i].rank()).numel();
                kernels::copy_2d(rows, w, dy.data() + start, width, grad.mutable_data(), w);
                dx.add(grad);
                start += w;
            }
        });
}

Tensor concat(std::initializer_list<Tensor> tensors, Only<int> dim) {
    return concat(std::span(tensors.begin(), tensors.size()), dim);
}

// The tape sums dy over the repetitions.
Tensor expand(const Tensor& x, const Shape& shape) {
    const kernels::Broadcast loop(x.shape(), shape, "expand");
    check(loop.shape == shape, "expand: shape ", x.shape(), " does not broadcast to ", shape);
    Tensor y = empty(shape);
    kernels::expand(loop, x.data(), y.mutable_data());
    return record({"expand", 0}, y, {x}, [](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(dy);
    });
}

}  // namespace primer

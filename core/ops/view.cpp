#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "../error.h"
#include "../internal.h"
#include "../kernels/copy.h"
#include "../kernels/elementwise.h"
#include "../ops.h"
#include "../tape.h"

// These ops only move values, so their gradients move dy's values back. Those whose result may
// share memory with x take x by value, so that unnamed_copy can tell a variable from a temporary.

namespace primer {
namespace {

// Memory for y, the result of an op that is a view in PyTorch.
Tensor empty_copy(const char* op, const Shape& shape) {
    Tensor y = empty(shape);
    y.impl().copied_by = op;
    return y;
}

Tensor reshape_to(const Tensor& x, const Shape& shape, const char* op) {
    const Tensor y = internal::alias(x, shape, 0, internal::unnamed_copy(x));
    return record({op, 0}, y, {x}, [from = x.shape()](const Tensor& dy, std::span<Grad> d) {
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

// y[i, j, ...] is the element of x whose position along dimension order[0] is i, along order[1] is
// j, ... Each dimension of x comes once; the inverse order takes dy back.
Tensor reorder(const char* op, const Tensor& x, const std::vector<int>& order) {
    const Strides from = row_major_strides(x.shape());
    Strides strides{};
    std::vector<Index> sizes;
    std::vector<int> inverse(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto d = static_cast<std::size_t>(order[i]);
        sizes.push_back(x.shape()[order[i]]);
        strides[i] = from[d];
        inverse[d] = static_cast<int>(i);
    }
    Tensor y = empty_copy(op, Shape(sizes));
    kernels::copy_strided(y.shape(), x.data(), strides, y.mutable_data(),
                          row_major_strides(y.shape()));
    return record({op, 0}, y, {x}, [op, inverse](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(reorder(op, dy, inverse));
    });
}

// Positions start, start + step, ... along `dim`, `count` of them, as a tensor of shape `to`. Every
// other element of x has gradient 0.
Tensor take(const char* op, const Tensor& x, int dim, Index start, Index step, Index count,
            const Shape& to) {
    const Shape taken = x.shape().with(dim, count);
    Strides strides = row_major_strides(x.shape());
    Index& stride = strides[static_cast<std::size_t>(dim)];
    const Index first = start * stride;
    stride *= step;
    Tensor y;
    if (dim == 0 && step == 1) {
        y = internal::alias(x, to, first, internal::unnamed_copy(x));
    } else {
        y = empty_copy(op, to);
        kernels::copy_strided(taken, x.data() + first, strides, y.mutable_data(),
                              row_major_strides(taken));
    }
    return record({op, 0}, y, {x}, [taken, first, strides](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        Real* const all = dx.accumulated();
        if (all == nullptr) return;
        const Strides in_order = row_major_strides(taken);
        const Tensor part = empty(taken);
        Real* const sum = part.mutable_data();
        kernels::copy_strided(taken, all + first, strides, sum, in_order);
        kernels::add(taken.numel(), sum, dy.data(), sum);
        kernels::copy_strided(taken, sum, in_order, all + first, strides);
    });
}

// The tensors side by side in y of this shape. With the dimensions before `dim` taken as rows, each
// owns a strip of columns.
Tensor join(const char* op, std::span<const Tensor> tensors, int dim, const Shape& shape) {
    Tensor y = empty(shape);
    const Index rows = shape.slice(0, dim).numel();
    const Index width = shape.slice(dim, shape.rank()).numel();  // of a row of y
    std::vector<Shape> shapes;
    Index column = 0;
    for (const Tensor& t : tensors) {
        const Index w = t.shape().slice(dim, t.rank()).numel();
        kernels::copy_strided({rows, w}, t.data(), {w, 1}, y.mutable_data() + column, {width, 1});
        column += w;
        shapes.push_back(t.shape());
    }
    return record({op, 0}, y, tensors,
                  [rows, width, dim, shapes](const Tensor& dy, std::span<Grad> d) {
                      Index start = 0;
                      for (std::size_t i = 0; i < shapes.size(); ++i) {
                          Grad& dx = d[i];
                          Tensor grad = empty(shapes[i]);
                          const Index w = shapes[i].slice(dim, shapes[i].rank()).numel();
                          kernels::copy_strided({rows, w}, dy.data() + start, {width, 1},
                                                grad.mutable_data(), {w, 1});
                          dx.add(grad);
                          start += w;
                      }
                  });
}

// `dim` as the place of a new dimension in `shape`: a number in [0, rank].
int new_dim(const char* op, const Shape& shape, int dim) {
    const int rank = shape.rank();
    check(rank < Shape::kMaxRank, op, ": shape ", shape, " has no room for another dimension, ",
          Shape::kMaxRank, " are the most");
    check(dim >= -rank - 1 && dim <= rank, op, ": expected a place from ", -rank - 1, " to ", rank,
          " for the new dimension of shape ", shape, ", got ", dim);
    return dim < 0 ? dim + rank + 1 : dim;
}

// `shape` with a new dimension before its dimension `dim`.
Shape insert(const Shape& shape, int dim, Index size) {
    return shape.slice(0, dim).concat({size}).concat(shape.slice(dim, shape.rank()));
}

// `size` in pieces of `piece` and, last, the rest; at least one piece.
std::vector<Index> pieces_of(Index size, Index piece) {
    std::vector<Index> pieces;
    for (; size > piece; size -= piece) pieces.push_back(piece);
    pieces.push_back(size);
    return pieces;
}

}  // namespace

Tensor reshape(Tensor x, std::span<const Index> sizes) {
    return reshape_to_sizes(x, sizes, "reshape");
}
Tensor reshape(Tensor x, std::initializer_list<Index> sizes) {
    return reshape(std::move(x), std::span(sizes.begin(), sizes.size()));
}
Tensor reshape(Tensor x, const Shape& shape) { return reshape(std::move(x), shape.dims()); }

Tensor view(Tensor x, std::span<const Index> sizes) { return reshape_to_sizes(x, sizes, "view"); }
Tensor view(Tensor x, std::initializer_list<Index> sizes) {
    return view(std::move(x), std::span(sizes.begin(), sizes.size()));
}
Tensor view(Tensor x, const Shape& shape) { return view(std::move(x), shape.dims()); }

Tensor flatten(Tensor x, Only<int> start_dim, Only<int> end_dim) {
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

Tensor squeeze(Tensor x) {
    std::vector<Index> sizes;
    std::ranges::copy_if(x.shape().dims(), std::back_inserter(sizes),
                         [](Index size) { return size != 1; });
    return reshape_to(x, Shape(sizes), "squeeze");
}

Tensor squeeze(Tensor x, Only<int> dim) {
    const Shape from = at_least_1d(x.shape());
    dim = from.normalize(dim, "squeeze");
    return reshape_to(x, from[dim] == 1 ? from.without(dim) : from, "squeeze");
}

Tensor unsqueeze(Tensor x, Only<int> dim) {
    dim = new_dim("unsqueeze", x.shape(), dim);
    return reshape_to(x, insert(x.shape(), dim, 1), "unsqueeze");
}

Tensor transpose(const Tensor& x, Only<int> dim0, Only<int> dim1) {
    const Shape from = at_least_1d(x.shape());
    dim0 = from.normalize(dim0, "transpose");
    dim1 = from.normalize(dim1, "transpose");
    std::vector<int> order(static_cast<std::size_t>(x.rank()));
    std::iota(order.begin(), order.end(), 0);
    if (dim0 != dim1)
        std::swap(order[static_cast<std::size_t>(dim0)], order[static_cast<std::size_t>(dim1)]);
    return reorder("transpose", x, order);
}

Tensor permute(const Tensor& x, std::span<const int> dims) {
    check(std::ssize(dims) == x.rank(), "permute: expected the ", x.rank(), " dimensions of shape ",
          x.shape(), " in their new order, got ", dims.size(), " dimensions");
    std::vector<int> order;
    for (const int dim : dims) {
        const int d = x.shape().normalize(dim, "permute");
        check(std::ranges::find(order, d) == order.end(), "permute: dimension ", d,
              " comes twice; expected each dimension of shape ", x.shape(), " once");
        order.push_back(d);
    }
    return reorder("permute", x, order);
}

Tensor permute(const Tensor& x, std::initializer_list<Only<int>> dims) {
    return permute(x, std::vector<int>(dims.begin(), dims.end()));
}

Tensor slice(Tensor x, Only<Index> start, Only<Index> end, const SliceOptions& options) {
    const int dim = x.shape().normalize(options.dim, "slice");
    const Index size = x.shape()[dim];
    const Index first = start < 0 ? start + size : Index{start};
    const Index last = end < 0 ? end + size : Index{end};
    check(0 <= first && first <= last && last <= size, "slice: expected start <= end, both from ",
          -size, " to ", size, " (negative ones count from the end), along dimension ", dim,
          " of shape ", x.shape(), ", got ", start, " and ", end);
    check(options.step >= 1, "slice: expected a step of at least 1, got ", options.step);
    // All steps beyond the end take one element; a smaller one cannot overflow.
    const Index step = std::min(Index{options.step}, std::max(Index{2}, last - first));
    const Index count = (last - first + step - 1) / step;
    return take("slice", x, dim, first, step, count, x.shape().with(dim, count));
}

Tensor slice(Tensor x, Only<Index> start, const SliceOptions& options) {
    const Index end = x.shape()[x.shape().normalize(options.dim, "slice")];
    return slice(std::move(x), start, end, options);
}

Tensor select(Tensor x, Only<int> dim, Only<Index> index) {
    dim = x.shape().normalize(dim, "select");
    const Index size = x.shape()[dim];
    check(-size <= index && index < size, "select: index ", index, " is outside dimension ", dim,
          " of shape ", x.shape());
    return take("select", x, dim, index < 0 ? index + size : Index{index}, 1, 1,
                x.shape().without(dim));
}

Tensor Tensor::operator[](Only<Index> index) const& { return select(*this, 0, index); }
Tensor Tensor::operator[](Only<Index> index) && { return select(std::move(*this), 0, index); }

std::vector<Tensor> split(const Tensor& x, std::span<const Index> sizes, Only<int> dim) {
    dim = x.shape().normalize(dim, "split");
    const Index size = x.shape()[dim];
    Index start = 0;
    for (const Index s : sizes) {
        check(0 <= s && s <= size - start, "split: expected sizes of 0 or more that add up to ",
              size, ", the size of dimension ", dim, " of shape ", x.shape(), ", got ", s,
              " behind others of ", start, " in all");
        start += s;
    }
    check(start == size, "split: expected sizes that add up to ", size, ", the size of dimension ",
          dim, " of shape ", x.shape(), ", got ", start, " in all");
    std::vector<Tensor> parts;
    start = 0;
    for (const Index s : sizes) {
        parts.push_back(slice(x, start, start + s, {.dim = dim}));
        start += s;
    }
    return parts;
}

std::vector<Tensor> split(const Tensor& x, std::initializer_list<Only<Index>> sizes,
                          Only<int> dim) {
    return split(x, std::vector<Index>(sizes.begin(), sizes.end()), dim);
}

std::vector<Tensor> split(const Tensor& x, Only<Index> split_size, Only<int> dim) {
    dim = x.shape().normalize(dim, "split");
    const Index size = x.shape()[dim];
    check(split_size >= 1 || (split_size == 0 && size == 0),
          "split: expected a split_size of at least 1 for dimension ", dim, " of shape ", x.shape(),
          ", got ", split_size);
    return split(x, pieces_of(size, split_size), dim);
}

std::vector<Tensor> chunk(const Tensor& x, Only<Index> chunks, Only<int> dim) {
    dim = x.shape().normalize(dim, "chunk");
    check(chunks >= 1, "chunk: expected at least one chunk, got ", chunks);
    const Index size = x.shape()[dim];
    if (size == 0) return split(x, std::vector<Index>(static_cast<std::size_t>(chunks)), dim);
    return split(x, size / chunks + (size % chunks != 0 ? 1 : 0), dim);
}

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
    return join("concat", tensors, dim, first.with(dim, size));
}

Tensor concat(std::initializer_list<Tensor> tensors, Only<int> dim) {
    return concat(std::span(tensors.begin(), tensors.size()), dim);
}

Tensor stack(std::span<const Tensor> tensors, Only<int> dim) {
    check(!tensors.empty(), "stack: expected at least one tensor");
    const Shape& first = tensors[0].shape();
    dim = new_dim("stack", first, dim);
    for (const Tensor& t : tensors) {
        check(t.shape() == first, "stack: expected tensors of one shape, got ", first, " and ",
              t.shape());
    }
    return join("stack", tensors, dim, insert(first, dim, std::ssize(tensors)));
}

Tensor stack(std::initializer_list<Tensor> tensors, Only<int> dim) {
    return stack(std::span(tensors.begin(), tensors.size()), dim);
}

// The tape sums dy over the repetitions.
Tensor expand(const Tensor& x, std::span<const Index> sizes) {
    std::vector<Index> dims(sizes.begin(), sizes.end());
    const Index in_front = std::ssize(sizes) - x.rank();
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const auto d = static_cast<int>(static_cast<Index>(i) - in_front);
        check(dims[i] >= 0 || (dims[i] == -1 && d >= 0),
              "expand: expected sizes of 0 or more, or -1 to keep a size of x ", x.shape(),
              ", got ", dims[i], " at place ", i);
        if (dims[i] == -1) dims[i] = x.shape()[d];
    }
    const Shape shape(dims);
    check(broadcast(x.shape(), shape, "expand") == shape, "expand: shape ", x.shape(),
          " does not broadcast to ", shape);
    Tensor y = empty_copy("expand", shape);
    kernels::expand(x.shape(), x.data(), shape, y.mutable_data());
    return record({"expand", 0}, y, {x}, [](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(dy);
    });
}

Tensor expand(const Tensor& x, std::initializer_list<Only<Index>> sizes) {
    return expand(x, std::vector<Index>(sizes.begin(), sizes.end()));
}
Tensor expand(const Tensor& x, const Shape& shape) { return expand(x, shape.dims()); }

}  // namespace primer
// SPDX-License-Identifier: MIT

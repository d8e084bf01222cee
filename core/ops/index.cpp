#include "../error.h"
#include "../kernels/gather.h"
#include "../ops.h"
#include "../tape.h"

// Rows picked by number. What is picked several times gets the sum of the gradients.

namespace primer {
namespace {

void check_indices(const char* op, const IntTensor& index, int dim, const Shape& from) {
    const Index size = from[dim];
    for (std::size_t i = 0; i < index.values.size(); ++i) {
        const Index value = index.values[i];
        if (value >= 0 && value < size) continue;
        fail(op, ": index ", value, ", at position ", i, " of the indices ", index.shape,
             index.shape.rank() > 1 ? " flattened" : "", ", is outside dimension ", dim,
             " of shape ", from, value < 0 ? "; indices count from 0" : "");
    }
}

// y[o, j, :] = x[o, index[j], :], so dx[o, r, :] is the sum of dy[o, j, :] over index[j] = r; but
// 0 for r = `constant`, if that is not -1.
Tensor pick(const char* op, const Tensor& x, const kernels::Axis& axis, const IntTensor& index,
            const Shape& shape, Index constant) {
    Tensor y = empty(shape);
    kernels::gather(axis, index.values, x.data(), y.mutable_data());
    return record({op, 0}, y, {x},
                  [axis, from = x.shape(), index = SavedList(index.values), constant](
                      const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = empty(from);
                      kernels::scatter_sum(axis, *index, dy.data(), grad.mutable_data());
                      if (constant >= 0) grad[constant].fill_(0);
                      dx.add(grad);
                  });
}

}  // namespace

Tensor index_select(const Tensor& x, Only<int> dim, const IntTensor& index) {
    index.check_whole("index_select");
    const Shape from = at_least_1d(x.shape());
    dim = from.normalize(dim, "index_select");
    check(index.shape.rank() <= 1, "index_select: expected indices [n], got ", index.shape);
    const Index count = std::ssize(index.values);
    check(x.rank() > 0 || count == 1, "index_select: expected one index for a scalar, got ", count);
    check_indices("index_select", index, dim, from);
    return pick("index_select", x, kernels::Axis(from, dim), index,
                x.rank() > 0 ? from.with(dim, count) : x.shape(), -1);
}

Tensor embedding(const IntTensor& indices, const Tensor& weight, const EmbeddingOptions& options) {
    indices.check_whole("embedding");
    check(weight.rank() == 2, "embedding: expected a weight [rows, columns], got ", weight.shape());
    const Index rows = weight.shape()[0];
    const Index padding = options.padding_idx ? Index{*options.padding_idx} : 0;
    check(!options.padding_idx || (-rows <= padding && padding < rows),
          "embedding: expected a padding_idx from ", -rows, " to ", rows - 1, " for the weight ",
          weight.shape(), ", got ", padding);
    check_indices("embedding", indices, 0, weight.shape());
    const Index constant = !options.padding_idx ? -1 : padding < 0 ? padding + rows : padding;
    return pick("embedding", weight, kernels::Axis(weight.shape(), 0), indices,
                indices.shape.concat({weight.shape()[1]}), constant);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

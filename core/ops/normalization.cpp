#include <vector>

#include "../error.h"
#include "../internal.h"
#include "../kernels/rownorm.h"
#include "../ops.h"
#include "../options.h"
#include "../tape.h"
#include "gradients.h"

namespace primer {
namespace {

// For the n values x_i of one row, with mean u, variance v and r = 1 / sqrt(v + eps):
//
//     z_i = (x_i - u) r,  y_i = w_i z_i + b_i
//
// where w_i and b_i are the weight and the bias of value i. Several values have the same weight: in
// layer_norm those in the same place of each row, in group_norm those of a channel. Hence dweight
// is the sum of dy_i z_i, and dbias the sum of dy_i, over all values that have it.
//
// x_j acts on all the z_i of its row, through u and v. As derived above batch_norm,
//
//     dz_i/dx_j = r ([i = j] - 1/n - z_i z_j / n).
//
// With g_i = dy_i w_i, the gradient of z_i, that is
//
//     dx_j = sum_i g_i dz_i/dx_j = r (g_j - sum_i g_i / n - z_j sum_i g_i z_i / n).
Tensor row_norm(const Op& op, const kernels::RowNormSizes& sizes, const Tensor& x,
                const Tensor& weight, const Tensor& bias, double eps) {
    check_not_negative(eps, op.name, "eps");
    Tensor y = empty(x.shape());
    std::vector<kernels::Moments> moments(static_cast<std::size_t>(sizes.rows()));
    kernels::row_norm(sizes,
                      {.eps = eps,
                       .weight = internal::data_or_null(weight),
                       .bias = internal::data_or_null(bias)},
                      x.data(), moments.data(), y.mutable_data());
    const bool needs_w = weight.defined() && x.requires_grad();
    const Shape learnt = weight.defined() ? weight.shape()
                         : bias.defined() ? bias.shape()
                                          : Shape();
    return record(op, y, {x, weight, bias},
                  [sizes, eps, learnt, moments = SavedList(moments), x = Saved(x),
                   w = Saved(weight, needs_w)](const Tensor& dy, std::span<Grad> d) {
                      const auto compute = [&](Real* dx, Real* dw, Real* db) {
                          kernels::row_norm_backward(
                              sizes, {.eps = eps, .weight = internal::data_or_null(w)},
                              {.x = x->data(), .dy = dy.data(), .moments = moments->data()}, dx, dw,
                              db);
                      };
                      internal::add_gradients(d, {dy.shape(), learnt, learnt}, compute);
                  });
}

// Multiply-adds as torchinfo counts them: see Op.
Index cost(Index examples, const Tensor& weight, const Tensor& bias) {
    return examples *
           ((weight.defined() ? weight.numel() : 0) + (bias.defined() ? bias.numel() : 0));
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                  const Tensor& bias, const LayerNormOptions& options) {
    const Shape& shape = x.shape();
    const int outer = shape.rank() - normalized_shape.rank();
    check(normalized_shape.rank() >= 1,
          "layer_norm: expected a normalized_shape of at least one dimension, got []");
    check(outer >= 0 && shape.slice(outer, shape.rank()) == normalized_shape,
          "layer_norm: expected an x whose last dimensions are normalized_shape ", normalized_shape,
          ", got x ", shape);
    for (const Tensor& learnt : {weight, bias}) {
        check(!learnt.defined() || learnt.shape() == normalized_shape,
              "layer_norm: expected weight and bias of shape ", normalized_shape,
              ", the normalized_shape, got ", learnt.defined() ? learnt.shape() : Shape());
    }
    const Index examples = outer > 0 ? shape[0] : 1;
    const kernels::RowNormSizes sizes{shape.slice(0, outer).numel(), 1, normalized_shape.numel(),
                                      1};
    return row_norm({"layer_norm", cost(examples, weight, bias), weight.defined() ? 2 : 1}, sizes,
                    x, weight, bias, options.eps);
}

Tensor group_norm(const Tensor& x, Only<Index> num_groups, const Tensor& weight, const Tensor& bias,
                  const GroupNormOptions& options) {
    const Shape& shape = x.shape();
    check(x.rank() >= 2, "group_norm: expected x [N, C] or [N, C, ...], got ", shape);
    check(num_groups >= 1 && shape[1] % num_groups == 0,
          "group_norm: expected a number of groups that divides the channels of x ", shape,
          ", got ", num_groups);
    for (const Tensor& learnt : {weight, bias}) {
        check(!learnt.defined() || learnt.shape() == Shape{shape[1]},
              "group_norm: expected x [N, C, ...] and a weight and a bias [C], got x ", shape,
              " and ", learnt.defined() ? learnt.shape() : Shape());
    }
    const kernels::RowNormSizes sizes{shape[0], num_groups, shape[1] / num_groups,
                                      shape.slice(2, x.rank()).numel()};
    check(sizes.batch * sizes.row() != 1, "group_norm: x ", shape, " has 1 value for each of ",
          num_groups, " groups, which is its mean: the result would be 0; use fewer groups");
    return row_norm({"group_norm", cost(shape[0], weight, bias), weight.defined() ? 2 : 1}, sizes,
                    x, weight, bias, options.eps);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

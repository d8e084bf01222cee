#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "support.h"

// What the tests of batch_norm, layer_norm and group_norm share.

namespace primer {

/// An op with all options but its tensors fixed: op(x, weight, bias).
using Normalization = std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)>;

/// Checks the gradients of all inputs together, without those that may be undefined, and each of
/// weight and bias alone.
inline void check_norm_gradients(const Normalization& op, const Tensor& x, const Tensor& w,
                                 const Tensor& b) {
    using Tensors = std::vector<Tensor>;
    check_gradients([&](const Tensors& in) { return op(in[0], in[1], in[2]); }, {x, w, b});
    check_gradients([&](const Tensors& in) { return op(in[0], in[1], {}); }, {x, w});
    check_gradients([&](const Tensors& in) { return op(in[0], {}, in[1]); }, {x, b});
    check_gradients([&](const Tensors& in) { return op(in[0], {}, {}); }, {x});
    check_gradients([&](const Tensors& in) { return op(x, in[0], b); }, {w});
    check_gradients([&](const Tensors& in) { return op(x, w, in[0]); }, {b});
}

/// For an x without values: checks the shapes, and that the gradients of weight and bias, of shape
/// `learnt`, are 0.
inline void check_norm_without_values(const Normalization& op, const Shape& shape,
                                      const Shape& learnt) {
    CAPTURE(shape);
    Tape tape;
    const Tensor x = zeros(shape).requires_grad_();
    const Tensor w = ones(learnt).requires_grad_(), b = ones(learnt).requires_grad_();
    const Tensor y = op(x, w, b);
    CHECK(y.shape() == shape);
    tape.backward(sum(y));
    CHECK(x.grad().shape() == shape);
    for (const Tensor& grad : {w.grad(), b.grad()}) {
        CHECK(grad.shape() == learnt);
        CHECK(std::ranges::all_of(grad.values(), [](Real v) { return v == 0; }));
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT

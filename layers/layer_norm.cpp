#include "layer_norm.h"

#include "../core/error.h"
#include "../core/ops.h"
#include "affine.h"
#include "python_text.h"

namespace primer {

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormLayerOptions& options)
    : normalized_shape_(normalized_shape), eps_(options.eps) {
    check(normalized_shape.rank() >= 1 && normalized_shape.numel() >= 1, "LayerNorm(",
          normalized_shape, "): expected at least one dimension, and each of size 1 or more");
    if (!options.elementwise_affine) return;
    weight = Parameter(ones(normalized_shape));
    if (options.bias) bias = Parameter(zeros(normalized_shape));
}

Tensor LayerNorm::forward(const Tensor& x) {
    return layer_norm(x, normalized_shape_, weight, bias, {.eps = eps_});
}

void LayerNorm::visit(Visitor& visitor) { visit_affine(visitor, weight, bias); }

void LayerNorm::reset_parameters(Rng&) { reset_affine(weight, bias); }

std::string LayerNorm::describe() const {
    return "LayerNorm(" + python_tuple(normalized_shape_.dims()) + ", eps=" + python_float(eps_) +
           ", elementwise_affine=" + python_bool(weight.defined()) +
           ", bias=" + python_bool(bias.defined()) + ")";
}

}  // namespace primer
// SPDX-License-Identifier: MIT

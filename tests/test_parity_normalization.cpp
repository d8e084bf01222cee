// layer_norm and group_norm, and their layers; the cases are in
// tests/parity/cases/normalization.py.

#include <string>
#include <vector>

#include <primer/core/ops.h>
#include <primer/layers/group_norm.h>
#include <primer/layers/layer_norm.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

Tensor or_undefined(const In& in, const char* name) {
    return in.tensors.contains(name) ? in[name] : Tensor();
}

// Puts the weights of a case in place of a layer's own.
template <class Layer>
Tensor call(Layer&& layer, const In& in) {
    if (layer.weight.defined()) layer.weight = Parameter(in["weight"]);
    if (layer.bias.defined()) layer.bias = Parameter(in["bias"]);
    return layer(in["x"]);
}

// The op, and the layer where it has these options.
void add_layer_norm(std::vector<ParityCase>& all, const std::string& name, int dims,
                    const LayerNormLayerOptions& options = {}, bool has_layer = true) {
    const auto shape = [dims](const In& in) {
        const Shape& x = in["x"].shape();
        return x.slice(x.rank() - dims, x.rank());
    };
    all.push_back({"layer_norm: " + name, [=](const In& in) {
                       return layer_norm(in["x"], shape(in), or_undefined(in, "weight"),
                                         or_undefined(in, "bias"), {.eps = options.eps});
                   }});
    if (!has_layer) return;
    all.push_back({"layer_norm: " + name,
                   [=](const In& in) { return call(LayerNorm(shape(in), options), in); }});
}

void add_group_norm(std::vector<ParityCase>& all, const std::string& name, Index groups,
                    const GroupNormLayerOptions& options = {}) {
    all.push_back({"group_norm: " + name, [=](const In& in) {
                       return group_norm(in["x"], groups, or_undefined(in, "weight"),
                                         or_undefined(in, "bias"), {.eps = options.eps});
                   }});
    all.push_back({"group_norm: " + name, [=](const In& in) {
                       return call(GroupNorm(groups, in["x"].shape()[1], options), in);
                   }});
}

TEST_CASE("parity: layer and group normalisation") {
    std::vector<ParityCase> all;
    add_layer_norm(all, "rows", 1);
    add_layer_norm(all, "rows longer than a vector", 1);
    add_layer_norm(all, "sequences", 1);
    add_layer_norm(all, "two dimensions", 2);
    add_layer_norm(all, "one example", 2);
    add_layer_norm(all, "no rows", 1);
    add_layer_norm(all, "no values", 1, {}, false);
    add_layer_norm(all, "eps", 1, {.eps = 0.5});
    add_layer_norm(all, "without bias", 1, {.bias = false});
    add_layer_norm(all, "without weight and bias", 1, {.elementwise_affine = false});
    add_layer_norm(all, "a bias alone", 1, {}, false);
    add_layer_norm(all, "far from 0", 1);

    add_group_norm(all, "images", 3);
    add_group_norm(all, "one group", 1);
    add_group_norm(all, "a group a channel", 3);
    add_group_norm(all, "sequences", 2);
    add_group_norm(all, "rows", 2);
    add_group_norm(all, "one row", 2);
    add_group_norm(all, "no images", 2);
    add_group_norm(all, "eps", 2, {.eps = 0.5});
    add_group_norm(all, "without bias", 2, {.bias = false});
    add_group_norm(all, "without weight and bias", 2, {.affine = false});
    check_parity("normalization", all);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

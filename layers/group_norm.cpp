#include "group_norm.h"

#include "../core/error.h"
#include "../core/ops.h"
#include "affine.h"
#include "python_text.h"

namespace primer {

GroupNorm::GroupNorm(Only<Index> num_groups, Only<Index> num_channels,
                     const GroupNormLayerOptions& options)
    : num_groups_(num_groups), num_channels_(num_channels), eps_(options.eps) {
    check(num_groups >= 1 && num_channels >= 1 && num_channels % num_groups == 0, "GroupNorm(",
          num_groups, ", ", num_channels,
          "): expected at least one channel, and a number of groups that divides the channels");
    if (!options.affine) return;
    weight = Parameter(ones({num_channels}));
    if (options.bias) bias = Parameter(zeros({num_channels}));
}

Tensor GroupNorm::forward(const Tensor& x) {
    return group_norm(x, num_groups_, weight, bias, {.eps = eps_});
}

void GroupNorm::visit(Visitor& visitor) { visit_affine(visitor, weight, bias); }

void GroupNorm::reset_parameters(Rng&) { reset_affine(weight, bias); }

std::string GroupNorm::describe() const {
    return "GroupNorm(" + std::to_string(num_groups_) + ", " + std::to_string(num_channels_) +
           ", eps=" + python_float(eps_) + ", affine=" + python_bool(weight.defined()) +
           ", bias=" + python_bool(bias.defined()) + ")";
}

}  // namespace primer
// SPDX-License-Identifier: MIT

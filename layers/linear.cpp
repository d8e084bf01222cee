#include "linear.h"

#include "../core/error.h"
#include "../core/init.h"
#include "../core/ops.h"
#include "fusion.h"
#include "python_text.h"

namespace primer {

Linear::Linear(Only<Index> in_features, Only<Index> out_features, const LinearOptions& options,
               Rng& rng) {
    check(in_features >= 1 && out_features >= 1, "Linear(", in_features, " -> ", out_features,
          "): expected at least one feature on either side");
    weight = Parameter(kaiming_normal_(empty({out_features, in_features}), {}, rng));
    if (options.bias) bias = Parameter(full({out_features}, static_cast<Real>(options.bias_value)));
}

Tensor Linear::forward(const Tensor& x) {
    if (const auto y = Fusion::run_alone(*this, x)) return *y;
    return linear(x, weight, bias);
}

void Linear::visit(Visitor& visitor) {
    visitor("weight", weight);
    if (bias.defined()) visitor("bias", bias);
}

void Linear::reset_parameters(Rng& rng) { uniform_by_fan_in_(weight, bias, rng); }

std::string Linear::describe() const {
    return "Linear(in_features=" + std::to_string(weight.shape()[1]) +
           ", out_features=" + std::to_string(weight.shape()[0]) +
           ", bias=" + python_bool(bias.defined()) + ")";
}

}  // namespace primer
// SPDX-License-Identifier: MIT

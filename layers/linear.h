#pragma once

#include <concepts>

#include "../core/rng.h"
#include "module.h"

namespace primer {

/// The options of Linear.
struct LinearOptions {
    bool bias = true;  ///< if false, y = x W^T
    /// Initial value; slightly above 0, every ReLU after the layer starts alive.
    Only<double> bias_value = 0;
};

/// y = x W^T + b: x [*, in_features] -> [*, out_features]; * is any number of dimensions.
class Linear : public Module {
  public:
    /// The weight starts He normal, with variance 2 / in_features, the bias at bias_value. Throws
    /// Error for fewer than one feature on either side.
    Linear(Only<Index> in_features, Only<Index> out_features, const LinearOptions& options = {},
           Rng& rng = default_rng());
    /// With the default options.
    Linear(Only<Index> in_features, Only<Index> out_features, Rng& rng)
        : Linear(in_features, out_features, LinearOptions(), rng) {}
    Linear(Only<Index>, Only<Index>, std::same_as<bool> auto) = delete;  // {.bias = false}

    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    Parameter weight;  ///< [out_features, in_features]
    Parameter bias;    ///< [out_features]; undefined without a bias
};

}  // namespace primer
// SPDX-License-Identifier: MIT

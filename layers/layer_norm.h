#pragma once

#include <initializer_list>

#include "module.h"

namespace primer {

/// The options of LayerNorm.
struct LayerNormLayerOptions {
    Only<double> eps = 1e-5;         ///< added to the variance, so that a constant row gives 0
    bool elementwise_affine = true;  ///< learn a weight and a bias for each value of an example
    bool bias = true;                ///< if false, only the weight
};

/// layer_norm over the last dimensions of x [*, normalized_shape]. For the formula see ops.h.
///
///     LayerNorm(512)          // x [N, 512] or [N, length, 512]
///     LayerNorm({16, 8, 8})
class LayerNorm : public Module {
  public:
    /// Throws Error for no dimensions and a size below 1.
    explicit LayerNorm(const Shape& normalized_shape, const LayerNormLayerOptions& options = {});
    explicit LayerNorm(Only<Index> size, const LayerNormLayerOptions& options = {})
        : LayerNorm(Shape{size}, options) {}
    explicit LayerNorm(std::initializer_list<Only<Index>> normalized_shape,
                       const LayerNormLayerOptions& options = {})
        : LayerNorm(Shape(normalized_shape), options) {}
    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    Parameter weight;  ///< [normalized_shape], initially 1; undefined without elementwise_affine
    Parameter bias;    ///< [normalized_shape], initially 0; undefined without either option

  private:
    Shape normalized_shape_;
    double eps_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

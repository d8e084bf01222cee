#pragma once

#include <string>

#include "../core/ops.h"
#include "module.h"

namespace primer {

/// The part that Conv2d and ConvTranspose2d share: all but the forward and the initial weight.
class ConvLayer : public Module {
  public:
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    /// [out_channels, in_channels / groups, kernel height, kernel width]; in ConvTranspose2d
    /// [in_channels, out_channels / groups, kernel height, kernel width].
    Parameter weight;
    Parameter bias;  ///< [out_channels]; undefined without a bias

  protected:
    /// What the layer is made with.
    struct Setup {
        const char* type;       ///< "Conv2d"
        Index in_channels;      ///< of x
        Index out_channels;     ///< of y
        Size2 kernel_size;      ///< its height and width
        Conv2dOptions options;  ///< of the op
        Size2 output_padding;   ///< of ConvTranspose2d
        bool bias;              ///< whether there is one
        double bias_value;      ///< initially
    };

    /// Leaves the weight undefined. Throws Error unless the weight would have elements, and for
    /// groups that do not divide both channel counts. The ops check the other options.
    explicit ConvLayer(const Setup& setup);
    const Setup& setup() const { return setup_; }

  private:
    Setup setup_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include "module.h"

namespace primer {

/// The options of GroupNorm.
struct GroupNormLayerOptions {
    Only<double> eps = 1e-5;  ///< added to the variance, so that a constant group gives 0
    bool affine = true;       ///< learn a weight and a bias for each channel
    bool bias = true;         ///< if false, only the weight
};

/// group_norm of x [N, num_channels, ...]. For the formula see ops.h.
class GroupNorm : public Module {
  public:
    /// Throws Error for fewer than one group or channel, and for a number of groups that does not
    /// divide num_channels.
    GroupNorm(Only<Index> num_groups, Only<Index> num_channels,
              const GroupNormLayerOptions& options = {});
    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    Parameter weight;  ///< [num_channels], initially 1; undefined without affine
    Parameter bias;    ///< [num_channels], initially 0; undefined without either option

  private:
    Index num_groups_, num_channels_;
    double eps_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

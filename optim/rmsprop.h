#pragma once

#include <utility>

#include "optimizer.h"

namespace primer {

/// The options of RMSprop.
struct RMSpropOptions {
    Only<double> lr = 1e-2;         ///< the learning rate
    Only<double> alpha = 0.99;      ///< the share of the mean square that is kept
    Only<double> eps = 1e-8;        ///< added to the root, so that nothing is divided by 0
    Only<double> weight_decay = 0;  ///< adds weight_decay w to the gradient, that of |w|^2 / 2
    Only<double> momentum = 0;      ///< the share of the velocity that is kept
    bool centered = false;          ///< divide by the standard deviation of the gradient instead
    bool maximize = false;          ///< go up the gradient instead of down
};

/// Divides the gradient by the root of a running mean of its square. For a weight w with gradient
/// g:
///
///     g = g + weight_decay w                     (maximize: -g + ...)
///     s = alpha s + (1 - alpha) g^2
///     m = alpha m + (1 - alpha) g                (centered only)
///     d = g / (sqrt(s) + eps)                    (centered: sqrt(s - m^2))
///     w = w - lr d                               (momentum: w - lr v, v = momentum v + d)
///
/// Tieleman and Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012; centered:
/// Graves, "Generating Sequences With Recurrent Neural Networks", 2013, equations 38 to 41; eps is
/// outside the root, as in PyTorch.
class RMSprop : public GroupedOptimizer<RMSpropOptions> {
  public:
    /// RMSprop(model.parameters(), {.lr = 1e-3, .momentum = 0.9}).
    /// Throws Error for a negative lr, eps, weight_decay or momentum, for an alpha outside [0, 1],
    /// and for no parameters or the same one twice.
    explicit RMSprop(std::vector<Parameter> parameters, const RMSpropOptions& options = {});
    /// RMSprop(model.parameters(), 1e-2), with the other options as they are.
    RMSprop(std::vector<Parameter> parameters, Number auto lr)
        : RMSprop(std::move(parameters), RMSpropOptions{.lr = lr}) {}
    explicit RMSprop(std::vector<Group> groups);

  private:
    void update(std::size_t i, const Parameter& parameter, const RMSpropOptions& options) override;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

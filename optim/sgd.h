#pragma once

#include <utility>

#include "optimizer.h"

namespace primer {

/// The options of SGD.
struct SGDOptions {
    Only<double> lr = 1e-3;         ///< the learning rate
    Only<double> momentum = 0;      ///< the share of the velocity that is kept; 0.9 is usual
    Only<double> dampening = 0;     ///< the share of the gradient that the velocity leaves out
    Only<double> weight_decay = 0;  ///< adds weight_decay w to the gradient, that of |w|^2 / 2
    bool nesterov = false;          ///< look one step ahead; needs momentum, without dampening
    bool maximize = false;          ///< go up the gradient instead of down
};

/// Stochastic gradient descent, with momentum as in PyTorch. For a weight w with gradient g:
///
///     g = g + weight_decay w         (maximize: -g + ...)
///     v = momentum v + (1 - dampening) g,  but v = g in its first step
///     w = w - lr v                   (nesterov: w - lr (g + momentum v); no momentum: w - lr g)
///
/// Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013:
/// equations 1 and 2 for momentum, 3 and 4 for nesterov, where w is theta + mu v, the point ahead
/// at which they take the gradient. Their v contains lr, which makes no difference until lr
/// changes.
class SGD : public GroupedOptimizer<SGDOptions> {
  public:
    /// SGD(model.parameters(), {.lr = 0.1, .momentum = 0.9}).
    /// Throws Error for a negative lr, momentum or weight_decay, for nesterov without momentum or
    /// with dampening, and for no parameters or the same one twice.
    explicit SGD(std::vector<Parameter> parameters, const SGDOptions& options = {});
    /// SGD(model.parameters(), 0.1), with the other options as they are.
    SGD(std::vector<Parameter> parameters, Number auto lr)
        : SGD(std::move(parameters), SGDOptions{.lr = lr}) {}
    /// SGD({{.parameters = body.parameters(), .options = {.lr = 0.01}},
    ///      {.parameters = head.parameters(), .options = {.lr = 0.1}}}).
    explicit SGD(std::vector<Group> groups);

  private:
    void update(std::size_t i, const Parameter& parameter, const SGDOptions& options) override;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

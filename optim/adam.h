#pragma once

#include <array>
#include <utility>

#include "optimizer.h"

namespace primer {

/// The shares of the mean and of the square that are kept. A class, so that neither can be left
/// out; with an array, {0.9} would mean {0.9, 0}.
class Betas {
  public:
    /// Betas(0.9, 0.999), usually written {0.9, 0.999}.
    constexpr Betas(Only<double> mean, Only<double> square) : values_{mean, square} {}
    /// [0] is the share of the mean, [1] that of the square.
    double& operator[](std::size_t i) { return values_.at(i); }
    double operator[](std::size_t i) const { return values_.at(i); }
    bool operator==(const Betas&) const = default;

  private:
    std::array<double, 2> values_;
};

/// The options of Adam.
struct AdamOptions {
    Only<double> lr = 1e-3;         ///< the learning rate
    Betas betas = {0.9, 0.999};     ///< the shares of the mean and of the square that are kept
    Only<double> eps = 1e-8;        ///< added to the root, so that nothing is divided by 0
    Only<double> weight_decay = 0;  ///< adds weight_decay w to the gradient, that of |w|^2 / 2
    bool amsgrad = false;   ///< divide by the largest square so far, so that steps never grow again
    bool maximize = false;  ///< go up the gradient instead of down
};

/// Divides a running mean of the gradient by the root of a running mean of its square, so each
/// weight moves by about lr per step, however large its gradients are. For a weight w with gradient
/// g, in its step t = 1, 2, ...:
///
///     g = g + weight_decay w                       (maximize: -g + ...)
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2                (amsgrad: below, the largest v so far)
///     w = w - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
///
/// m and v begin at 0; the divisors 1 - beta^t correct for that. Kingma and Ba, "Adam: A Method for
/// Stochastic Optimization", 2015, algorithm 1. amsgrad: Reddi, Kale and Kumar, "On the Convergence
/// of Adam and Beyond", 2018, algorithm 2, with these corrections, as in PyTorch.
class Adam : public GroupedOptimizer<AdamOptions> {
  public:
    /// Adam(model.parameters(), {.lr = 3e-4}).
    /// Throws Error for a negative lr, eps or weight_decay, for betas outside [0, 1), and for no
    /// parameters or the same one twice.
    explicit Adam(std::vector<Parameter> parameters, const AdamOptions& options = {});
    /// Adam(model.parameters(), 1e-3), with the other options as they are.
    Adam(std::vector<Parameter> parameters, Number auto lr)
        : Adam(std::move(parameters), AdamOptions{.lr = lr}) {}
    explicit Adam(std::vector<Group> groups);

  protected:
    /// Whether weight_decay adds to the gradient or shrinks the weight.
    enum class Decay { in_gradient, apart };
    /// Called by AdamW, whose decay is separate from the gradient.
    Adam(std::vector<Group> groups, Decay decay);

  private:
    void update(std::size_t i, const Parameter& parameter, const AdamOptions& options) override;

    Decay decay_;
};

/// The options of AdamW.
struct AdamWOptions {
    Only<double> lr = 1e-3;            ///< the learning rate
    Betas betas = {0.9, 0.999};        ///< the shares of the mean and of the square that are kept
    Only<double> eps = 1e-8;           ///< added to the root, so that nothing is divided by 0
    Only<double> weight_decay = 1e-2;  ///< each step leaves 1 - lr weight_decay of w
    bool amsgrad = false;              ///< as in AdamOptions
    bool maximize = false;             ///< as in AdamOptions
};

/// Adam with the decay separate from the gradient: every weight decays by the same factor, also
/// weights with large gradients.
///
///     w = (1 - lr weight_decay) w, then Adam's step without weight_decay.
///
/// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2, which does
/// not multiply the decay by lr; here, as in PyTorch, lr multiplies it.
class AdamW : public Adam {
  public:
    /// Parameters that share their options.
    struct Group {
        std::vector<Parameter> parameters;  ///< of the group
        AdamWOptions options = {};          ///< for all of them
    };

    /// AdamW(model.parameters(), {.lr = 3e-4, .weight_decay = 0.1}). Throws Error as Adam does.
    explicit AdamW(std::vector<Parameter> parameters, const AdamWOptions& options = {});
    /// AdamW(model.parameters(), 1e-3), with the other options as they are.
    AdamW(std::vector<Parameter> parameters, Number auto lr)
        : AdamW(std::move(parameters), AdamWOptions{.lr = lr}) {}
    explicit AdamW(const std::vector<Group>& groups);
};

}  // namespace primer
// SPDX-License-Identifier: MIT

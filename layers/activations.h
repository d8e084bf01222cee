#pragma once

#include "../core/ops.h"
#include "../core/rng.h"
#include "module.h"

// The activations as layers, for Sequential. All but Maxout and GLU map a tensor of any shape to
// one of the same shape; the formulas are in core/ops.h. Each describes itself as PyTorch's does.
// For options out of range the op throws Error when the layer is called.

namespace primer {

/// Base class of the activations that work element by element.
class Activation : public Module {
  public:
    bool is_activation() const override { return true; }
};

/// The options of ReLU.
struct ReLUOptions {
    /// Whether to write the output over the input. During the call that saves the memory of one of
    /// them, which lowers the peak of an evaluation after its largest layer. It does not lower the
    /// peak of a training step that is reached in the backward, as most are, because the forward
    /// keeps only the output in either case, and the backward needs as much for its gradients. Use
    /// it after a layer whose backward does not need its own output; as the first layer it
    /// overwrites the caller's x.
    bool inplace = false;
};

/// max(x, 0).
class ReLU : public Activation {
  public:
    /// ReLU(), or ReLU({.inplace = true}).
    explicit ReLU(const ReLUOptions& options = {}) : options_(options) {}
    /// As in PyTorch: ReLU(true).
    explicit ReLU(Only<bool> inplace) : ReLU(ReLUOptions{.inplace = inplace}) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    ReLUOptions options_;
};

/// The options of LeakyReLU.
struct LeakyReLUOptions {
    Only<double> negative_slope = 0.01;  ///< the slope below 0
    bool inplace = false;                ///< as in ReLUOptions; needs negative_slope >= 0
};

/// x where x > 0, else negative_slope x.
class LeakyReLU : public Activation {
  public:
    /// The op checks the options.
    explicit LeakyReLU(const LeakyReLUOptions& options) : options_(options) {}
    explicit LeakyReLU(Only<double> negative_slope = 0.01, Only<bool> inplace = false)
        : LeakyReLU(LeakyReLUOptions{.negative_slope = negative_slope, .inplace = inplace}) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    LeakyReLUOptions options_;
};

/// LeakyReLU whose slope is learnt: one for all of x or, with num_parameters = C, one for each
/// channel of x [N, C, ...]. An optimizer's weight_decay leaves it alone, because it would pull the
/// layer towards ReLU, but a slope of 0 is no simpler than another.
class PReLU : public Activation {
  public:
    /// Throws Error for fewer than one parameter.
    explicit PReLU(Only<Index> num_parameters = 1, Only<double> init = 0.25);
    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override { visitor("weight", weight); }
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    Parameter weight;  ///< [num_parameters], initially `init`

  private:
    double init_;
};

/// min(max(x, 0), 6).
class ReLU6 : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "ReLU6()"; }
};

/// min(max(x, min_val), max_val).
class Hardtanh : public Activation {
  public:
    /// Throws Error unless min_val < max_val.
    explicit Hardtanh(const HardtanhOptions& options = {});
    Hardtanh(Only<double> min_val, Only<double> max_val)
        : Hardtanh(HardtanhOptions{.min_val = min_val, .max_val = max_val}) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    HardtanhOptions options_;
};

/// x where x > 0, else alpha (e^x - 1).
class ELU : public Activation {
  public:
    /// The op checks alpha.
    explicit ELU(Only<double> alpha = 1) : alpha_(alpha) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    double alpha_;
};

/// x where x > 0, else alpha (e^(x / alpha) - 1).
class CELU : public Activation {
  public:
    /// The op checks alpha.
    explicit CELU(Only<double> alpha = 1) : alpha_(alpha) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    double alpha_;
};

/// ELU with the constants that keep mean 0 and variance 1: for weights of mean 0 and variance
/// 1 / fan_in, kaiming_normal_ with Nonlinearity::linear.
class SELU : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "SELU()"; }
};

/// x times the share of a normal variable's values that are below x.
class GELU : public Activation {
  public:
    /// GELU(), or GELU(Approximation::tanh).
    explicit GELU(Approximation approximate = Approximation::none) : approximate_(approximate) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    Approximation approximate_;
};

/// x sigmoid(x), also known as Swish.
class SiLU : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "SiLU()"; }
};

/// x tanh(ln(1 + e^x)).
class Mish : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "Mish()"; }
};

/// 1 / (1 + e^-x).
class Sigmoid : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "Sigmoid()"; }
};

/// ln(1 / (1 + e^-x)).
class LogSigmoid : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "LogSigmoid()"; }
};

/// (e^x - e^-x) / (e^x + e^-x).
class Tanh : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "Tanh()"; }
};

/// x / (1 + |x|).
class Softsign : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "Softsign()"; }
};

/// ln(1 + e^(beta x)) / beta, and x itself where beta x > threshold.
class Softplus : public Activation {
  public:
    /// The op checks the options.
    explicit Softplus(const SoftplusOptions& options = {}) : options_(options) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    SoftplusOptions options_;
};

/// min(max(x + 3, 0), 6) / 6.
class Hardsigmoid : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "Hardsigmoid()"; }
};

/// x min(max(x + 3, 0), 6) / 6.
class Hardswish : public Activation {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "Hardswish()"; }
};

/// exp(x_i) / sum_j exp(x_j) along dimension dim. Do not put it before cross_entropy, which takes
/// logits.
class Softmax : public Module {
  public:
    /// `dim` may be negative: -1 is the last.
    explicit Softmax(Only<int> dim) : dim_(dim) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    int dim_;
};

/// ln softmax(x) along dimension dim: the input of nll_loss.
class LogSoftmax : public Module {
  public:
    /// `dim` may be negative: -1 is the last.
    explicit LogSoftmax(Only<int> dim) : dim_(dim) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    int dim_;
};

/// a sigmoid(b), where a and b are the two halves of x along dimension dim: half the size there.
class GLU : public Module {
  public:
    /// `dim` may be negative: -1 is the last.
    explicit GLU(Only<int> dim = -1) : dim_(dim) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    int dim_;
};

/// y_o = max over j < pieces of (W x + b)_(o * pieces + j): the largest of `pieces` linear maps,
/// for each output. x [N, in_features] -> [N, out_features]. With enough pieces it can be any
/// convex function of x (Goodfellow et al., "Maxout Networks", 2013), so it needs no activation
/// after it.
class Maxout : public Module {
  public:
    /// The weight starts normal, with variance 1 / in_features: with two pieces, the outputs then
    /// have the mean square of the inputs. The bias starts at 0. Throws Error unless both numbers
    /// of features and pieces are at least 1.
    Maxout(Only<Index> in_features, Only<Index> out_features, Only<Index> pieces,
           Rng& rng = default_rng());
    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    Parameter weight;  ///< [out_features * pieces, in_features]
    Parameter bias;    ///< [out_features * pieces]

  private:
    Index pieces_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "activations.h"

#include "../core/error.h"
#include "../core/init.h"
#include "python_text.h"

namespace primer {

Tensor ReLU::forward(const Tensor& x) { return options_.inplace ? relu_(x) : relu(x); }

std::string ReLU::describe() const { return options_.inplace ? "ReLU(inplace=True)" : "ReLU()"; }

Tensor LeakyReLU::forward(const Tensor& x) {
    return options_.inplace ? leaky_relu_(x, options_.negative_slope)
                            : leaky_relu(x, options_.negative_slope);
}

std::string LeakyReLU::describe() const {
    return "LeakyReLU(negative_slope=" + python_float(options_.negative_slope) +
           (options_.inplace ? ", inplace=True)" : ")");
}

PReLU::PReLU(Only<Index> num_parameters, Only<double> init) : init_(init) {
    check(num_parameters >= 1, "PReLU(", num_parameters, "): expected at least one parameter");
    weight = Parameter(full({num_parameters}, init_));
    weight.weight_decay = false;
}

Tensor PReLU::forward(const Tensor& x) { return prelu(x, weight); }

void PReLU::reset_parameters(Rng&) { constant_(weight, init_); }

std::string PReLU::describe() const {
    return "PReLU(num_parameters=" + std::to_string(weight.numel()) + ")";
}

Tensor ReLU6::forward(const Tensor& x) { return relu6(x); }

Hardtanh::Hardtanh(const HardtanhOptions& options) : options_(options) {
    check(options.min_val < options.max_val, "Hardtanh: expected min_val < max_val, got ",
          options.min_val, " and ", options.max_val);
}

Tensor Hardtanh::forward(const Tensor& x) { return hardtanh(x, options_); }

std::string Hardtanh::describe() const {
    return "Hardtanh(min_val=" + python_float(options_.min_val) +
           ", max_val=" + python_float(options_.max_val) + ")";
}

Tensor ELU::forward(const Tensor& x) { return elu(x, alpha_); }

std::string ELU::describe() const { return "ELU(alpha=" + python_float(alpha_) + ")"; }

Tensor CELU::forward(const Tensor& x) { return celu(x, alpha_); }

std::string CELU::describe() const { return "CELU(alpha=" + python_float(alpha_) + ")"; }

Tensor SELU::forward(const Tensor& x) { return selu(x); }

Tensor GELU::forward(const Tensor& x) { return gelu(x, approximate_); }

std::string GELU::describe() const {
    return approximate_ == Approximation::none ? "GELU(approximate='none')"
                                               : "GELU(approximate='tanh')";
}

Tensor SiLU::forward(const Tensor& x) { return silu(x); }

Tensor Mish::forward(const Tensor& x) { return mish(x); }

Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }

Tensor LogSigmoid::forward(const Tensor& x) { return logsigmoid(x); }

Tensor Tanh::forward(const Tensor& x) { return tanh(x); }

Tensor Softsign::forward(const Tensor& x) { return softsign(x); }

Tensor Softplus::forward(const Tensor& x) { return softplus(x, options_); }

std::string Softplus::describe() const {
    return "Softplus(beta=" + python_float(options_.beta) +
           ", threshold=" + python_float(options_.threshold) + ")";
}

Tensor Hardsigmoid::forward(const Tensor& x) { return hardsigmoid(x); }

Tensor Hardswish::forward(const Tensor& x) { return hardswish(x); }

Tensor Softmax::forward(const Tensor& x) { return softmax(x, dim_); }

std::string Softmax::describe() const { return "Softmax(dim=" + std::to_string(dim_) + ")"; }

Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, dim_); }

std::string LogSoftmax::describe() const { return "LogSoftmax(dim=" + std::to_string(dim_) + ")"; }

Tensor GLU::forward(const Tensor& x) { return glu(x, dim_); }

std::string GLU::describe() const { return "GLU(dim=" + std::to_string(dim_) + ")"; }

Maxout::Maxout(Only<Index> in_features, Only<Index> out_features, Only<Index> pieces, Rng& rng)
    : pieces_(pieces) {
    check(in_features >= 1 && out_features >= 1 && pieces >= 1, "Maxout(", in_features, " -> ",
          out_features, ", ", pieces,
          " pieces): expected at least one feature on either side, and one piece");
    const Index rows = Shape{out_features, pieces}.numel();  // throws if that would overflow
    weight = Parameter(
        kaiming_normal_(empty({rows, in_features}), {.nonlinearity = Nonlinearity::linear}, rng));
    bias = Parameter(zeros({rows}));
}

Tensor Maxout::forward(const Tensor& x) {
    // linear takes more dimensions, but maxout would treat the second as the features.
    check(x.rank() == 2, "expected x [N, ", weight.shape()[1], "], got ", x.shape(),
          x.rank() > 2 ? "; did you forget Flatten?" : "");
    return maxout(linear(x, weight, bias), pieces_);
}

void Maxout::visit(Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
}

// Those of the Linear that it is made of.
void Maxout::reset_parameters(Rng& rng) { uniform_by_fan_in_(weight, bias, rng); }

std::string Maxout::describe() const {
    return "Maxout(in_features=" + std::to_string(weight.shape()[1]) +
           ", out_features=" + std::to_string(weight.shape()[0] / pieces_) +
           ", pieces=" + std::to_string(pieces_) + ")";
}

}  // namespace primer
// SPDX-License-Identifier: MIT

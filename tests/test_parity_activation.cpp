// The activations compared with PyTorch's; the inputs are in tests/parity/cases/activation.py.

#include <primer/core/ops.h>
#include <primer/layers/activations.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: activation") {
    const auto leaky = [](double slope) {
        return [=](const In& in) { return leaky_relu(in["x"], slope); };
    };
    // Over a copy of x, because a leaf must not be overwritten; the result must use x's memory.
    const auto in_place = [](auto f) {
        return [f](const In& in) {
            const Tensor x = in["x"] * 1;
            const Tensor y = f(x);
            CHECK(y.data() == x.data());
            return y;
        };
    };
    const auto prelu_ = [](const In& in) { return prelu(in["x"], in["weight"]); };
    const auto elu_ = [](double alpha) {
        return [=](const In& in) { return elu(in["x"], alpha); };
    };
    const auto gelu_ = [](Approximation approximate) {
        return [=](const In& in) { return gelu(in["x"], approximate); };
    };
    const auto softplus_ = [](const SoftplusOptions& options) {
        return [=](const In& in) { return softplus(in["x"], options); };
    };
    const auto maxout_ = [](Index pieces) {
        return [=](const In& in) { return maxout(in["x"], pieces); };
    };
    const auto celu_ = [](double alpha) {
        return [=](const In& in) { return celu(in["x"], alpha); };
    };
    const auto hardtanh_ = [](const HardtanhOptions& options) {
        return [=](const In& in) { return hardtanh(in["x"], options); };
    };
    const auto glu_ = [](int dim) { return [=](const In& in) { return glu(in["x"], dim); }; };
    const auto layer = [](auto make) { return [make](const In& in) { return make()(in["x"]); }; };
    const auto prelu_layer = [](const In& in) {
        PReLU prelu(in["weight"].numel());
        prelu.weight = Parameter(in["weight"]);
        return prelu(in["x"]);
    };
    const auto maxout_layer = [](const In& in) {
        Rng rng(0);
        Maxout maxout(4, 2, 3, rng);
        maxout.weight = Parameter(in["weight"]);
        maxout.bias = Parameter(in["bias"]);
        return maxout(in["x"]);
    };
    check_parity("activation",
                 {
                     {"relu", [](const In& in) { return relu(in["x"]); }},
                     {"relu", in_place([](const Tensor& x) { return relu_(x); })},
                     {"relu", layer([] { return ReLU(); })},
                     {"relu", in_place([](const Tensor& x) { return ReLU({.inplace = true})(x); })},
                     {"leaky_relu", [](const In& in) { return leaky_relu(in["x"]); }},
                     {"leaky_relu", in_place([](const Tensor& x) { return leaky_relu_(x); })},
                     {"leaky_relu", layer([] { return LeakyReLU(); })},
                     {"leaky_relu: slope 0.25", leaky(0.25)},
                     {"leaky_relu: slope 0.25", layer([] { return LeakyReLU(0.25); })},
                     {"leaky_relu: slope 0.25",
                      in_place([](const Tensor& x) { return leaky_relu_(x, 0.25); })},
                     {"leaky_relu: slope 0.25", in_place([](const Tensor& x) {
                          return LeakyReLU({.negative_slope = 0.25, .inplace = true})(x);
                      })},
                     {"leaky_relu: slope -0.5", leaky(-0.5)},
                     {"prelu: one slope", prelu_},
                     {"prelu: one slope", prelu_layer},
                     {"prelu: a slope for each channel", prelu_},
                     {"prelu: a slope for each channel", prelu_layer},
                     {"prelu: a slope for each feature", prelu_},
                     {"elu", [](const In& in) { return elu(in["x"]); }},
                     {"elu: alpha 0.5", elu_(0.5)},
                     {"elu: alpha 0.5", layer([] { return ELU(0.5); })},
                     {"elu: alpha 0", elu_(0)},
                     {"celu", celu_(1)},
                     {"celu", layer([] { return CELU(); })},
                     {"celu: alpha 0.5", celu_(0.5)},
                     {"celu: alpha 0.5", layer([] { return CELU(0.5); })},
                     {"relu6", [](const In& in) { return relu6(in["x"]); }},
                     {"relu6", layer([] { return ReLU6(); })},
                     {"hardtanh", hardtanh_({})},
                     {"hardtanh", layer([] { return Hardtanh(); })},
                     {"hardtanh: -3 to 0.5", hardtanh_({.min_val = -3, .max_val = 0.5})},
                     {"hardtanh: -3 to 0.5",
                      layer([] { return Hardtanh({.min_val = -3, .max_val = 0.5}); })},
                     {"hardsigmoid", [](const In& in) { return hardsigmoid(in["x"]); }},
                     {"hardsigmoid", layer([] { return Hardsigmoid(); })},
                     {"mish", [](const In& in) { return mish(in["x"]); }},
                     {"mish: around 0", layer([] { return Mish(); })},
                     {"logsigmoid", [](const In& in) { return logsigmoid(in["x"]); }},
                     {"logsigmoid", layer([] { return LogSigmoid(); })},
                     {"softsign", [](const In& in) { return softsign(in["x"]); }},
                     {"softsign", layer([] { return Softsign(); })},
                     {"glu", glu_(-1)},
                     {"glu", layer([] { return GLU(); })},
                     {"glu: rows", glu_(0)},
                     {"glu: images", glu_(1)},
                     {"glu: images", layer([] { return GLU(1); })},
                     {"selu", [](const In& in) { return selu(in["x"]); }},
                     {"selu", layer([] { return SELU(); })},
                     {"gelu", [](const In& in) { return gelu(in["x"]); }},
                     {"gelu: around 0", gelu_(Approximation::none)},
                     {"gelu: around 0", layer([] { return GELU(); })},
                     {"gelu: tanh", gelu_(Approximation::tanh)},
                     {"gelu: tanh, around 0", gelu_(Approximation::tanh)},
                     {"gelu: tanh, around 0", layer([] { return GELU(Approximation::tanh); })},
                     {"silu", [](const In& in) { return silu(in["x"]); }},
                     {"silu", layer([] { return SiLU(); })},
                     {"sigmoid", [](const In& in) { return sigmoid(in["x"]); }},
                     {"sigmoid", layer([] { return Sigmoid(); })},
                     {"tanh", [](const In& in) { return tanh(in["x"]); }},
                     {"tanh", layer([] { return Tanh(); })},
                     {"softplus", softplus_({})},
                     {"softplus: beta 2", softplus_({.beta = 2})},
                     {"softplus: beta 2", layer([] { return Softplus({.beta = 2}); })},
                     {"softplus: threshold 1", softplus_({.threshold = 1})},
                     {"hardswish", [](const In& in) { return hardswish(in["x"]); }},
                     {"hardswish", layer([] { return Hardswish(); })},
                     {"maxout: rows", maxout_(2)},
                     {"maxout: several largest", maxout_(4)},
                     {"maxout: images", maxout_(3)},
                     {"maxout: of linear maps", maxout_layer},
                     {"softmax: dim 0", [](const In& in) { return softmax(in["x"], 0); }},
                     {"softmax: dim 1", [](const In& in) { return softmax(in["x"], 1); }},
                     {"softmax: dim -1", [](const In& in) { return softmax(in["x"], -1); }},
                     {"softmax: large", [](const In& in) { return softmax(in["x"], 1); }},
                     {"softmax: one class", [](const In& in) { return softmax(in["x"], 1); }},
                     {"log_softmax: dim 0", [](const In& in) { return log_softmax(in["x"], 0); }},
                     {"log_softmax: dim 1", [](const In& in) { return log_softmax(in["x"], 1); }},
                     {"log_softmax: dim -1", [](const In& in) { return log_softmax(in["x"], -1); }},
                     {"log_softmax: large", [](const In& in) { return log_softmax(in["x"], 1); }},
                     {"softmax, as a layer", layer([] { return Softmax(1); })},
                     {"log_softmax, as a layer", layer([] { return LogSoftmax(1); })},
                 });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/layers/activations.h>

#include <memory>
#include <vector>

#include <primer/core/tape.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

TEST_CASE("ReLU layer: forward by hand") {
    ReLU relu;
    check_values(relu(tensor({-2, -0.5, 0, 0.5, 2, -1e30}, {2, 3})), {2, 3}, {0, 0, 0, 0.5, 2, 0});
    check_values(relu(Tensor(-1)), {}, {0});
    check_values(relu(tensor({NAN, INFINITY, -INFINITY})), {3}, {NAN, INFINITY, 0});
}

TEST_CASE("ReLU layer: gradients") {
    ReLU relu;
    check_gradients([&](const std::vector<Tensor>& in) { return relu(in[0]); },
                    {tensor({-2, -0.5, 0.25, 0.5, 2, -1}, {3, 2})});
}

TEST_CASE("ReLU layer: no parameters, and its description") {
    ReLU relu;
    CHECK(relu.parameters().empty());
    CHECK(relu.describe() == "ReLU()");
    check_error([&] { relu(Tensor()); }, {"this tensor is undefined"});
}

// The numbers are those of the ops, worked out in test_activation_ops.cpp.
TEST_CASE("activation layers: each computes its own function, with its own options") {
    const double ln2 = std::log(2.0), ln3 = std::log(3.0);
    const Tensor x = tensor({-1, 2});
    check_values(LeakyReLU()(x), {2}, {-0.01, 2});
    check_values(LeakyReLU(0.25)(x), {2}, {-0.25, 2});
    check_values(ELU()(tensor({-ln2, 2})), {2}, {-0.5, 2});
    check_values(ELU(0.5)(tensor({-ln2, 2})), {2}, {-0.25, 2});
    check_values(SELU()(tensor({-ln2, 3})), {2}, {-0.8790496704236883, 3.1521029620664414});
    check_values(GELU()(x), {2}, {-0.15865525393145707, 1.9544997361036416});
    check_values(GELU(Approximation::tanh)(x), {2}, {-0.1588080094, 1.9545976941},
                 1e-8 + kTolerance);
    check_values(SiLU()(tensor({ln3})), {1}, {ln3 * 3 / 4});
    check_values(Sigmoid()(tensor({ln3})), {1}, {0.75});
    check_values(Tanh()(tensor({ln3})), {1}, {0.8});
    check_values(Softplus()(tensor({ln3, 30})), {2}, {2 * ln2, 30});
    check_values(Softplus({.beta = 2, .threshold = 3})(tensor({ln3 / 2, 1.6})), {2}, {ln2, 1.6});
    check_values(ReLU6()(tensor({-1, 5, 7})), {3}, {0, 5, 6});
    check_values(Hardtanh()(tensor({-2, 0.5, 2})), {3}, {-1, 0.5, 1});
    check_values(Hardtanh({.min_val = -3, .max_val = 0.25})(tensor({-4, -2, 2})), {3},
                 {-3, -2, 0.25});
    check_values(CELU()(tensor({-ln2, 2})), {2}, {-0.5, 2});
    check_values(CELU(2)(tensor({-2 * ln2, 2})), {2}, {-1, 2});
    check_values(Mish()(tensor({ln2})), {1}, {ln2 * 0.8});
    check_values(LogSigmoid()(tensor({-ln3})), {1}, {-2 * ln2});
    check_values(Softsign()(tensor({-3, 1})), {2}, {-0.75, 0.5});
    check_values(Hardsigmoid()(tensor({-4, -1, 1, 4})), {4}, {0, 1.0 / 3, 2.0 / 3, 1});
    check_values(GLU()(tensor({8, 4, ln3, 0}, {1, 4})), {1, 2}, {6, 2});
    check_values(GLU(0)(tensor({8, 4, ln3, 0}, {2, 2})), {1, 2}, {6, 2});
    check_values(Hardswish()(tensor({-4, -1, 1, 4})), {4}, {0, -1.0 / 3, 2.0 / 3, 4});
    // Columns 1 : 2 and 3 : 1, rows 1 : 3 and 2 : 1.
    const Tensor m = tensor({0, ln3, ln2, 0}, {2, 2});
    check_values(Softmax(0)(m), {2, 2}, {1.0 / 3, 0.75, 2.0 / 3, 0.25});
    check_values(Softmax(-1)(m), {2, 2}, {0.25, 0.75, 2.0 / 3, 1.0 / 3});
    check_values(LogSoftmax(1)(m), {2, 2}, {-2 * ln2, ln3 - 2 * ln2, ln2 - ln3, -ln3});
}

std::vector<std::unique_ptr<Module>> one_of_each() {
    std::vector<std::unique_ptr<Module>> layers;
    layers.push_back(std::make_unique<LeakyReLU>(0.2));
    layers.push_back(std::make_unique<PReLU>());
    layers.push_back(std::make_unique<PReLU>(3));
    layers.push_back(std::make_unique<ELU>(0.7));
    layers.push_back(std::make_unique<SELU>());
    layers.push_back(std::make_unique<GELU>());
    layers.push_back(std::make_unique<GELU>(Approximation::tanh));
    layers.push_back(std::make_unique<SiLU>());
    layers.push_back(std::make_unique<Sigmoid>());
    layers.push_back(std::make_unique<Tanh>());
    layers.push_back(std::make_unique<Softplus>(SoftplusOptions{.beta = 1.5}));
    layers.push_back(std::make_unique<ReLU6>());
    layers.push_back(std::make_unique<Hardtanh>(HardtanhOptions{.min_val = -1.5}));
    layers.push_back(std::make_unique<CELU>(0.7));
    layers.push_back(std::make_unique<Mish>());
    layers.push_back(std::make_unique<LogSigmoid>());
    layers.push_back(std::make_unique<Softsign>());
    layers.push_back(std::make_unique<Hardsigmoid>());
    layers.push_back(std::make_unique<GLU>(0));
    layers.push_back(std::make_unique<Hardswish>());
    layers.push_back(std::make_unique<Softmax>(1));
    layers.push_back(std::make_unique<LogSoftmax>(0));
    return layers;
}

TEST_CASE("activation layers: gradients, of their parameters as well") {
    for (const auto& layer : one_of_each()) {
        CAPTURE(layer->describe());
        Inputs inputs{tensor({-2, -0.5, 0.25, 0.5, 2, -1}, {2, 3})};
        for (const Parameter& parameter : layer->parameters()) inputs.push_back(parameter);
        check_gradients([&](const Inputs& in) { return (*layer)(in[0]); }, inputs);
    }
}

TEST_CASE("activation layers: which of them have parameters, and work element by element") {
    for (const auto& layer : one_of_each()) {
        const std::string text = layer->describe();
        CAPTURE(text);
        CHECK(layer->named_parameters().size() == (text.starts_with("PReLU") ? 1 : 0));
        const bool along_a_line =
            text.find("Softmax") != std::string::npos || text.starts_with("GLU");
        CHECK((dynamic_cast<Activation*>(layer.get()) != nullptr) == !along_a_line);
        check_error([&] { (*layer)(Tensor()); }, {"undefined"});
    }
}

TEST_CASE("activation layers: describe themselves as PyTorch's do") {
    CHECK(LeakyReLU().describe() == "LeakyReLU(negative_slope=0.01)");
    CHECK(LeakyReLU(0.2).describe() == "LeakyReLU(negative_slope=0.2)");
    CHECK(LeakyReLU(0).describe() == "LeakyReLU(negative_slope=0.0)");
    CHECK(LeakyReLU(-1).describe() == "LeakyReLU(negative_slope=-1.0)");
    CHECK(LeakyReLU(1e-5).describe() == "LeakyReLU(negative_slope=1e-05)");
    CHECK(PReLU().describe() == "PReLU(num_parameters=1)");
    CHECK(PReLU(64).describe() == "PReLU(num_parameters=64)");
    CHECK(ELU().describe() == "ELU(alpha=1.0)");
    CHECK(ELU(0.0001).describe() == "ELU(alpha=0.0001)");
    CHECK(ELU(1e16).describe() == "ELU(alpha=1e+16)");
    CHECK(ELU(123456789).describe() == "ELU(alpha=123456789.0)");
    CHECK(SELU().describe() == "SELU()");
    CHECK(GELU().describe() == "GELU(approximate='none')");
    CHECK(GELU(Approximation::tanh).describe() == "GELU(approximate='tanh')");
    CHECK(SiLU().describe() == "SiLU()");
    CHECK(Sigmoid().describe() == "Sigmoid()");
    CHECK(Tanh().describe() == "Tanh()");
    CHECK(Softplus().describe() == "Softplus(beta=1.0, threshold=20.0)");
    CHECK(Softplus({.beta = 0.5, .threshold = 1e5}).describe() ==
          "Softplus(beta=0.5, threshold=100000.0)");
    CHECK(ReLU6().describe() == "ReLU6()");
    CHECK(Hardtanh().describe() == "Hardtanh(min_val=-1.0, max_val=1.0)");
    CHECK(Hardtanh({.min_val = -2, .max_val = 0.5}).describe() ==
          "Hardtanh(min_val=-2.0, max_val=0.5)");
    CHECK(CELU().describe() == "CELU(alpha=1.0)");
    CHECK(CELU(0.25).describe() == "CELU(alpha=0.25)");
    CHECK(Mish().describe() == "Mish()");
    CHECK(LogSigmoid().describe() == "LogSigmoid()");
    CHECK(Softsign().describe() == "Softsign()");
    CHECK(Hardsigmoid().describe() == "Hardsigmoid()");
    CHECK(GLU().describe() == "GLU(dim=-1)");
    CHECK(GLU(1).describe() == "GLU(dim=1)");
    CHECK(Hardswish().describe() == "Hardswish()");
    CHECK(Softmax(1).describe() == "Softmax(dim=1)");
    CHECK(Softmax(-1).describe() == "Softmax(dim=-1)");
    CHECK(LogSoftmax(1).describe() == "LogSoftmax(dim=1)");
    // PyTorch has no Maxout.
    Rng rng(1);
    CHECK(Maxout(4, 3, 2, rng).describe() == "Maxout(in_features=4, out_features=3, pieces=2)");
}

TEST_CASE("PReLU: learns its slopes, which weight decay leaves alone") {
    PReLU one, many(3, -0.5);
    check_values(one.weight, {1}, {0.25});
    check_values(many.weight, {3}, {-0.5, -0.5, -0.5});
    CHECK(many.named_parameters().front().first == "weight");
    CHECK(one.weight.requires_grad());
    CHECK_FALSE(one.weight.weight_decay);
    CHECK_FALSE(many.parameters().front().weight_decay);

    check_values(one(tensor({-2, 2})), {2}, {-0.5, 2});
    many.weight.copy_(tensor({0.5, 0.25, -1}));
    const Tensor x = tensor({-2, -2, -2, 2, 2, 2}, {2, 3});
    Tape tape;
    const Tensor y = many(x);
    check_values(y, {2, 3}, {-1, -0.5, 2, 2, 2, 2});
    tape.backward(sum(mul(y, tensor({1, 2, 3, 4, 5, 6}, {2, 3}))));
    check_values(many.weight.grad(), {3}, {-2, -4, -6});
}

TEST_CASE("Maxout: forward by hand") {
    Rng rng(2);
    Maxout layer(2, 3, 2, rng);
    CHECK(layer.weight.shape() == Shape{6, 2});
    // Two maps for each output: x0, x1; x0 + x1, 1; -x0, -x1.
    layer.weight.copy_(tensor({1, 0, 0, 1, 1, 1, 0, 0, -1, 0, 0, -1}, {6, 2}));
    check_values(layer.bias, {6}, {0, 0, 0, 0, 0, 0});
    layer.bias.copy_(tensor({0, 0, 0, 1, 0, 0}));
    check_values(layer(tensor({3, -5, 1, 2}, {2, 2})), {2, 3}, {3, 1, 5, 2, 3, -1});
}

TEST_CASE("Maxout: gradients") {
    Rng rng(3);
    Maxout layer(4, 3, 3, rng);
    Inputs inputs{randn({5, 4}, rng)};
    for (const Parameter& parameter : layer.parameters()) inputs.push_back(parameter);
    CHECK(inputs.size() == 3);
    check_gradients([&](const Inputs& in) { return layer(in[0]); }, inputs);
}

TEST_CASE("Maxout: parameters, and their initial values") {
    Rng rng(4);
    Maxout layer(200, 250, 2, rng);
    const auto named = layer.named_parameters();
    REQUIRE(named.size() == 2);
    CHECK(named[0].first == "weight");
    CHECK(named[1].first == "bias");
    CHECK(named[0].second.shape() == Shape{500, 200});
    CHECK(named[1].second.shape() == Shape{500});
    // The mean square of 10^5 weights is within 4 sqrt(2 / 10^5) = 1.8 % of the variance.
    const auto mean_square = [](const Tensor& t) { return double{mean(mul(t, t)).item()}; };
    CHECK(mean_square(layer.weight) == doctest::Approx(1.0 / 200).epsilon(0.018));
    // The larger of two numbers with a symmetric distribution has their mean square.
    CHECK(mean_square(layer(randn({400, 200}, rng))) == doctest::Approx(1).epsilon(0.05));

    Rng again(4);
    const Tensor weight = Maxout(200, 250, 2, again).weight;
    CHECK(std::ranges::equal(weight.values(), layer.weight.values()));
}

TEST_CASE("activation layers: in a model") {
    Rng rng(5);
    Sequential model(Maxout(3, 4, 2, rng), PReLU(4), GELU(), LogSoftmax(1));
    CHECK(model(randn({2, 3}, rng)).shape() == Shape{2, 4});
    std::vector<std::string> names;
    for (const auto& [name, parameter] : model.named_parameters()) names.push_back(name);
    CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "1.weight"});
}

TEST_CASE("activation layers: bad options and shapes") {
    const Tensor x = zeros({2});
    check_error([&] { ELU(-1)(x); }, {"ELU: elu: expected alpha >= 0, got -1"});
    check_error([&] { Softplus({.beta = 0})(x); },
                {"Softplus: softplus: expected beta > 0, got 0"});
    check_error([&] { Softplus({.beta = NAN})(x); },
                {"Softplus: softplus: expected beta > 0, got nan"});
    check_error([&] { CELU(0)(x); }, {"CELU: celu: expected alpha > 0, got 0"});
    check_error([&] { CELU(-1)(x); }, {"CELU: celu: expected alpha > 0, got -1"});
    check_error([&] { CELU{INFINITY}(x); }, {"CELU: celu: expected alpha to be finite", "got inf"});
    check_error([] { Hardtanh({.min_val = 1}); },
                {"Hardtanh: expected min_val < max_val, got 1 and 1"});
    check_error([] { Hardtanh({.max_val = NAN}); }, {"Hardtanh: expected min_val < max_val"});
    check_error(
        [] {
            GLU()(zeros({2, 3}));
        },
        {"GLU: glu: expected an even size along dimension 1, for two halves; got x [2, 3]"});
    check_error([&] { ELU{INFINITY}(x); }, {"ELU: elu: expected alpha to be finite", "got inf"});
    check_error([&] { Softplus({.beta = INFINITY})(x); },
                {"Softplus: softplus: expected beta to be finite"});
    check_error([] { PReLU(0); }, {"PReLU(0): expected at least one parameter"});
    check_error([] { PReLU(-1); }, {"PReLU(-1): expected at least one parameter"});
    PReLU prelu(4);
    check_error(
        [&] {
            prelu(zeros({2, 3, 4}));
        },
        {"PReLU: prelu: expected one slope", "got a weight [4] for x [2, 3, 4]"});
    check_error([&] { prelu(zeros({4})); }, {"PReLU: prelu: ", "got a weight [4] for x [4]"});
    check_error(
        [] {
            Softmax(2)(zeros({2, 3}));
        },
        {"Softmax: softmax: expected a dimension from -2 to 1 for the shape [2, 3], got 2"});
    check_error([] { LogSoftmax(-3)(zeros({2, 3})); }, {"LogSoftmax: log_softmax: ", "got -3"});

    Rng rng(6);
    check_error([&] { Maxout(3, (Index{1} << 62) + 1, 4, rng); },  // 4 of them would be 4
                {"Shape: [4611686018427387905, 4] has more elements than memory"});
    check_error([&] { Maxout(0, 3, 2, rng); },
                {"Maxout(0 -> 3, 2 pieces): expected at least one feature on either side, and one "
                 "piece"});
    check_error([&] { Maxout(4, 0, 2, rng); }, {"Maxout(4 -> 0, 2 pieces): expected"});
    check_error([&] { Maxout(4, 3, 0, rng); }, {"Maxout(4 -> 3, 0 pieces): expected"});
    Maxout maxout(4, 3, 2, rng);
    check_error(
        [&] {
            maxout(zeros({2, 3}));
        },
        {"Maxout: linear: expected x [*, 4] for the weight [6, 4], got [2, 3]"});
    check_error([&] { maxout(zeros({4})); }, {"Maxout: expected x [N, 4], got [4]"});
    check_error(
        [&] {
            maxout(zeros({2, 1, 2, 2}));
        },
        {"expected x [N, 4], got [2, 1, 2, 2]; did you forget Flatten?"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

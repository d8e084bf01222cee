#include <primer/layers/linear.h>

#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

TEST_CASE("linear layer: forward by hand") {
    Rng rng(1);
    Linear layer(3, 2, rng);
    layer.weight.copy_(tensor({1, 2, 3,  //
                               -1, 0, 0.5},
                              {2, 3}));
    layer.bias.copy_(tensor({10, 20}));
    const Tensor x = tensor({1, 1, 1,  //
                             2, 0, -4},
                            {2, 3});
    // 1 + 2 + 3 + 10, -1 + 0.5 + 20; 2 - 12 + 10, -2 - 2 + 20
    check_values(layer(x), {2, 2}, {16, 19.5, 0, 16});
    check_values(layer(tensor({1, 1, 1})), {2}, {16, 19.5});  // one example, without a batch
    CHECK(layer(zeros({4, 5, 3})).shape() == Shape{4, 5, 2});
    CHECK(layer(zeros({0, 3})).shape() == Shape{0, 2});
}

TEST_CASE("linear layer: without a bias") {
    Rng rng(1);
    Linear layer(2, 1, {.bias = false}, rng);
    CHECK_FALSE(layer.bias.defined());
    layer.weight.copy_(tensor({3, 4}, {1, 2}));
    check_values(layer(tensor({1, 2}, {1, 2})), {1, 1}, {11});
    const auto named = layer.named_parameters();
    REQUIRE(named.size() == 1);
    CHECK(named[0].first == "weight");
}

TEST_CASE("linear layer: the weight starts He normal, the bias at its value") {
    Rng rng(7), twin(7);
    Linear layer(8, 3, rng);
    CHECK(layer.weight.shape() == Shape{3, 8});
    CHECK(layer.weight.requires_grad());
    CHECK(layer.bias.requires_grad());
    for (Real w : layer.weight.values()) CHECK(w == twin.normal(0, Real(0.5)));  // sqrt(2 / 8)
    check_values(layer.bias, {3}, {0, 0, 0});
    CHECK(rng.state() == twin.state());  // the bias takes nothing from the generator

    check_values(Linear(4, 2, {.bias_value = 0.01}, rng).bias, {2}, {0.01, 0.01});
}

TEST_CASE("linear layer: gradients") {
    Rng rng(3);
    Linear with(4, 3, {.bias_value = 0.1}, rng);
    check_gradients([&](const std::vector<Tensor>& in) { return with(in[0]); },
                    {randn({5, 4}, rng), with.weight, with.bias});
    check_gradients([&](const std::vector<Tensor>& in) { return with(in[0]); },
                    {randn({2, 3, 4}, rng), with.weight, with.bias});
    Linear without(4, 3, {.bias = false}, rng);
    check_gradients([&](const std::vector<Tensor>& in) { return without(in[0]); },
                    {randn({5, 4}, rng), without.weight});
}

TEST_CASE("linear layer: bad shapes") {
    Rng rng(1);
    Linear layer(784, 256, rng);
    check_error(
        [&] {
            layer(zeros({64, 3, 32, 32}));
        },
        {"Linear: linear: expected x [*, 784] for the weight [256, 784], got [64, 3, 32, 32]; did "
         "you forget Flatten?"});
    check_error([&] { layer(Tensor(1)); },
                {"Linear: linear: expected x [*, 784] for the weight [256, 784], got []"});
    // With two dimensions there is nothing to flatten, so the message does not ask.
    std::string message;
    try {
        layer(zeros({64, 100}));
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK(message ==
          "Linear: linear: expected x [*, 784] for the weight [256, 784], got [64, 100]");
}

TEST_CASE("linear layer: bad sizes") {
    Rng rng(1);
    check_error([&] { Linear(0, 5, rng); },
                {"Linear(0 -> 5): expected at least one feature on either side"});
    check_error([&] { Linear(5, 0, rng); }, {"Linear(5 -> 0)"});
    check_error([&] { Linear(-3, 5, rng); }, {"Linear(-3 -> 5)"});
}

TEST_CASE("linear layer: description") {
    Rng rng(1);
    CHECK(Linear(784, 256, rng).describe() ==
          "Linear(in_features=784, out_features=256, bias=True)");
    CHECK(Linear(2, 1, {.bias = false}, rng).describe() ==
          "Linear(in_features=2, out_features=1, bias=False)");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

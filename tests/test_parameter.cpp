#include <primer/core/parameter.h>

#include <primer/layers/linear.h>
#include <primer/optim/adam.h>
#include <primer/optim/rmsprop.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

TEST_CASE("parameter: a leaf that asks for its gradient, and a handle") {
    const Tensor value = tensor({1, 2});
    const Parameter w(value);
    CHECK(w.requires_grad());
    CHECK(w.weight_decay);
    const Parameter copy = w;
    copy.fill_(3);
    check_values(w, {2}, {3, 3});
    CHECK_FALSE(Parameter().defined());
    CHECK_FALSE(Buffer(tensor({1})).requires_grad());
}

// With a gradient of 0, only the decay moves a weight.
TEST_CASE("parameter: no optimizer decays one that turns it off") {
    const auto after_a_step = [](bool weight_decay, auto make) {
        Parameter w(tensor({2}));
        w.weight_decay = weight_decay;
        auto optimizer = make(w);
        w.set_grad(tensor({0}));
        optimizer.step();
        return w;
    };
    const auto check_optimizer = [&](double decayed, auto make) {
        check_values(after_a_step(true, make), {1}, {decayed}, 1e-6);
        check_values(after_a_step(false, make), {1}, {2});
    };
    check_optimizer(1.5,
                    [](const Parameter& w) { return SGD({w}, {.lr = 0.5, .weight_decay = 0.5}); });
    // For these two the gradient's size does not matter: lr 1 = 0.5.
    check_optimizer(1.5,
                    [](const Parameter& w) { return Adam({w}, {.lr = 0.5, .weight_decay = 0.5}); });
    check_optimizer(
        1.5, [](const Parameter& w) { return AdamW({w}, {.lr = 0.5, .weight_decay = 0.5}); });
    check_optimizer(1.5, [](const Parameter& w) {
        return RMSprop({w}, {.lr = 0.5, .alpha = 0, .weight_decay = 0.5});
    });
}

TEST_CASE("parameter: a layer's setting reaches the optimizer") {
    Rng rng(1);
    Linear layer(2, 1, rng);
    layer.bias.weight_decay = false;
    const auto parameters = layer.parameters();
    REQUIRE(parameters.size() == 2);
    CHECK(parameters[0].weight_decay);
    CHECK_FALSE(parameters[1].weight_decay);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

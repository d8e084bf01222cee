#include <primer/optim/sgd.h>

#include <algorithm>
#include <vector>

#include "optimizers.h"

namespace primer {
namespace {

TEST_CASE("SGD: plain, by hand") {
    const Parameter w = parameter({1, -2});
    SGD optimizer({w}, {.lr = 0.5});
    step(optimizer, w, {2, 4});
    check_values(w, {2}, {0, -4});
    step(optimizer, w, {-1, 0});
    check_values(w, {2}, {0.5, -4});
    CHECK(optimizer.named_state().empty());  // without momentum there is no state
}

TEST_CASE("SGD: momentum, by hand") {
    const Parameter w = parameter({1});
    SGD optimizer({w}, {.lr = 0.5, .momentum = 0.5});
    step(optimizer, w, {4});  // v = 4
    check_values(w, {1}, {-1});
    step(optimizer, w, {2});  // v = 2 + 2
    check_values(w, {1}, {-3});
    step(optimizer, w, {0});  // v = 2 + 0
    check_values(w, {1}, {-4});
    const auto state = optimizer.named_state();
    REQUIRE(state.size() == 1);
    CHECK(state[0].first == "0.momentum_buffer");
    check_values(state[0].second, {1}, {2});
}

TEST_CASE("SGD: dampening spares the first gradient, by hand") {
    const Parameter w = parameter({0});
    SGD optimizer({w}, {.lr = 1, .momentum = 0.5, .dampening = 0.75});
    step(optimizer, w, {4});  // v = 4, all of it
    check_values(w, {1}, {-4});
    step(optimizer, w, {4});  // v = 2 + 1
    check_values(w, {1}, {-7});
    step(optimizer, w, {8});  // v = 1.5 + 2
    check_values(w, {1}, {-10.5});
}

TEST_CASE("SGD: nesterov, by hand") {
    const Parameter w = parameter({0});
    SGD optimizer({w}, {.lr = 1, .momentum = 0.5, .nesterov = true});
    step(optimizer, w, {4});  // v = 4; 4 + 2
    check_values(w, {1}, {-6});
    step(optimizer, w, {2});  // v = 2 + 2; 2 + 2
    check_values(w, {1}, {-10});
    step(optimizer, w, {-1});  // v = 2 - 1; -1 + 0.5
    check_values(w, {1}, {-9.5});
}

TEST_CASE("SGD: weight decay and maximize, by hand") {
    const Parameter down = parameter({8}), up = parameter({8});
    SGD falling({down}, {.lr = 0.5, .weight_decay = 0.25});
    SGD rising({up}, {.lr = 0.5, .weight_decay = 0.25, .maximize = true});
    step(falling, down, {2});  // 8 - (2 + 2) / 2
    check_values(down, {1}, {6});
    step(falling, down, {0.5});  // 6 - (0.5 + 1.5) / 2
    check_values(down, {1}, {5});
    step(rising, up, {2});  // 8 - (-2 + 2) / 2: the decay pulls to 0 either way
    check_values(up, {1}, {8});
    step(rising, up, {6});  // 8 - (-6 + 2) / 2
    check_values(up, {1}, {10});
}

// Every option and what they do together: the weights after each of three steps, from 1 and -2, as
// torch.optim.SGD of torch 2.13 computes them in float64.
TEST_CASE("SGD: as PyTorch") {
    const std::vector<OptimizerCase<SGDOptions>> cases{
        {{.lr = 0.1}, {0.95, -1.975, 0.9625, -2.075, 0.8875, -2.125}},
        {{.lr = 0.1, .maximize = true}, {1.05, -2.025, 1.0375, -1.925, 1.1125, -1.875}},
        {{.lr = 0.1, .weight_decay = 0.5}, {0.9, -1.875, 0.8675, -1.88125, 0.749125, -1.8371875}},
        {{.lr = 0.1, .weight_decay = 0.5, .maximize = true},
         {1, -1.925, 0.9375, -1.72875, 0.965625, -1.5923125}},
        {{.lr = 0.1, .momentum = 0.9}, {0.95, -1.975, 0.9175, -2.0525, 0.81325, -2.17225}},
        {{.lr = 0.1, .momentum = 0.9, .dampening = 0.5},
         {0.95, -1.975, 0.91125, -2.0025, 0.838875, -2.05225}},
        {{.lr = 0.1, .momentum = 0.9, .nesterov = true},
         {0.905, -1.9525, 0.88825, -2.12225, 0.719425, -2.280025}},
        {{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.5},
         {0.9, -1.875, 0.7775, -1.76875, 0.553375, -1.6346875}},
        {{.lr = 0.1, .momentum = 0.9, .dampening = 0.5, .weight_decay = 0.5, .maximize = true},
         {1, -1.925, 0.96875, -1.759375, 0.95390625, -1.541328125}},
        {{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.5, .nesterov = true},
         {0.81, -1.7625, 0.6758, -1.6838125, 0.373519, -1.5373440625}},
        {{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.5, .nesterov = true, .maximize = true},
         {1, -1.8575, 0.88125, -1.4302875, 0.88940625, -0.9885064375}},
        {{.lr = 0.1, .momentum = 0.9, .maximize = true},
         {1.05, -2.025, 1.0825, -1.9475, 1.18675, -1.82775}},
        {{.lr = 0.1, .dampening = 0.5}, {0.95, -1.975, 0.9625, -2.075, 0.8875, -2.125}},
    };
    check_cases(cases, kTolerance,
                [](const Parameter& w, const SGDOptions& o) { return SGD({w}, o); });
}

TEST_CASE("SGD: each group has its options") {
    const Parameter body = parameter({1}), head = parameter({1}), other = parameter({1});
    SGD optimizer({{.parameters = {body}, .options = {.lr = 0.5}},
                   {.parameters = {head, other}, .options = {.lr = 0.25, .momentum = 0.5}}});
    CHECK(optimizer.parameters().size() == 3);
    for (int i = 0; i < 2; ++i) {
        for (const Parameter& p : optimizer.parameters()) p.set_grad(tensor({1}));
        optimizer.step();
    }
    check_values(body, {1}, {0});
    check_values(head, {1}, {1 - 0.25 - 0.25 * 1.5});
    check_values(other, {1}, {1 - 0.25 - 0.25 * 1.5});
    REQUIRE(optimizer.named_state().size() == 2);
    CHECK(optimizer.named_state()[0].first == "1.momentum_buffer");
    CHECK(optimizer.named_state()[1].first == "2.momentum_buffer");
}

TEST_CASE("SGD: options can change between steps") {
    const Parameter w = parameter({0});
    SGD optimizer({w}, {.lr = 1});
    step(optimizer, w, {1});
    check_values(w, {1}, {-1});
    optimizer.set_lr(0.5);
    step(optimizer, w, {1});
    check_values(w, {1}, {-1.5});
    optimizer.options().momentum = 0.5;  // begins with this gradient: v = 1
    step(optimizer, w, {1});
    check_values(w, {1}, {-2});
    step(optimizer, w, {1});  // v = 1.5
    check_values(w, {1}, {-2.75});
    optimizer.options().lr = -1;
    check_error([&] { step(optimizer, w, {1}); }, {"SGD: expected lr >= 0, got -1"});
    check_values(w, {1}, {-2.75});
}

TEST_CASE("SGD: without a gradient nothing moves") {
    const Parameter with = parameter({1}), without = parameter({1}), frozen = parameter({1});
    frozen.requires_grad_(false);
    SGD optimizer({without, with, frozen}, {.lr = 1, .momentum = 0.5, .weight_decay = 0.5});
    with.set_grad(tensor({1}));
    optimizer.step();
    check_values(without, {1}, {1});
    check_values(frozen, {1}, {1});
    check_values(with, {1}, {-0.5});
    REQUIRE(optimizer.named_state().size() == 1);

    // Later it still begins with its first gradient: v = 2 + 0.5.
    optimizer.zero_grad();
    without.set_grad(tensor({2}));
    optimizer.step();
    check_values(without, {1}, {-1.5});
    check_values(with, {1}, {-0.5});
}

TEST_CASE("SGD: defaults") {
    const Parameter w = parameter({1});
    SGD optimizer({w});
    CHECK(optimizer.lr() == 1e-3);
    step(optimizer, w, {1});
    check_values(w, {1}, {0.999});
}

TEST_CASE("SGD: bad options") {
    const Parameter w = parameter({1});
    const auto make = [&](const SGDOptions& options) { SGD({w}, options); };
    check_error([&] { make({.lr = -0.1}); }, {"SGD: expected lr >= 0, got -0.1"});
    check_error([&] { make({.lr = NAN}); }, {"SGD: expected lr >= 0, got nan"});
    check_error([&] { make({.momentum = -0.9}); }, {"SGD: expected momentum >= 0, got -0.9"});
    check_error([&] { make({.weight_decay = -1}); }, {"SGD: expected weight_decay >= 0, got -1"});
    check_error([&] { make({.lr = INFINITY}); }, {"SGD: expected lr to be finite", "got inf"});
    check_error([&] { make({.momentum = INFINITY}); }, {"SGD: expected momentum to be finite"});
    check_error([&] { make({.momentum = 0.9, .dampening = NAN}); },
                {"SGD: expected dampening to be finite", "got nan"});
    check_error([&] { make({.weight_decay = INFINITY}); },
                {"SGD: expected weight_decay to be finite"});
    check_error([&] { make({.nesterov = true}); },
                {"SGD: nesterov needs momentum > 0 and dampening = 0, got 0 and 0"});
    check_error([&] { make({.momentum = 0.9, .dampening = 0.5, .nesterov = true}); },
                {"SGD: nesterov needs momentum > 0 and dampening = 0, got 0.9 and 0.5"});
    check_error(
        [&] {
            SGD({{.parameters = {w}}, {.parameters = {}, .options = {.lr = -1}}});
        },
        {"SGD: expected lr >= 0, got -1"});
    check_error([] { SGD(std::vector<Parameter>{}); }, {"SGD: expected at least one parameter"});
    check_error([] { SGD(std::vector<SGD::Group>{}); }, {"SGD: expected at least one parameter"});
    check_error(
        [&] {
            SGD({{.parameters = {w}}, {.parameters = {w}}});
        },
        {"SGD: the parameters 0 and 1 are the same one"});
    check_error([&] { SGD({w}).options(1); }, {"SGD: there is no group 1 among 1"});
}

TEST_CASE("SGD: a step in the middle of a recording is told to backward") {
    check_told_to_backward(SGD({parameter({2})}, {.lr = 1}), "SGD::step");
}

TEST_CASE("SGD: finds the minimum") {
    const Parameter w = parameter({0, 0});
    SGD optimizer({w}, {.lr = 0.05, .momentum = 0.8, .nesterov = true});
    minimize(optimizer, 300, 2, [](int) {});
    check_values(w, {2}, {3, -1}, 1e-5);
}

TEST_CASE("SGD: the same bits for any number of threads") {
    const Trained trained = check_same_bits([](const Parameter& w) {
        return SGD({w}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01});
    });
    // One element of the last chunk, by the formula.
    const double w = static_cast<double>(trained.start.data()[60000]);
    const double g = static_cast<double>(trained.grad.data()[60000]);
    const double v1 = g + 0.01 * w, w1 = w - 0.1 * v1;
    const double v2 = 0.9 * v1 + g + 0.01 * w1, w2 = w1 - 0.1 * v2;
    const double v3 = 0.9 * v2 + g + 0.01 * w2, w3 = w2 - 0.1 * v3;
    CHECK(static_cast<double>(trained.end.data()[60000]) == doctest::Approx(w3).epsilon(1e-5));
}

TEST_CASE("SGD: no elements") {
    const Parameter w(zeros({0, 3}));
    SGD optimizer({w}, {.momentum = 0.9});
    w.set_grad(zeros({0, 3}));
    optimizer.step();
    CHECK(w.numel() == 0);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

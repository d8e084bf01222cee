#include <primer/optim/rmsprop.h>

#include <algorithm>
#include <vector>

#include "optimizers.h"

namespace primer {
namespace {

TEST_CASE("RMSprop: by hand") {
    const Parameter w = parameter({0, 0});
    RMSprop optimizer({w}, {.lr = 1, .alpha = 0.75, .eps = 1});
    step(optimizer, w, {4, -2});  // s = 4, 1; 4 / (2 + 1), -2 / (1 + 1)
    check_values(w, {2}, {-4 / 3.0, 1});
    step(optimizer, w, {2, 3});  // s = 3 + 1, 0.75 + 2.25; 2 / 3, 3 / (sqrt 3 + 1)
    check_values(w, {2}, {-2, 1 - 3 / (std::sqrt(3) + 1)});
    const auto state = optimizer.named_state();
    REQUIRE(state.size() == 1);
    CHECK(state[0].first == "0.square_avg");
    check_values(state[0].second, {2}, {4, 3});
}

TEST_CASE("RMSprop: momentum, weight decay and maximize, by hand") {
    // With alpha = 0 and eps = 0 each d is the gradient's sign.
    const Parameter w = parameter({0});
    RMSprop moving({w}, {.lr = 1, .alpha = 0, .eps = 0, .momentum = 0.5});
    step(moving, w, {7});  // v = 1
    step(moving, w, {3});  // v = 0.5 + 1
    check_values(w, {1}, {-2.5});
    step(moving, w, {-9});  // v = 0.75 - 1
    check_values(w, {1}, {-2.25});
    REQUIRE(moving.named_state().size() == 2);
    CHECK(moving.named_state()[0].first == "0.momentum_buffer");
    check_values(moving.named_state()[0].second, {1}, {-0.25});

    const Parameter decayed = parameter({4}), up = parameter({4});
    RMSprop falling({decayed}, {.lr = 1, .alpha = 0, .eps = 1, .weight_decay = 0.5});
    step(falling, decayed, {1});  // g = 1 + 2; 3 / (3 + 1)
    check_values(decayed, {1}, {3.25});
    RMSprop rising({up}, {.lr = 1, .alpha = 0, .eps = 1, .weight_decay = 0.5, .maximize = true});
    step(rising, up, {5});  // g = -5 + 2; -3 / (3 + 1)
    check_values(up, {1}, {4.75});
}

TEST_CASE("RMSprop: centered, by hand") {
    const Parameter w = parameter({0});
    RMSprop optimizer({w}, {.lr = 1, .alpha = 0.5, .eps = 0, .centered = true});
    step(optimizer, w, {4});  // s = 8, m = 2: 4 / sqrt(8 - 4)
    check_values(w, {1}, {-2});
    step(optimizer, w, {2});  // s = 4 + 2, m = 1 + 1: 2 / sqrt(6 - 4)
    check_values(w, {1}, {-2 - 2 / std::sqrt(2)});
    const auto state = optimizer.named_state();
    REQUIRE(state.size() == 2);
    CHECK(state[0].first == "0.grad_avg");
    check_values(state[0].second, {1}, {2});
}

// The variance of a constant gradient goes to 0, and could fall below by rounding.
TEST_CASE("RMSprop: centered, a constant gradient makes no NaN") {
    Rng rng(1);
    const Parameter w(zeros({1000}));
    w.set_grad(randn({1000}, rng));
    RMSprop optimizer({w}, {.lr = 1e-6, .alpha = 0.5, .eps = 1, .centered = true});
    for (int i = 0; i < 200; ++i) optimizer.step();
    CHECK(std::ranges::all_of(w.values(), [](Real x) { return std::isfinite(x); }));
}

// Every option and what they do together: the weights after each of four steps, from 1 and -2, as
// torch.optim.RMSprop of torch 2.13 computes them in float64.
TEST_CASE("RMSprop: as PyTorch") {
    const std::vector<OptimizerCase<RMSpropOptions>> cases{
        {{.lr = 0.1},
         {1.999999605e-07, -1.0000004, 0.2436852419, -1.970428268, -0.5830433296, -2.408745507,
          -0.5941212295, -1.473446184}},
        {{.lr = 0.1, .maximize = true},
         {1.9999998, -2.9999996, 1.756314758, -2.029571732, 2.58304333, -1.591254493, 2.594121229,
          -2.526553816}},
        {{.lr = 0.1, .alpha = 0.5},
         {0.8585786478, -1.858578652, 0.9057190981, -1.997840775, 0.7723857671, -2.078652977,
          0.7698720069, -1.940146612}},
        {{.lr = 0.1, .eps = 0.5},
         {0.9090909091, -1.952380952, 0.9317647659, -2.118205419, 0.8048008463, -2.199629013,
          0.8031067057, -1.834110973}},
        {{.lr = 0.1, .weight_decay = 0.5},
         {9.99999904e-08, -1.00000008, 0.1246499522, -1.37300195, -0.5067040983, -1.234517922,
          -0.3199575761, -0.2967908465}},
        {{.lr = 0.1, .momentum = 0.9},
         {1.999999605e-07, -1.0000004, -0.6563145781, -1.070428628, -2.07372645, -1.572131272,
          -3.360475034, -1.088364329}},
        {{.lr = 0.1, .alpha = 0.5, .centered = true},
         {0.800000008, -1.800000016, 0.8485071311, -1.975622829, 0.6557344971, -2.099434543,
          0.6527848515, -1.928759449}},
        {{.lr = 0.1, .alpha = 0.75, .momentum = 0.9, .centered = true},
         {0.769059903, -1.769059914, 0.6189488399, -1.774192496, 0.2706734052, -1.896055664,
          -0.0459014103, -1.801150212}},
        {{.lr = 0.1,
          .alpha = 0.75,
          .eps = 0.25,
          .weight_decay = 0.5,
          .momentum = 0.5,
          .centered = true,
          .maximize = true},
         {1, -1.869510645, 0.8799538113, -1.621252962, 0.8753565244, -1.367304785, 0.7975264483,
          -1.372722425}},
        {{.lr = 0.1, .weight_decay = 0.5, .maximize = true},
         {1, -1.000000133, 1.599999747e-07, -0.1046772168, 0.7698004065, 0.2098486244, 0.4090987403,
          -0.6616337187}},
    };
    check_cases(cases, kDouble ? 1e-9 : 1e-5,
                [](const Parameter& w, const RMSpropOptions& o) { return RMSprop({w}, o); });
}

TEST_CASE("RMSprop: defaults") {
    const Parameter w = parameter({1});
    RMSprop optimizer({w});
    CHECK(optimizer.lr() == 0.01);
    step(optimizer, w, {5});  // sqrt(0.01 25) = 0.5
    check_values(w, {1}, {1 - 0.01 * 5 / (0.5 + 1e-8)});
}

TEST_CASE("RMSprop: groups, and a parameter without a gradient") {
    const Parameter body = parameter({0}), head = parameter({0}), without = parameter({3});
    RMSprop optimizer(
        {{.parameters = {body}, .options = {.lr = 1, .alpha = 0, .eps = 0}},
         {.parameters = {without, head}, .options = {.lr = 0.5, .alpha = 0, .eps = 0}}});
    body.set_grad(tensor({2}));
    head.set_grad(tensor({-2}));
    optimizer.step();
    check_values(body, {1}, {-1});
    check_values(head, {1}, {0.5});
    check_values(without, {1}, {3});
    REQUIRE(optimizer.named_state().size() == 2);
    CHECK(optimizer.named_state()[1].first == "2.square_avg");
    optimizer.options(1).alpha = 2;
    check_error([&] { optimizer.step(); }, {"RMSprop: expected alpha from 0 to 1, got 2"});
    check_values(body, {1}, {-1});
}

TEST_CASE("RMSprop: a saved state continues where it was") {
    const Parameter w = parameter({1, 2}), copy = parameter({1, 2});
    const RMSpropOptions options{.lr = 0.1, .momentum = 0.9, .centered = true};
    RMSprop optimizer({w}, options), resumed({copy}, options);
    check_resumes(optimizer, resumed);
    CHECK(optimizer.named_state().size() == 3);
    check_error(
        [&] {
            resumed.load_state({{"0.momentum_buffer", zeros({2})}});
        },
        {"RMSprop::load_state: expected 0.square_avg beside 0.momentum_buffer, found none"});
}

TEST_CASE("RMSprop: bad options") {
    const Parameter w = parameter({1});
    const auto make = [&](const RMSpropOptions& options) { RMSprop({w}, options); };
    check_error([&] { make({.lr = -0.1}); }, {"RMSprop: expected lr >= 0, got -0.1"});
    check_error([&] { make({.lr = NAN}); }, {"RMSprop: expected lr >= 0, got nan"});
    check_error([&] { make({.alpha = -0.5}); }, {"RMSprop: expected alpha from 0 to 1, got -0.5"});
    check_error([&] { make({.alpha = 1.5}); }, {"RMSprop: expected alpha from 0 to 1, got 1.5"});
    check_error([&] { make({.eps = -1}); }, {"RMSprop: expected eps >= 0, got -1"});
    check_error([&] { make({.weight_decay = -1}); },
                {"RMSprop: expected weight_decay >= 0, got -1"});
    check_error([&] { make({.momentum = -1}); }, {"RMSprop: expected momentum >= 0, got -1"});
    check_error([&] { make({.lr = INFINITY}); }, {"RMSprop: expected lr to be finite", "got inf"});
    check_error([&] { make({.eps = INFINITY}); }, {"RMSprop: expected eps to be finite"});
    check_error([&] { make({.weight_decay = INFINITY}); },
                {"RMSprop: expected weight_decay to be finite"});
    check_error([&] { make({.momentum = INFINITY}); }, {"RMSprop: expected momentum to be finite"});
    check_error([] { RMSprop(std::vector<Parameter>{}); },
                {"RMSprop: expected at least one parameter"});
    check_error([&] { RMSprop({w}).options(1); }, {"RMSprop: there is no group 1 among 1"});
}

TEST_CASE("RMSprop: a step in the middle of a recording is told to backward") {
    check_told_to_backward(RMSprop({parameter({2})}), "RMSprop::step");
}

TEST_CASE("RMSprop: finds the minimum") {
    const auto check_minimum = [](RMSprop&& optimizer) {
        minimize(optimizer, 1500, 100, [&](int i) { optimizer.set_lr(i < 1000 ? 0.01 : 0.0005); });
        check_values(optimizer.parameters()[0], {2}, {3, -1}, 1e-2);
    };
    check_minimum(RMSprop({parameter({0, 0})}, {.alpha = 0.9}));
    check_minimum(RMSprop({parameter({0, 0})}, {.alpha = 0.9, .momentum = 0.5}));
}

TEST_CASE("RMSprop: the same bits for any number of threads") {
    check_same_bits([](const Parameter& w) {
        return RMSprop({w}, {.lr = 0.1, .momentum = 0.9, .centered = true});
    });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

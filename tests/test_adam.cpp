#include <primer/optim/adam.h>

#include <algorithm>
#include <vector>

#include "optimizers.h"

namespace primer {
namespace {

// With betas of 1/2 and 3/4: m = 2, v = 4, corrected by 1/2 and 1/4 to 4 and 16, so the first step
// is of lr. The second, with g = 0: m = 1, v = 3, corrected by 3/4 and 7/16 to 4/3 and 48/7.
TEST_CASE("Adam: by hand") {
    const Parameter w = parameter({1, -1});
    Adam optimizer({w}, {.lr = 0.5, .betas = {0.5, 0.75}, .eps = 0});
    step(optimizer, w, {4, -4});
    check_values(w, {2}, {0.5, -0.5});
    const double second = 0.5 * (4 / 3.0) / std::sqrt(48 / 7.0);
    step(optimizer, w, {0, 0});
    check_values(w, {2}, {0.5 - second, -0.5 + second});

    const auto state = optimizer.named_state();
    REQUIRE(state.size() == 3);
    CHECK(state[0].first == "0.exp_avg");
    check_values(state[0].second, {2}, {1, -1});
    CHECK(state[1].first == "0.exp_avg_sq");
    check_values(state[1].second, {2}, {3, 3});
    CHECK(state[2].first == "0.step");
    check_values(state[2].second, {}, {2});
}

// Betas of 0 remember nothing, so each step is lr g / (|g| + eps).
TEST_CASE("Adam: eps, by hand") {
    const Parameter w = parameter({0, 0});
    Adam optimizer({w}, {.lr = 1, .betas = {0, 0}, .eps = 1});
    step(optimizer, w, {1, -3});
    check_values(w, {2}, {-0.5, 0.75});
}

TEST_CASE("Adam: amsgrad divides by the largest square, by hand") {
    const Parameter w = parameter({0});
    Adam optimizer({w}, {.lr = 1, .betas = {0, 0}, .eps = 0, .amsgrad = true});
    step(optimizer, w, {4});
    check_values(w, {1}, {-1});
    step(optimizer, w, {1});  // 1 / 4, where Adam would go 1 / 1
    check_values(w, {1}, {-1.25});
    step(optimizer, w, {-8});
    check_values(w, {1}, {-0.25});
    const auto state = optimizer.named_state();
    REQUIRE(state.size() == 4);
    CHECK(state[2].first == "0.max_exp_avg_sq");
    check_values(state[2].second, {1}, {64});
}

TEST_CASE("Adam: weight decay enters the gradient; AdamW's does not, by hand") {
    // g = 0 and decay 0.5: Adam's gradient is 2, whose size does not matter.
    const Parameter a = parameter({4}), b = parameter({4}), c = parameter({4});
    Adam adam({a}, {.lr = 1, .betas = {0, 0}, .eps = 0, .weight_decay = 0.5});
    step(adam, a, {0});
    check_values(a, {1}, {3});
    // AdamW: 4 (1 - 0.25 0.5), and no step, because g = 0 (eps prevents 0 / 0).
    AdamW adamw({b}, {.lr = 0.25, .betas = {0, 0}, .weight_decay = 0.5});
    step(adamw, b, {0});
    check_values(b, {1}, {3.5});
    AdamW usual({c}, {.lr = 1});  // decays by 0.01 unless told otherwise
    step(usual, c, {0});
    check_values(c, {1}, {3.96});
}

// Every option and what they do together: the weights after each of four steps, from 1 and -2, as
// torch 2.13 computes them in float64.
using Cases = std::vector<OptimizerCase<AdamOptions>>;
constexpr double kToPyTorch = kDouble ? 1e-9 : 1e-5;

TEST_CASE("Adam: as PyTorch") {
    const Cases cases{
        {{.lr = 0.1},
         {0.900000002, -1.900000004, 0.8530531862, -1.955950353, 0.7798487429, -2.022751852,
          0.7192486708, -1.987962105}},
        {{.lr = 0.1, .maximize = true},
         {1.099999998, -2.099999996, 1.146946814, -2.044049647, 1.220151257, -1.977248148,
          1.280751329, -2.012037895}},
        {{.lr = 0.1, .betas = {0.5, 0.75}},
         {0.900000002, -1.900000004, 0.8755400232, -1.975420329, 0.7920334578, -2.05549057,
          0.74190258, -1.984094542}},
        {{.lr = 0.1, .eps = 0.5},
         {0.95, -1.966666667, 0.9302103512, -1.999855018, 0.8926981241, -2.037899582, 0.8638256245,
          -2.011366886}},
        {{.lr = 0.1, .weight_decay = 0.5},
         {0.900000001, -1.900000001, 0.8132675848, -1.836023425, 0.7209034092, -1.768859902,
          0.633874278, -1.696157828}},
        {{.lr = 0.1, .amsgrad = true},
         {0.900000002, -1.900000004, 0.8530531862, -1.955950353, 0.7798487429, -2.022751852,
          0.7192753156, -1.987962105}},
        {{.lr = 0.1, .betas = {0.5, 0.75}, .amsgrad = true},
         {0.900000002, -1.900000004, 0.877952075, -1.975420329, 0.7944455096, -2.055041155,
          0.7510268471, -1.983645127}},
        {{.lr = 0.1,
          .betas = {0.5, 0.25},
          .eps = 0.25,
          .weight_decay = 0.5,
          .amsgrad = true,
          .maximize = true},
         {1, -1.925, 0.9484971676, -1.848501299, 0.9458575686, -1.774192764, 0.9134599283,
          -1.793694501}},
        {{.lr = 0.1, .weight_decay = 0.5, .maximize = true},
         {1, -1.900000001, 0.9255863193, -1.806498634, 0.900008319, -1.710877966, 0.8510276377,
          -1.688992512}},
        {{.lr = 0.1, .betas = {0, 0.5}},
         {0.900000002, -1.900000004, 0.9408248297, -2.02060454, 0.8161029189, -2.096197434,
          0.8136689811, -1.962089223}},
    };
    check_cases(cases, kToPyTorch,
                [](const Parameter& w, const AdamOptions& o) { return Adam({w}, o); });
}

TEST_CASE("AdamW: as PyTorch") {
    const Cases cases{
        {{.lr = 0.1, .weight_decay = 0.01},
         {0.899000002, -1.898000004, 0.8511541862, -1.952052353, 0.7770985887, -2.016901799,
          0.7157214181, -1.980095151}},
        {{.lr = 0.1, .weight_decay = 0.5},
         {0.850000002, -1.800000004, 0.7605531861, -1.765950352, 0.6493210835, -1.744454334,
          0.5562549573, -1.622441871}},
        {{.lr = 0.1, .weight_decay = 0.5, .maximize = true},
         {1.049999998, -1.999999996, 1.044446814, -1.844049648, 1.065428916, -1.685045666,
          1.072757543, -1.635583129}},
        {{.lr = 0.1, .weight_decay = 0},
         {0.900000002, -1.900000004, 0.8530531862, -1.955950353, 0.7798487429, -2.022751852,
          0.7192486708, -1.987962105}},
        {{.lr = 0.1,
          .betas = {0.5, 0.75},
          .eps = 0.25,
          .weight_decay = 0.5,
          .amsgrad = true,
          .maximize = true},
         {1.016666667, -1.95, 0.9791037231, -1.795502858, 0.9877531477, -1.647676589, 0.9675261036,
          -1.628351487}},
        {{.lr = 0.1, .betas = {0.5, 0.25}, .weight_decay = 0.01, .amsgrad = true},
         {0.899000002, -1.898000004, 0.8794671026, -1.960817026, 0.8088669226, -2.019756054,
          0.7745229799, -1.966235546}},
    };
    check_cases(cases, kToPyTorch, [](const Parameter& w, const AdamOptions& o) {
        return AdamW({w}, {.lr = o.lr,
                           .betas = o.betas,
                           .eps = o.eps,
                           .weight_decay = o.weight_decay,
                           .amsgrad = o.amsgrad,
                           .maximize = o.maximize});
    });
}

TEST_CASE("Adam: defaults") {
    const Parameter w = parameter({1}), v = parameter({1});
    Adam adam({w});
    AdamW adamw({v});
    CHECK(adam.lr() == 1e-3);
    CHECK(adam.options().betas == Betas(0.9, 0.999));
    CHECK(adam.options().eps == 1e-8);
    CHECK(adam.options().weight_decay == 0);
    CHECK(adamw.lr() == 1e-3);
    CHECK(adamw.options().weight_decay == 0.01);
    step(adam, w, {5});
    step(adamw, v, {5});
    const double moved = 1e-3 * 5 / (5 + 1e-8);
    check_values(w, {1}, {1 - moved});
    check_values(v, {1}, {0.99999 - moved});
}

TEST_CASE("Adam: each parameter counts its own steps") {
    const Parameter early = parameter({0}), late = parameter({0}), frozen = parameter({7});
    Adam optimizer({early, late, frozen}, {.lr = 1, .betas = {0.5, 0.75}, .eps = 0});
    step(optimizer, early, {1});
    step(optimizer, early, {1});
    step(optimizer, late, {1});      // its first
    check_values(early, {1}, {-3});  // the same gradient again and again: 1 a step
    check_values(late, {1}, {-1});
    check_values(frozen, {1}, {7});
    CHECK(optimizer.named_state().size() == 6);  // nothing of the frozen one
}

TEST_CASE("Adam: groups, and options that change between steps") {
    const Parameter body = parameter({0}), head = parameter({0});
    Adam optimizer({{.parameters = {body}, .options = {.lr = 0.5, .eps = 0}},
                    {.parameters = {head}, .options = {.lr = 0.25, .betas = {0, 0}, .eps = 0}}});
    CHECK(optimizer.group_count() == 2);
    body.set_grad(tensor({3}));
    head.set_grad(tensor({-3}));
    optimizer.step();
    check_values(body, {1}, {-0.5});
    check_values(head, {1}, {0.25});
    optimizer.set_lr(1, 1);
    optimizer.options(1).weight_decay = 4;
    optimizer.step();
    check_values(head, {1}, {1.25});  // g = -3 + 1
    optimizer.options(0).betas[1] = 1;
    check_error([&] { optimizer.step(); }, {"Adam: expected betas from 0 to below 1, got 1"});
    check_values(head, {1}, {1.25});

    const Parameter a = parameter({0}), b = parameter({8});
    AdamW decoupled({{.parameters = {a}},
                     {.parameters = {b}, .options = {.lr = 1, .eps = 0, .weight_decay = 0.5}}});
    b.set_grad(tensor({1}));
    decoupled.step();
    check_values(b, {1}, {3});
    check_error([&] { decoupled.options(2); }, {"AdamW: there is no group 2 among 2"});
}

TEST_CASE("Adam: a saved state continues where it was") {
    const Parameter w = parameter({1, 2}), copy = parameter({1, 2});
    const AdamOptions options{.lr = 0.1, .amsgrad = true};
    Adam optimizer({w}, options), resumed({copy}, options);
    check_resumes(optimizer, resumed);
    check_values(resumed.named_state().back().second, {}, {5});

    check_error(
        [&] {
            resumed.load_state({{"0.step", tensor({1, 2})}});
        },
        {"Adam::load_state: expected 0.step of shape [], got [2]"});
    check_error(
        [&] {
            resumed.load_state({{"0.exp_avg", Tensor(1)}});
        },
        {"Adam::load_state: expected 0.exp_avg of shape [2], got []"});
    check_error(
        [&] {
            resumed.load_state({{"0.momentum_buffer", zeros({2})}});
        },
        {"there is nothing called 0.momentum_buffer"});
    const Tensor two = zeros({2});
    check_error(
        [&] {
            resumed.load_state({{"0.step", full({}, 3)}, {"0.exp_avg", two}});
        },
        {"Adam::load_state: expected 0.exp_avg_sq beside 0.exp_avg, found none"});
    for (const double steps : {-1.0, 0.5, double{NAN}}) {
        check_error(
            [&] {
                resumed.load_state(
                    {{"0.step", full({}, steps)}, {"0.exp_avg", two}, {"0.exp_avg_sq", two}});
            },
            {"Adam::load_state: expected 0.step to be a whole number from 0 on, got "});
    }
    CHECK(resumed.named_state().size() == 4);
}

TEST_CASE("Adam: bad options") {
    const Parameter w = parameter({1});
    const auto adam = [&](const AdamOptions& options) { Adam({w}, options); };
    const auto adamw = [&](const AdamWOptions& options) { AdamW({w}, options); };
    check_error([&] { adam({.lr = -0.1}); }, {"Adam: expected lr >= 0, got -0.1"});
    check_error([&] { adam({.lr = NAN}); }, {"Adam: expected lr >= 0, got nan"});
    check_error(
        [&] {
            adam({.betas = {1, 0.9}});
        },
        {"Adam: expected betas from 0 to below 1, got 1"});
    check_error([&] { adam({.betas = {0.9, -0.1}}); }, {"Adam: expected betas", "got -0.1"});
    check_error([&] { adam({.eps = -1}); }, {"Adam: expected eps >= 0, got -1"});
    check_error([&] { adam({.weight_decay = -1}); }, {"Adam: expected weight_decay >= 0, got -1"});
    check_error([&] { adam({.lr = INFINITY}); }, {"Adam: expected lr to be finite", "got inf"});
    check_error([&] { adam({.eps = INFINITY}); }, {"Adam: expected eps to be finite"});
    check_error([&] { adamw({.weight_decay = INFINITY}); },
                {"AdamW: expected weight_decay to be finite"});
    check_error([&] { adamw({.lr = -0.1}); }, {"AdamW: expected lr >= 0, got -0.1"});
    check_error([&] { adamw({.betas = {0.9, 1.5}}); }, {"AdamW: expected betas", "got 1.5"});
    check_error([&] { adamw({.eps = NAN}); }, {"AdamW: expected eps >= 0, got nan"});
    check_error([&] { adamw({.weight_decay = -1}); }, {"AdamW: expected weight_decay >= 0"});
    check_error([] { Adam(std::vector<Parameter>{}); }, {"Adam: expected at least one parameter"});
    check_error([&] { AdamW({w, w}); }, {"AdamW: the parameters 0 and 1 are the same one"});
}

TEST_CASE("Adam: a step in the middle of a recording is told to backward") {
    check_told_to_backward(Adam({parameter({2})}), "Adam::step");
    check_told_to_backward(AdamW({parameter({2})}), "AdamW::step");
}

TEST_CASE("Adam: finds the minimum") {
    const auto check_minimum = [](Optimizer&& optimizer) {
        // A scale of 100 between the two does not matter.
        minimize(optimizer, 1500, 100, [&](int i) { optimizer.set_lr(i < 1000 ? 0.05 : 0.005); });
        check_values(optimizer.parameters()[0], {2}, {3, -1}, 1e-3);
    };
    check_minimum(Adam({parameter({0, 0})}));
    check_minimum(Adam({parameter({0, 0})}, {.amsgrad = true}));
    check_minimum(AdamW({parameter({0, 0})}, {.weight_decay = 0}));
}

TEST_CASE("Adam: the same bits for any number of threads") {
    check_same_bits([](const Parameter& w) { return AdamW({w}, {.lr = 0.1, .amsgrad = true}); });
}

TEST_CASE("Adam: no elements") {
    const Parameter w(zeros({0, 3}));
    Adam optimizer({w});
    w.set_grad(zeros({0, 3}));
    optimizer.step();
    CHECK(w.numel() == 0);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

// group_norm and its layer. test_layer_norm.cpp tests the kernel that both ops share.

#include <primer/layers/group_norm.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "normalization.h"
#include "support.h"

namespace primer {
namespace {

using Tensors = std::vector<Tensor>;

// Two examples of two groups, each of two channels of two values. 1 3 5 7 has the mean 4 and the
// variance 5, 17 5 7 11 has 10 and 21. With eps = 4 the roots are 3 and 5, so
//     z = -1, -1/3, 1/3, 1  and  7/5, -1, -3/5, 1/5.
Tensor sequences() {
    return tensor({1, 3, 5, 7, 17, 5, 7, 11,  //
                   17, 5, 7, 11, 1, 3, 5, 7},
                  {2, 4, 2});
}
const GroupNormOptions kEps{.eps = 4};

TEST_CASE("group_norm: by hand") {
    const Tensor weight = tensor({3, 10, 1, 2}), bias = tensor({1, -1, 0, 0.5});
    const std::initializer_list<double> y{-2,  0,  7 / 3.0, 9, 1.4, -1,       -0.7,    0.9,
                                          5.2, -2, -7,      1, -1,  -1 / 3.0, 7 / 6.0, 2.5};
    check_values(group_norm(sequences(), 2, weight, bias, kEps), {2, 4, 2}, y);
    check_values(group_norm(reshape(sequences(), {2, 4, 1, 2}), 2, weight, bias, kEps),
                 {2, 4, 1, 2}, y);
    check_values(group_norm(slice(sequences(), 0, 1), 2, {}, {}, kEps), {1, 4, 2},
                 {-1, -1 / 3.0, 1 / 3.0, 1, 1.4, -1, -0.6, 0.2});
    check_values(group_norm(slice(sequences(), 0, 1), 2, weight, {}, kEps), {1, 4, 2},
                 {-3, -1, 10 / 3.0, 10, 1.4, -1, -1.2, 0.4});
    check_values(group_norm(slice(sequences(), 0, 1), 2, {}, bias, kEps), {1, 4, 2},
                 {0, 2 / 3.0, -2 / 3.0, 0, 1.4, -1, -0.1, 0.7});
    // One value a channel.
    check_values(group_norm(tensor({1, 3, 5, 7, 17, 5, 7, 11}, {1, 8}), 2, {}, {}, kEps), {1, 8},
                 {-1, -1 / 3.0, 1 / 3.0, 1, 1.4, -1, -0.6, 0.2});
}

TEST_CASE("group_norm: eps is 1e-5 unless it is given; constant groups, and groups of one value") {
    check_values(group_norm(tensor({0, 2}, {1, 2}), 1), {1, 2},
                 {-1 / std::sqrt(1.00001), 1 / std::sqrt(1.00001)});
    check_values(group_norm(full({1, 2, 3}, 7), 2), {1, 2, 3}, {0, 0, 0, 0, 0, 0});
    check_values(group_norm(tensor({5, -3, 1, 2}, {2, 2}), 2, ones({2}), tensor({4, 6})), {2, 2},
                 {4, 6, 4, 6});
}

TEST_CASE("group_norm: an infinite weight") {
    const Tensor x = slice(sequences(), 0, 1), weight = tensor({INFINITY, 10, 1, -INFINITY});
    check_values(group_norm(x + 0.3, 2, weight, {}, kEps), {1, 4, 2},
                 {-INFINITY, -INFINITY, 10 / 3.0, 10, 1.4, -1, INFINITY, -INFINITY});
}

// dy = 1 for the first value, whose group has r = 1/3: g = 3 0 0 0, so
// dx_j = (g_j - 3/4 + z_j 3/4) / 3.
TEST_CASE("group_norm: backward, by hand") {
    const Tensor x = sequences(), weight = tensor({3, 10, 1, 2}), bias = zeros({4});
    for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
    const Tensor dy = zeros(x.shape());
    dy.mutable_data()[0] = 1;
    Tape tape;
    tape.backward(sum(group_norm(x, 2, weight, bias, kEps) * dy));
    check_values(x.grad(), {2, 4, 2},
                 {0.5, -1 / 3.0, -1 / 6.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    check_values(weight.grad(), {4}, {-1, 0, 0, 0});
    check_values(bias.grad(), {4}, {1, 0, 0, 0});
}

TEST_CASE("group_norm: gradients, over every option") {
    Rng rng(1);
    for (const Shape& shape : {Shape{5, 6}, Shape{2, 6, 3}, Shape{2, 6, 3, 4}, Shape{3, 6, 1, 1}}) {
        CAPTURE(shape);
        for (const Index groups : {1, 2, 3, 6}) {
            if (shape.rank() == 4 && groups > 3) continue;  // enough of the slow ones
            const Tensor x = randn(shape, rng), w = randn({6}, rng), b = randn({6}, rng);
            const auto f = [&](const Tensor& in, const Tensor& weight, const Tensor& bias) {
                return group_norm(in, groups, weight, bias, {.eps = 0.1});
            };
            check_norm_gradients(f, x, w, b);
        }
    }
}

TEST_CASE(
    "group_norm: with one group as layer_norm; with one image and a group a channel as "
    "batch_norm") {
    Rng rng(2);
    const Tensor x = randn({2, 6, 5, 7}, rng), w = randn({6}, rng), b = randn({6}, rng);
    const auto close = [](const Tensor& a, const Tensor& c) {
        return std::ranges::equal(a.values(), c.values(), [](Real p, Real q) {
            return std::abs(static_cast<double>(p - q)) <= 10 * kTolerance;
        });
    };
    const auto as_layer = layer_norm(x, {6, 5, 7}) * reshape(w, {6, 1, 1}) + reshape(b, {6, 1, 1});
    CHECK(close(group_norm(x, 1, w, b), as_layer));
    const Tensor one = slice(x, 0, 1);
    CHECK(close(group_norm(one, 6, w, b), batch_norm(one, {}, {}, w, b, {.training = true})));
}

TEST_CASE("group_norm: without values, the gradients of weight and bias are 0") {
    for (const Shape& shape : {Shape{0, 4}, Shape{0, 4, 3}, Shape{2, 4, 0}, Shape{2, 0, 3}}) {
        const auto f = [](const Tensor& x, const Tensor& w, const Tensor& b) {
            return group_norm(x, 2, w, b);
        };
        check_norm_without_values(f, shape, {shape[1]});
    }
}

TEST_CASE("group_norm: bad arguments") {
    const Tensor x = zeros({2, 4, 3});
    check_error([] { group_norm(zeros({4}), 2); },
                {"group_norm: expected x [N, C] or [N, C, ...], got [4]"});
    for (const Index groups : {3, 0, -1, 8}) {
        check_error([&] { group_norm(x, groups); },
                    {"group_norm: expected a number of groups that divides the channels of x "
                     "[2, 4, 3], got ",
                     std::to_string(groups).c_str()});
    }
    check_error([&] { group_norm(x, 2, ones({3})); },
                {"group_norm: expected x [N, C, ...] and a weight and a bias [C], got x [2, 4, 3] "
                 "and [3]"});
    check_error([&] { group_norm(x, 2, {}, ones({4, 1})); }, {"and [4, 1]"});
    check_error([&] { group_norm(x, 2, {}, {}, {.eps = -1}); },
                {"group_norm: expected eps >= 0, got -1"});
    check_error(
        [] {
            group_norm(zeros({1, 4, 1}), 4);
        },
        {"group_norm: x [1, 4, 1] has 1 value for each of 4 groups", "use fewer groups"});
    CHECK_NOTHROW(group_norm(zeros({2, 4, 1}), 4));
    check_error([&] { group_norm({}, 2); }, {"this tensor is undefined"});
}

// --- layer --------------------------------------------------------------------------------------

TEST_CASE("GroupNorm: parameters and result") {
    GroupNorm layer(2, 4, {.eps = 4});
    REQUIRE(layer.named_parameters().size() == 2);
    CHECK(layer.named_parameters()[0].first == "weight");
    CHECK(layer.named_parameters()[1].first == "bias");
    check_values(layer.weight, {4}, {1, 1, 1, 1});
    check_values(layer.bias, {4}, {0, 0, 0, 0});
    CHECK(layer.weight.weight_decay);  // as in BatchNorm
    layer.weight.copy_(tensor({3, 10, 1, 2}));
    layer.bias.copy_(tensor({1, -1, 0, 0.5}));
    layer.eval();  // changes nothing
    check_values(layer(slice(sequences(), 0, 1)), {1, 4, 2},
                 {-2, 0, 7 / 3.0, 9, 1.4, -1, -0.7, 0.9});
    GroupNorm no_bias(2, 4, {.bias = false});
    CHECK(no_bias.parameters().size() == 1);
    CHECK_FALSE(no_bias.bias.defined());
    GroupNorm bare(2, 4, {.affine = false});
    CHECK(bare.parameters().empty());
}

TEST_CASE("GroupNorm: gradients") {
    Rng rng(5);
    for (const bool affine : {true, false}) {
        GroupNorm layer(2, 4, {.affine = affine});
        Tensors inputs{randn({3, 4, 5}, rng)};
        for (const Parameter& p : layer.parameters()) inputs.push_back(p);
        check_gradients([&](const Tensors& in) { return layer(in[0]); }, inputs);
    }
}

TEST_CASE("GroupNorm: bad shapes and options") {
    GroupNorm layer(2, 4);
    check_error(
        [&] {
            layer(zeros({3, 6}));
        },
        {"GroupNorm: group_norm: expected x [N, C, ...] and a weight and a bias [C], got x [3, 6] "
         "and [4]"});
    check_error([] { GroupNorm(3, 4); },
                {"GroupNorm(3, 4): expected at least one channel, and a number of groups that"});
    check_error([] { GroupNorm(0, 4); }, {"GroupNorm(0, 4): expected"});
    check_error([] { GroupNorm(1, 0); }, {"GroupNorm(1, 0): expected"});
    check_error(
        [] {
            GroupNorm(2, 4, {.eps = -1})(zeros({3, 4}));
        },
        {"GroupNorm: group_norm: expected eps >= 0, got -1"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

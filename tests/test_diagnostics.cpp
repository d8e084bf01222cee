#include <primer/layers/inspect/diagnostics.h>

#include <sstream>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/identity.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

void check_row(const LayerStatistics& row, const LayerStatistics& expected) {
    CAPTURE(expected.name);
    CHECK(row.name == expected.name);
    CHECK(row.type == expected.type);
    CHECK(row.outputs == expected.outputs);
    CHECK(row.mean == doctest::Approx(expected.mean));
    CHECK(row.stddev == doctest::Approx(expected.stddev));
    CHECK(row.zeros == doctest::Approx(expected.zeros));
    CHECK(row.dead_units == doctest::Approx(expected.dead_units));
}

// Identity puts out x = [[-1, 2, -3, 4], [-5, -6, -7, 8]]: mean -8 / 8 = -1, mean square
// (1 + 4 + 9 + 16 + 25 + 36 + 49 + 64) / 8 = 25.5, variance 24.5. ReLU: (0, 2, 0, 4, 0, 0, 0, 8),
// mean 14 / 8 = 1.75, mean square 84 / 8 = 10.5, variance 7.4375; features 0 and 2 are dead.
const auto kFeatures = [] { return tensor({-1, 2, -3, 4, -5, -6, -7, 8}, {2, 4}); };
const LayerStatistics kIdentityRow{.name = "0",
                                   .type = "Identity",
                                   .outputs = 8,
                                   .mean = -1,
                                   .stddev = std::sqrt(24.5),
                                   .zeros = 0,
                                   .dead_units = 0};
const LayerStatistics kReluRow{.name = "1",
                               .type = "ReLU",
                               .outputs = 8,
                               .mean = 1.75,
                               .stddev = std::sqrt(7.4375),
                               .zeros = 0.625,
                               .dead_units = 0.5};

TEST_CASE("activation_statistics: of features, by hand") {
    Sequential model{Identity(), ReLU()};
    const auto rows = activation_statistics(model, [&] { model(kFeatures()); });
    REQUIRE(rows.size() == 2);
    check_row(rows[0], kIdentityRow);
    check_row(rows[1], kReluRow);
}

// Over two calls: (1, -1) and (-2, -3) -> (1, 0), (0, 0); feature 1 is dead. Mean 1/4, mean square
// 1/4, variance 3/16.
TEST_CASE("activation_statistics: adds up over calls") {
    Sequential model{ReLU()};
    const auto rows = activation_statistics(model, [&] {
        model(tensor({1, -1}, {1, 2}));
        model(tensor({-2, -3}, {1, 2}));
    });
    REQUIRE(rows.size() == 1);
    check_row(rows[0], {.name = "0",
                        .type = "ReLU",
                        .outputs = 4,
                        .mean = 0.25,
                        .stddev = std::sqrt(0.1875),
                        .zeros = 0.75,
                        .dead_units = 0.5});
}

// x [2, 3, 1, 2]: channel 0 is 0 for both examples, channel 1 wakes at one pixel of the second,
// channel 2 for the first. Outputs 0 0, 0 0, 2 4; 0 0, 0 6, 0 0: mean 1, mean square 56 / 12.
TEST_CASE("activation_statistics: a unit of an image is its channel") {
    Sequential model{ReLU()};
    const Tensor x = tensor({-1, -1, -1, -1, 2, 4, -1, -1, -1, 6, -1, -1}, {2, 3, 1, 2});
    const auto rows = activation_statistics(model, [&] { model(x); });
    REQUIRE(rows.size() == 1);
    check_row(rows[0], {.name = "0",
                        .type = "ReLU",
                        .outputs = 12,
                        .mean = 1,
                        .stddev = std::sqrt(56.0 / 12 - 1),
                        .zeros = 0.75,
                        .dead_units = 1.0 / 3});
}

TEST_CASE("activation_statistics: layers within layers, one that is not called, a lone layer") {
    Sequential model{Sequential(Identity(), Tanh()), ReLU()};
    const auto rows = activation_statistics(model, [&] { model[1](tensor({-1, 3}, {1, 2})); });
    REQUIRE(rows.size() == 3);
    check_row(rows[0], {.name = "0.0", .type = "Identity"});
    check_row(rows[1], {.name = "0.1", .type = "Tanh"});
    CHECK(rows[2].name == "1");
    CHECK(rows[2].outputs == 2);

    ReLU relu;
    const auto alone = activation_statistics(relu, [&] { relu(tensor({-1, 3}, {1, 2})); });
    REQUIRE(alone.size() == 1);
    CHECK(alone[0].name.empty());
    CHECK(alone[0].dead_units == 0.5);
}

TEST_CASE("activation_statistics: what is called afterwards is not watched") {
    Sequential model{ReLU()};
    model(kFeatures());
    const auto rows = activation_statistics(model, [] {});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].outputs == 0);
}

TEST_CASE("dead_relu_ratio: of activation layers alone") {
    Sequential model{Identity(), ReLU(), LeakyReLU(0), Softmax(1)};
    const auto rows = dead_relu_ratio(model, [&] { model(kFeatures()); });
    REQUIRE(rows.size() == 2);
    check_row(rows[0], kReluRow);
    CHECK(rows[1].name == "2");
    CHECK(rows[1].type == "LeakyReLU");
    CHECK(rows[1].dead_units == 0.5);
}

// BatchNorm1d of one feature 1, 3: mean 2, root 1, so z = -1, 1, and relu leaves 0, 1.
TEST_CASE("dead_relu_ratio: a layer that ends with a ReLU counts, without one it does not") {
    Sequential model{BatchNorm1d(1, {.eps = 1e-30}), BatchNorm1d(1, {.eps = 1e-30, .relu = true})};
    const auto rows = dead_relu_ratio(model, [&] { model(tensor({1, 3}, {2, 1})); });
    REQUIRE(rows.size() == 1);
    check_row(rows[0], {.name = "1",
                        .type = "BatchNorm1d",
                        .outputs = 2,
                        .mean = 0.5,
                        .stddev = 0.5,
                        .zeros = 0.5});
}

// In kFeatures, features 0 and 2 are dead; in the picture below, as above, channel 0 of three.
TEST_CASE("dead_units: as dead_relu_ratio has them, of the layers that were called") {
    Sequential model{Identity(), Sequential(ReLU()), LeakyReLU(0), Tanh()};
    const auto rows = dead_units(model, [&] { model[2](model[1](kFeatures())); });
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == "1.0");
    CHECK(rows[0].type == "ReLU");
    CHECK(rows[0].share == 0.5);
    CHECK(rows[1].name == "2");
    CHECK(rows[1].type == "LeakyReLU");
    CHECK(rows[1].share == 0.5);

    Sequential channels{ReLU()};
    const Tensor x = tensor({-1, -1, -1, -1, 2, 4, -1, -1, -1, 6, -1, -1}, {2, 3, 1, 2});
    const auto of_channels = dead_units(channels, [&] { channels(x); });
    REQUIRE(of_channels.size() == 1);
    CHECK(of_channels[0].share == doctest::Approx(1.0 / 3));
}

// The first call wakes feature 0, the second feature 1; 2 and 3 stay dead.
TEST_CASE("dead_units: what one call wakes stays awake") {
    Sequential model{ReLU()};
    const auto rows = dead_units(model, [&] {
        model(tensor({1, -1, -1, -1}, {1, 4}));
        model(tensor({-1, 1, -1, -1}, {1, 4}));
    });
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].share == 0.5);
}

// An in-place ReLU changes what Identity has put out, but only after that has been counted.
TEST_CASE("activation_statistics: an activation in place does not disturb the layer before it") {
    Sequential model{Identity(), ReLU({.inplace = true})};
    const auto rows = activation_statistics(model, [&] { model(kFeatures()); });
    REQUIRE(rows.size() == 2);
    check_row(rows[0], kIdentityRow);
    check_row(rows[1], kReluRow);
}

// Weight gradient (3, -4, 0, 0): norm 5, mean -1/4, mean square 25 / 4, variance 6.1875.
TEST_CASE("gradient_statistics: by hand, and only of what has a gradient") {
    Rng rng(1);
    Linear layer(2, 2, rng);
    CHECK(gradient_statistics(layer).empty());
    layer.weight.set_grad(tensor({3, -4, 0, 0}, {2, 2}));
    const auto rows = gradient_statistics(layer);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].name == "weight");
    CHECK(rows[0].norm == doctest::Approx(5));
    CHECK(rows[0].mean == doctest::Approx(-0.25));
    CHECK(rows[0].stddev == doctest::Approx(std::sqrt(6.1875)));
    CHECK(rows[0].largest == 4);
    CHECK(rows[0].zeros == 0.5);
}

// y = W x + b for x = (1, 2), L = sum y: dW = [[1, 2], [1, 2]], db = (1, 1).
TEST_CASE("gradient_statistics: after backward") {
    Rng rng(1);
    Sequential model{Linear(2, 2, rng)};
    Tape tape;
    tape.backward(sum(model(tensor({1, 2}, {1, 2}))));
    const auto rows = gradient_statistics(model);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == "0.weight");
    CHECK(rows[0].norm == doctest::Approx(std::sqrt(10.0)));
    CHECK(rows[0].mean == doctest::Approx(1.5));
    CHECK(rows[0].stddev == doctest::Approx(0.5));
    CHECK(rows[1].name == "0.bias");
    CHECK(rows[1].stddev == 0);
    CHECK(rows[1].zeros == 0);
}

TEST_CASE("diagnostics: printed as tables") {
    std::ostringstream layers, gradients;
    layers << std::vector<LayerStatistics>{
        {.name = "0", .type = "Identity"},
        {.name = "1",
         .type = "ReLU",
         .outputs = 8,
         .mean = 1.75,
         .stddev = 0.5,
         .zeros = 0.625,
         .dead_units = 1},
        {.name = "", .type = "Tanh", .outputs = 1, .mean = -12.34567}};
    CHECK(layers.str() ==
          "Layer (type)    Mean  Std  Zeros  Dead units\n"
          "--------------------------------------------\n"
          "0 (Identity)       -    -      -  not called\n"
          "1 (ReLU)        1.75  0.5  62.5%      100.0%\n"
          "Tanh          -12.35    0   0.0%        0.0%\n");
    gradients << std::vector<GradientStatistics>{
        {.name = "0.weight", .norm = 5, .mean = -0.25, .stddev = 2.5, .largest = 4, .zeros = 0.5}};
    CHECK(gradients.str() ==
          "Parameter  Norm   Mean  Std  Largest  Zeros\n"
          "-------------------------------------------\n"
          "0.weight      5  -0.25  2.5        4  50.0%\n");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

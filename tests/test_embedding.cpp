#include <primer/layers/embedding.h>

#include <cmath>

#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

TEST_CASE("Embedding: rows of the weight") {
    Rng rng(1);
    Embedding layer(3, 2, rng);
    layer.weight.copy_(tensor({1, 2, 3, 4, 5, 6}, {3, 2}));
    check_values(layer({2, 0}), {2, 2}, {5, 6, 1, 2});
    check_values(layer({2}), {1, 2}, {5, 6});  // an index, as in PyTorch's tensor([2])
    check_values(layer(IntTensor({1, 2}, {1, 1})), {1, 2, 2}, {3, 4, 3, 4});
    check_values(layer(tensor({2, 0}, {2, 1})), {2, 1, 2}, {5, 6, 1, 2});
    CHECK(layer(IntTensor()).shape() == Shape{0, 2});
    REQUIRE(layer.named_parameters().size() == 1);
    CHECK(layer.named_parameters()[0].first == "weight");
}

TEST_CASE("Embedding: in a Sequential, learning") {
    Rng rng(2);
    Sequential model(Embedding(5, 4, {.padding_idx = 0}, rng), Flatten(), Linear(8, 3, rng));
    SGD optimizer(model.parameters(), {.lr = 0.1});
    const Tensor before = model.parameters()[0].clone();
    const Tensor words = tensor(IntTensor({3, 2}, {1, 2, 0, 3, 2, 0}));
    for (int step = 0; step < 2; ++step) {
        optimizer.zero_grad();
        Tape tape;
        tape.backward(cross_entropy(model(words), {0, 1, 2}));
        optimizer.step();
    }
    const Tensor weight = model.parameters()[0];
    for (const Index row : {0, 1, 2, 3, 4}) {
        CAPTURE(row);
        const bool learns = row >= 1 && row <= 3;
        CHECK(std::ranges::equal(weight[row].values(), before[row].values()) != learns);
    }
    check_values(weight[0], {4}, {0, 0, 0, 0});
}

TEST_CASE("Embedding: initial values") {
    Rng rng(3);
    const Embedding layer(1000, 20, {.padding_idx = -2}, rng);
    const double m = static_cast<double>(mean(layer.weight).item());
    const double square = static_cast<double>(mean(layer.weight * layer.weight).item());
    CHECK(std::abs(m) < 0.03);
    CHECK(std::abs(square - 1) < 0.05);
    CHECK(sum(layer.weight[998] * layer.weight[998]).item() == 0);
    CHECK(sum(layer.weight[0] * layer.weight[0]).item() > 0);
}

TEST_CASE("Embedding: gradients") {
    Rng rng(4);
    Embedding layer(4, 3, rng);
    check_gradients(
        [&](const std::vector<Tensor>& in) {
            layer.weight = Parameter(in[0]);
            return layer(IntTensor({2, 2}, {3, 0, 3, 1}));
        },
        {randn({4, 3}, rng)});
}

TEST_CASE("Embedding: what does not fit") {
    Rng rng(5);
    Embedding layer(3, 2, rng);
    check_error(
        [&] {
            layer(IntTensor{1, 3});
        },
        {"Embedding: embedding: index 3, at position 1 of the indices [2]"});
    for (const double value : {0.5, -1.25, double{NAN}, double{INFINITY}, 1e30}) {
        CAPTURE(value);
        check_error(
            [&] {
                layer(tensor({1, value}));
            },
            {"Embedding: embedding: expected whole numbers, the indices, got ",
             "at position 1 of x [2]"});
    }
    check_error([&] { Embedding(0, 2, rng); },
                {"Embedding(0, 2): expected at least one row and one column"});
    check_error([&] { Embedding(2, 0, rng); }, {"Embedding(2, 0): "});
    check_error([&] { Embedding(Index{1} << 60, 1, rng); }, {"): expected at most "});
    for (const Index padding : {3, -4}) {
        check_error([&] { Embedding(3, 2, {.padding_idx = padding}, rng); },
                    {"Embedding(3, 2): expected a padding_idx from -3 to 2, got "});
    }
}

TEST_CASE("Embedding: description") {
    Rng rng(6);
    CHECK(Embedding(10, 3, rng).describe() == "Embedding(10, 3)");
    CHECK(Embedding(10, 3, {.padding_idx = 0}, rng).describe() ==
          "Embedding(10, 3, padding_idx=0)");
    CHECK(Embedding(10, 3, {.padding_idx = -1}, rng).describe() ==
          "Embedding(10, 3, padding_idx=9)");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/layers/flatten.h>

#include <primer/core/rng.h>
#include "support.h"

namespace primer {
namespace {

TEST_CASE("flatten layer: keeps the batch") {
    Flatten flatten;
    CHECK(flatten(zeros({64, 3, 32, 32})).shape() == Shape{64, 3072});
    CHECK(flatten(zeros({5, 7})).shape() == Shape{5, 7});
    CHECK(flatten(zeros({0, 3, 4})).shape() == Shape{0, 12});
    // Row-major, so the values stay in their order.
    check_values(flatten(tensor({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2})), {2, 4},
                 {1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("flatten layer: other dimensions") {
    const Tensor x = zeros({2, 3, 4, 5});
    CHECK(Flatten(0)(x).shape() == Shape{120});
    CHECK(Flatten(0, 1)(x).shape() == Shape{6, 4, 5});
    CHECK(Flatten(1, 2)(x).shape() == Shape{2, 12, 5});
    CHECK(Flatten(-2)(x).shape() == Shape{2, 3, 20});
    CHECK(Flatten(2, 2)(x).shape() == Shape{2, 3, 4, 5});
}

TEST_CASE("flatten layer: gradients") {
    Rng rng(1);
    Flatten all, middle(1, 2);
    check_gradients([&](const std::vector<Tensor>& in) { return all(in[0]); },
                    {randn({2, 3, 2, 2}, rng)});
    check_gradients([&](const std::vector<Tensor>& in) { return middle(in[0]); },
                    {randn({2, 3, 2, 2}, rng)});
}

TEST_CASE("flatten layer: bad shapes") {
    // An image without its batch has no dimension 1 to start from.
    check_error([] { Flatten()(zeros({784})); },
                {"Flatten: flatten: expected a dimension from -1 to 0 for the "
                 "shape [784], got 1"});
    check_error(
        [] {
            Flatten(2, 1)(zeros({2, 3, 4}));
        },
        {"Flatten: flatten: start_dim 2 comes after end_dim 1 in shape [2, 3, 4]"});
    check_error([] { Flatten(1, 4)(zeros({2, 3, 4})); }, {"Flatten: flatten: ", "got 4"});
}

TEST_CASE("flatten layer: description") {
    CHECK(Flatten().describe() == "Flatten(start_dim=1, end_dim=-1)");
    CHECK(Flatten(0, 2).describe() == "Flatten(start_dim=0, end_dim=2)");
    CHECK(Flatten().parameters().empty());
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <functional>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

constexpr PadOptions kReflect{.mode = PadMode::reflect};

TEST_CASE("pad: with a constant, worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2});
    check_values(pad(x, {1, 2}), {2, 5}, {0, 1, 2, 0, 0, 0, 3, 4, 0, 0});
    check_values(pad(x, {0, 1, 1, 0}, {.value = 7}), {3, 3}, {7, 7, 7, 1, 2, 7, 3, 4, 7});
    check_values(pad(x, {-1, 0}), {2, 1}, {2, 4});
    check_values(pad(x, {1, -1, -1, 1}, {.value = 9}), {2, 2}, {9, 3, 9, 9});
    check_values(pad(x, {-2, 1}), {2, 1}, {0, 0});
    CHECK(pad(x, {-1, -1}).shape() == Shape{2, 0});
    check_values(pad(zeros({0, 2}), {0, 1, 1, 0}, {.value = 2}), {1, 3}, {2, 2, 2});
    check_values(pad(Tensor(3), {}), {}, {3});
    const Tensor same = pad(x, {});
    check_values(same, {2, 2}, {1, 2, 3, 4});
    CHECK(same.data() != x.data());
    check_values(pad(tensor({1}), {1, 1}, {.value = NAN}), {3}, {NAN, 1, NAN});
    const std::vector<Index> sizes{1, 0};
    check_values(pad(tensor({5}), sizes), {2}, {0, 5});
}

TEST_CASE("pad: by reflection, worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    check_values(pad(x, {2, 1}, kReflect), {2, 6}, {3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5});
    check_values(pad(x, {1, 0, 1, 1}, kReflect), {4, 4},
                 {5, 4, 5, 6, 2, 1, 2, 3, 5, 4, 5, 6, 2, 1, 2, 3});
    check_values(pad(x, {0, 0, 0, 1}, kReflect), {3, 3}, {1, 2, 3, 4, 5, 6, 1, 2, 3});
    check_values(pad(x, {-1, 2}, kReflect), {2, 4}, {2, 3, 2, 1, 5, 6, 5, 4});
    check_values(pad(x, {2, -4}, kReflect), {2, 1}, {3, 6});
    const Tensor same = pad(x, {0, 0}, kReflect);
    check_values(same, {2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(same.data() != x.data());
    CHECK(pad(zeros({0, 3}), {2, 2}, kReflect).shape() == Shape{0, 7});
}

TEST_CASE("pad: beyond one chunk of work, against plain loops") {
    const Tensor x = reshape(arange(3 * 80 * 120), {3, 80, 120});
    const Tensor zero = pad(x, {5, 3, 2, 7}), mirror = pad(x, {5, 3, 2, 7}, kReflect);
    REQUIRE(zero.shape() == Shape{3, 89, 128});
    REQUIRE(mirror.shape() == zero.shape());
    const auto reflected = [](Index i, Index size) {
        return i < 0 ? -i : i < size ? i : 2 * (size - 1) - i;
    };
    Index wrong = 0;
    for (Index n = 0; n < 3; ++n) {
        for (Index i = 0; i < 89; ++i) {
            for (Index j = 0; j < 128; ++j) {
                const Index r = i - 2, c = j - 5;
                const bool inside = r >= 0 && r < 80 && c >= 0 && c < 120;
                wrong += zero.at({n, i, j}) != (inside ? x.at({n, r, c}) : 0);
                wrong += mirror.at({n, i, j}) != x.at({n, reflected(r, 80), reflected(c, 120)});
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("pad: gradients") {
    const Tensor x = zeros({3}).requires_grad_();
    {
        Tape tape;
        tape.backward(sum(pad(x, {2, 1}, kReflect) * tensor({1, 2, 3, 4, 5, 6})));
    }
    check_values(x.grad(), {3}, {3, 2 + 4 + 6, 1 + 5});

    Rng rng(1);
    const std::vector<std::vector<Index>> all{
        {1, 2}, {2, 0, 1, 1}, {-1, 2}, {0, -2, -1, 1}, {0, 0, 2, 0}, {1, 1, 1, 1, 1, 1}, {}};
    for (const std::vector<Index>& sizes : all) {
        for (const PadMode mode : {PadMode::constant, PadMode::reflect}) {
            CAPTURE(sizes.size());
            check_gradients(
                [&](const Inputs& in) { return pad(in[0], sizes, {.mode = mode, .value = 3}); },
                {randn({2, 3, 4}, rng)});
        }
    }
    check_gradients([](const Inputs& in) { return pad(in[0], {-4, 2}); }, {randn({2, 4}, rng)});
    check_gradients([](const Inputs& in) { return pad(in[0], {}); }, {randn({}, rng)});
    check_gradients(
        [](const Inputs& in) {
            return pad(in[0], {1, 1}, kReflect);
        },
        {randn({0, 2}, rng)});
}

TEST_CASE("pad: what does not fit") {
    const Tensor x = zeros({2, 3});
    check_error([&] { pad(x, {1}); },
                {"pad: expected two sizes for each dimension, the last dimension first, at most 4 "
                 "for x [2, 3], got 1"});
    check_error([&] { pad(x, {1, 1, 1, 1, 1, 1}); }, {"at most 4 for x [2, 3], got 6"});
    check_error([] { pad(Tensor(1), {1, 1}); }, {"at most 0 for x [], got 2"});
    for (const std::vector<Index>& sizes :
         {std::vector<Index>{-2, -2}, {-4, 4}, {2, -4}, {0, 0, -1, -2}}) {
        check_error([&] { pad(x, sizes); },
                    {"pad: expected negative sizes to take away no more than there is, got "});
    }
    check_error(
        [&] {
            pad(x, {0, 3}, kReflect);
        },
        {"pad: expected sizes below that of the dimension", "got 0 and 3 for dimension 1 of x"});
    for (const std::vector<Index>& sizes :
         {std::vector<Index>{3, 0}, {-1, -2}, {0, 0, 2, 0}, {0, 0, 0, 2}}) {
        check_error([&] { pad(x, sizes, kReflect); }, {"pad: expected sizes below"});
    }
    check_error([] { pad(zeros({2, 0}), {1, 0}, kReflect); }, {"got 1 and 0"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

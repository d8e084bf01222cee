#include <primer/core/creation.h>
#include <primer/core/ops.h>

#include <limits>
#include <vector>

#include "parity.h"
#include "support.h"

namespace primer {
namespace {

template <class... A>
concept CanTensor = requires(A... a) {
    tensor({a...});
};
static_assert(CanTensor<int, double> && CanTensor<Index> && !CanTensor<bool> && !CanTensor<char>);

}  // namespace

TEST_CASE("creation: zeros, ones, full, arange") {
    check_values(zeros({2, 2}), {2, 2}, {0, 0, 0, 0});
    check_values(ones({3}), {3}, {1, 1, 1});
    check_values(full({1, 2}, Real(-2.5)), {1, 2}, {-2.5, -2.5});
    check_values(full({}, 3), {}, {3});
    check_values(arange(4), {4}, {0, 1, 2, 3});
    check_values(arange(0), {0}, {});
    CHECK(empty({3, 4}).shape() == Shape{3, 4});
    CHECK(empty({0, 4}).numel() == 0);
    check_error([] { arange(-1); }, {"arange: expected a count of 0 or more, got -1"});
}

TEST_CASE("creation: from listed values") {
    check_values(tensor({1, 2, 3, 4, 5, 6}, {2, 3}), {2, 3}, {1, 2, 3, 4, 5, 6});
    check_values(tensor({1, 2}), {2}, {1, 2});
    check_values(tensor({4}, {}), {}, {4});
    check_values(tensor({}, {0, 3}), {0, 3}, {});
    check_error([] { tensor({1, 2, 3}, {2, 2}); }, {"tensor: shape [2, 2] needs 4 values, got 3"});
    check_error([] { tensor({}, {}); }, {"tensor: shape [] needs 1 values, got 0"});
}

TEST_CASE("creation: a copy of existing values") {
    std::vector<Real> values{1, 2, 3};
    const Tensor x = tensor(values, {3, 1});
    values[0] = 7;
    check_values(x, {3, 1}, {1, 2, 3});
    check_error([&] { tensor(values, {2}); }, {"tensor: shape [2] needs 2 values, got 3"});
}

TEST_CASE("creation: random values come from the generator, in order") {
    Rng rng(42), same(42);
    const Tensor u = rand({2, 3}, rng);
    CHECK(u.shape() == Shape{2, 3});
    for (Real v : u.values()) CHECK(v == same.uniform());
    const Tensor n = randn({5}, rng);
    for (Real v : n.values()) CHECK(v == same.normal());
    CHECK(rng.state() == same.state());
}

TEST_CASE("creation: the braces make the shape") {
    check_values(tensor(3.5), {}, {3.5});
    check_values(tensor({}), {0}, {});
    check_values(tensor({7}), {1}, {7});
    check_values(tensor({1, 2.5, -3}), {3}, {1, 2.5, -3});
    check_values(tensor({{1, 2}, {3, 4}}), {2, 2}, {1, 2, 3, 4});
    check_values(tensor({{1}, {2}}), {2, 1}, {1, 2});
    check_values(tensor({{1}}), {1, 1}, {1});
    check_values(tensor({{1, 2}}), {1, 2}, {1, 2});
    check_values(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}), {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
    check_values(tensor({{{{1.5}}, {{2}}}}), {1, 2, 1, 1}, {1.5, 2});
    check_values(tensor({{{{{{1}}}}}}), {1, 1, 1, 1, 1, 1}, {1});
    check_values(tensor({{}, {}}), {2, 0}, {});
    const int n = 2;
    const Index i = 3;
    const Real r = 0.5;
    check_values(tensor({{n, 1}, {i, r}}), {2, 2}, {2, 1, 3, 0.5});
}

TEST_CASE("creation: a copy of a range of numbers") {
    std::vector<double> v{1, 2.5};
    const Tensor x = tensor(v);
    v[0] = 7;
    check_values(x, {2}, {1, 2.5});
    check_values(tensor(std::vector<int>{3, 4, 5}), {3}, {3, 4, 5});
    check_values(tensor(x.values()), {2}, {1, 2.5});
    check_values(tensor(std::vector<Real>{}), {0}, {});
}
template <class T>
concept CopiesVector = requires(const std::vector<T>& v) {
    tensor(v);
};
static_assert(CopiesVector<float> && CopiesVector<Index> && !CopiesVector<bool>);

TEST_CASE("creation: lists of different lengths") {
    check_error(
        [] {
            tensor({{1, 2}, {3}});
        },
        {"tensor: expected lists of 2 in dimension 1, as at its beginning, got one of 1"});
    check_error([] { tensor({{}, {3}}); }, {"expected lists of 0 in dimension 1", "one of 1"});
    check_error([] { tensor({{{1}, {2}}, {{3}}}); }, {"expected lists of 2 in dimension 1"});
    check_error(
        [] {
            tensor({1, {2}});
        },
        {"tensor: expected a number in dimension 1, as at its beginning, got a list"});
    check_error(
        [] {
            tensor({{1}, 2});
        },
        {"tensor: expected a list in dimension 1, as at its beginning, got the number 2"});
    check_error([] { tensor({{{{{{{1}}}}}}}); }, {"Shape: expected at most 6 dimensions, got 7"});
}

TEST_CASE("creation: of another tensor's shape") {
    const Tensor x = arange(6).requires_grad_();
    check_values(zeros_like(x), {6}, {0, 0, 0, 0, 0, 0});
    check_values(ones_like(full({1, 2}, 5)), {1, 2}, {1, 1});
    CHECK_FALSE(zeros_like(x).requires_grad());
    Rng rng(1), same(1);
    check_values(rand_like(zeros({2}), rng) - rand({2}, same), {2}, {0, 0});
    check_values(randn_like(zeros({2}), rng) - randn({2}, same), {2}, {0, 0});
    check_error([] { zeros_like(Tensor()); }, {"this tensor is undefined"});
}

TEST_CASE("creation: arange with start, end and step") {
    check_values(arange(2, 5), {3}, {2, 3, 4});
    check_values(arange(0, 1, 0.25), {4}, {0, 0.25, 0.5, 0.75});
    check_values(arange(0, 1.1, 0.25), {5}, {0, 0.25, 0.5, 0.75, 1});
    check_values(arange(5, 0, -2), {3}, {5, 3, 1});
    check_values(arange(1, 1), {0}, {});
    check_values(arange(1, 1, -1), {0}, {});
    check_error([] { arange(0, 5, -1); },
                {"arange: expected a step that leads from the start to the end, got the step -1 "
                 "from 0 to 5"});
    check_error([] { arange(5, 0); }, {"got the step 1 from 5 to 0"});
    check_error([] { arange(0, NAN); }, {"arange: "});
    check_error([] { arange(0, 0, 0); }, {"arange: "});
    check_error([] { arange(0, 1, 0); }, {"arange: ", "too many steps of 0"});
    check_error([] { arange(0, INFINITY); }, {"arange: ", "too many steps of 1"});
    check_error([] { arange(0, 1, INFINITY); }, {"arange: "});
}

TEST_CASE("creation: linspace") {
    check_values(linspace(0, 1, 5), {5}, {0, 0.25, 0.5, 0.75, 1});
    check_values(linspace(3, -3, 4), {4}, {3, 1, -1, -3});
    check_values(linspace(2, 9, 1), {1}, {2});
    check_values(linspace(2, 9, 2), {2}, {2, 9});
    check_values(linspace(2, 9, 0), {0}, {});
    // Both ends are exact.
    const Tensor x = linspace(0.1, 0.7, 8);
    CHECK(x.at({0}) == Real(0.1));
    CHECK(x.at({7}) == Real(0.7));
    check_error([] { linspace(0, 1, -1); }, {"linspace: expected 0 or more steps, got -1"});
}

TEST_CASE("creation: eye") {
    check_values(eye(2), {2, 2}, {1, 0, 0, 1});
    check_values(eye(2, 3), {2, 3}, {1, 0, 0, 0, 1, 0});
    check_values(eye(3, 1), {3, 1}, {1, 0, 0});
    check_values(eye(0), {0, 0}, {});
    check_values(eye(2, 0), {2, 0}, {});
    check_error([] { eye(-1); }, {"expected sizes of 0 or more, got [-1, -1]"});
}

TEST_CASE("creation: random whole numbers") {
    Rng rng(3), same(3);
    const IntTensor x = randint(-2, 4, {50, 2}, rng);
    CHECK(x.shape == Shape{50, 2});
    std::vector<int> hits(6);
    for (Index v : x.values) {
        CHECK(v == same.below(6) - 2);
        ++hits.at(static_cast<std::size_t>(v + 2));
    }
    for (int h : hits) CHECK(h > 0);
    CHECK(randint(10, {4}, rng).values == randint(0, 10, {4}, same).values);
    CHECK(randint(7, 8, {2}, rng).values == std::vector<Index>{7, 7});
    CHECK(randint(1, {0}, rng).values.empty());
    constexpr Index least = std::numeric_limits<Index>::min();
    CHECK(randint(least, -1, {1}, rng).values[0] < -1);
    check_error([] { randint(3, 3, {1}); }, {"randint: expected low < high", "got 3 and 3"});
    check_error([] { randint(0, {1}); }, {"randint: ", "got 0 and 0"});
    check_error([] { randint(least, 0, {1}); }, {"randint: ", "not too far apart"});

    CHECK(randperm(10, rng = Rng(4)).values == Rng(4).permutation(10));
    CHECK(randperm(0).shape == Shape{0});
    check_error([] { randperm(-1); }, {"expected a count of 0 or more, got -1"});
}

TEST_CASE("creation: parity with PyTorch") {
    check_parity(
        "creation",
        {
            {"arange", [](const ParityInputs&) { return arange(7); }},
            {"arange from to", [](const ParityInputs&) { return arange(-2.5, 4); }},
            {"arange with a step", [](const ParityInputs&) { return arange(0, 1, 0.1); }},
            {"arange that ends at a step", [](const ParityInputs&) { return arange(1, 2, 0.125); }},
            {"arange downwards", [](const ParityInputs&) { return arange(3, -2, -0.75); }},
            {"arange of nothing", [](const ParityInputs&) { return arange(3, 3, -1); }},
            {"linspace", [](const ParityInputs&) { return linspace(-1, 2, 10); }},
            {"linspace of an odd number",
             [](const ParityInputs&) { return linspace(0.1, 0.7, 7); }},
            {"linspace downwards", [](const ParityInputs&) { return linspace(5, -5, 4); }},
            {"linspace of one", [](const ParityInputs&) { return linspace(3, 9, 1); }},
            {"linspace of none", [](const ParityInputs&) { return linspace(3, 9, 0); }},
            {"eye", [](const ParityInputs&) { return eye(3); }},
            {"eye, wide", [](const ParityInputs&) { return eye(2, 4); }},
            {"eye, tall", [](const ParityInputs&) { return eye(4, 2); }},
            {"tensor",
             [](const ParityInputs&) {
                 return tensor({{{1}, {2.5}}, {{3}, {-4}}});
             }},
            {"tensor of nothing",
             [](const ParityInputs&) {
                 return tensor({{}, {}});
             }},
        });
}

TEST_CASE("creation: sizes without braces, as in PyTorch") {
    CHECK(zeros(2, 3).shape() == Shape{2, 3});
    CHECK(ones(std::size_t{4}).shape() == Shape{4});
    CHECK(empty(2, Index{0}, 5).shape() == Shape{2, 0, 5});
    check_values(zeros(2), {2}, {0, 0});
    check_values(ones(1, 2), {1, 2}, {1, 1});
    manual_seed(3);
    const Tensor uniform = rand(2, 3), normal = randn(2, 3);
    manual_seed(3);
    CHECK(std::ranges::equal(uniform.values(), rand({2, 3}).values()));
    CHECK(std::ranges::equal(normal.values(), randn({2, 3}).values()));
    check_error([] { zeros(2, -1); }, {"-1"});
    check_error([] { ones(1, 1, 1, 1, 1, 1, 1); }, {"6"});
}

TEST_CASE("creation: to_int cuts off what is behind the point, and tensor goes back") {
    const IntTensor x = to_int(tensor({{-1.75, 0.9, 3}, {-0.0, 7.5, 1e6}}));
    CHECK(x.shape == Shape{2, 3});
    CHECK(x.values == std::vector<Index>{-1, 0, 3, 0, 7, 1000000});
    check_values(tensor(x), {2, 3}, {-1, 0, 3, 0, 7, 1e6});
    CHECK(to_int(Tensor(2.5)).shape == Shape{});
    CHECK(to_int(zeros({0, 3})).shape == Shape{0, 3});
    check_error(
        [] {
            to_int(tensor({1, NAN}));
        },
        {"to_int: expected numbers that an Index can hold, got nan"});
    check_error([] { to_int(1e30); }, {"to_int: ", "1e+30"});
    check_error([] { to_int(Tensor()); }, {"undefined"});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <concepts>
#include <vector>

#include <primer/core/op.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "elementwise.h"
#include "support.h"

namespace primer {
namespace {

const std::vector<Binary> kExtremes{
    {"maximum", maximum, [](double a, double b) { return a > b ? a : b; }},
    {"minimum", minimum, [](double a, double b) { return a < b ? a : b; }},
};

const std::vector<Binary> kComparisons{
    {"lt", lt, [](double a, double b) { return a < b ? 1.0 : 0.0; }},
    {"le", le, [](double a, double b) { return a <= b ? 1.0 : 0.0; }},
    {"gt", gt, [](double a, double b) { return a > b ? 1.0 : 0.0; }},
    {"ge", ge, [](double a, double b) { return a >= b ? 1.0 : 0.0; }},
    {"eq", eq, [](double a, double b) { return a == b ? 1.0 : 0.0; }},
    {"ne", ne, [](double a, double b) { return a != b ? 1.0 : 0.0; }},
};

// 0, 1 and 2, so that there are ties.
Tensor few(const Shape& shape, Rng& rng) {
    const Tensor x = empty(shape);
    Real* out = x.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) out[i] = static_cast<Real>(rng.below(3));
    return x;
}

// --- maximum and minimum -------------------------------------------------------------------------

TEST_CASE("maximum and minimum: worked out by hand") {
    const Tensor a = tensor({1, 5, -2, 3}), b = tensor({4, 2, -1, 3});
    check_values(maximum(a, b), {4}, {4, 5, -1, 3});
    check_values(minimum(a, b), {4}, {1, 2, -2, 3});
    check_values(maximum(a, 2), {4}, {2, 5, 2, 3});
    check_values(minimum(2, a), {4}, {1, 2, -2, 2});
    check_values(maximum(tensor({0, 3}, {2, 1}), tensor({1, 2, 4})), {2, 3}, {1, 2, 4, 3, 3, 4});
    check_values(maximum(tensor({NAN, 1, NAN, inf, -inf}), tensor({1, NAN, NAN, 1, 1})), {5},
                 {NAN, NAN, NAN, inf, 1});
    check_values(minimum(tensor({NAN, 1, NAN, inf, -inf}), tensor({1, NAN, NAN, 1, 1})), {5},
                 {NAN, NAN, NAN, 1, -inf});
}

TEST_CASE("maximum and minimum: on a tie each gets half of the gradient, at a NaN all of it") {
    const auto gradients = [](auto op) {
        const Tensor a = tensor({1, 5, 3, NAN, 2}).requires_grad_();
        const Tensor b = tensor({4, 2, 3, 2, NAN}).requires_grad_();
        Tape tape;
        tape.backward(sum(op(a, b) * tensor({10, 20, 30, 40, inf})));
        return std::pair(a.grad(), b.grad());
    };
    const auto [max_a, max_b] = gradients(maximum);
    check_values(max_a, {5}, {0, 20, 15, 40, inf});
    check_values(max_b, {5}, {10, 0, 15, 40, inf});
    const auto [min_a, min_b] = gradients(minimum);
    check_values(min_a, {5}, {10, 0, 15, 40, inf});
    check_values(min_b, {5}, {0, 20, 15, 40, inf});
    // An infinite gradient leaves no NaN at the one that was not taken.
    const Tensor a = tensor({1}).requires_grad_();
    Tape tape;
    tape.backward(sum(maximum(a, 2) * inf));
    check_values(a.grad(), {1}, {0});
}

TEST_CASE("maximum and minimum: every kind of broadcasting, and more than one chunk of work") {
    Rng rng(1);
    ShapePairs pairs = kShapePairs;
    pairs.insert(pairs.end(), {{{40001}, {40001}}, {{173, 257}, {257}}, {{173, 257}, {173, 1}}});
    for (const auto& pair : pairs) {
        const Shape &s = pair.first, &t = pair.second, shape = broadcast(s, t, "test");
        for (const Binary& f : kExtremes) {
            CAPTURE(f.name);
            CAPTURE(s.str());
            CAPTURE(t.str());
            const Tensor a = positive(s, rng), b = positive(t, rng);
            check_close(f.op(a, b), shape, by_definition(a, b, shape, f.reference));
            check_close(f.op(b, a), shape, by_definition(b, a, shape, f.reference));
            if (shape.numel() > 1000) continue;
            const auto op = [&](const Inputs& x) { return f.op(x[0], x[1]); };
            check_gradients(op, {a, b});
            check_gradients(op, {b.clone(), a.clone()});
        }
    }
}

// --- clamp ---------------------------------------------------------------------------------------

TEST_CASE("clamp: worked out by hand") {
    const Tensor x = tensor({-3, -1, 0.5, 2, 7});
    check_values(clamp(x, -1, 2), {5}, {-1, -1, 0.5, 2, 2});
    check_values(clamp_min(x, 0), {5}, {0, 0, 0.5, 2, 7});
    check_values(clamp_max(x, 0), {5}, {-3, -1, 0, 0, 0});
    check_values(clamp(x, -inf, inf), {5}, {-3, -1, 0.5, 2, 7});
    check_values(clamp(x, 3, -4), {5}, {-4, -4, -4, -4, -4});
    check_values(clamp(tensor({NAN, inf, -inf}), 0, 1), {3}, {NAN, 1, 0});
    check_values(clamp_min(tensor({NAN, inf, -inf}), 0), {3}, {NAN, inf, 0});
    check_values(clamp_max(tensor({NAN, inf, -inf}), 0), {3}, {NAN, 0, -inf});
    for (const Tensor& y : {clamp(x, NAN, 1), clamp(x, 1, NAN), clamp_min(x, NAN),  //
                            clamp_max(x, NAN)}) {
        check_values(y, {5}, {NAN, NAN, NAN, NAN, NAN});
    }
    CHECK(clamp(zeros({0, 3}), 0, 1).shape() == Shape{0, 3});
    check_values(clamp(5, 0, 1), {}, {1});
    check_error([] { clamp(Tensor(), 0, 1); }, {"undefined"});
}

TEST_CASE("clamp: the derivative is 1 between the bounds, at them as well, else 0") {
    using Slopes = std::vector<double>;
    CHECK(slopes([](const Tensor& x) { return clamp(x, -1, 2); }, {-3, -1, 0, 2, 7, NAN}) ==
          Slopes{0, 1, 1, 1, 0, 0});
    CHECK(slopes([](const Tensor& x) { return clamp_min(x, -1); }, {-3, -1, inf}) ==
          Slopes{0, 1, 1});
    CHECK(slopes([](const Tensor& x) { return clamp_max(x, 2); }, {-inf, 2, 7}) == Slopes{1, 1, 0});
    CHECK(slopes([](const Tensor& x) { return clamp(x, 2, -1); }, {-3, 0, 7}) == Slopes{0, 0, 0});
    CHECK(slopes([](const Tensor& x) { return clamp_max(x, NAN); }, {1}) == Slopes{0});
    CHECK(slopes([](const Tensor& x) { return clamp_min(x, NAN); }, {1}) == Slopes{0});
    // An infinite gradient leaves no NaN outside.
    CHECK(slopes([](const Tensor& x) { return clamp(x, 0, 1) * inf; }, {5}) == Slopes{0});
}

TEST_CASE("clamp: gradients, and a plain loop agrees beyond one chunk of work") {
    Rng rng(2);
    for (const Shape& shape : kShapes) {
        CAPTURE(shape.str());
        const Tensor x = randn(shape, rng);
        check_gradients([](const Inputs& in) { return clamp(in[0], -0.51, 0.7); }, {x});
        check_gradients([](const Inputs& in) { return clamp_min(in[0], 0.1); }, {x});
        check_gradients([](const Inputs& in) { return clamp_max(in[0], 0.1); }, {x});
    }
    const Tensor x = randn({40001}, rng).requires_grad_(), dy = randn({40001}, rng);
    Tape tape;
    const Tensor y = clamp(x, -0.5, 1.5);
    tape.backward(sum(y * dy));
    Index wrong = 0;
    for (Index i = 0; i < x.numel(); ++i) {
        const Real v = x.data()[i];
        const bool inside = v >= Real(-0.5) && v <= Real(1.5);
        wrong += y.data()[i] != std::min(std::max(v, Real(-0.5)), Real(1.5));
        wrong += x.grad().data()[i] != (inside ? dy.data()[i] : Real(0));
    }
    CHECK(wrong == 0);
}

// --- where ---------------------------------------------------------------------------------------

TEST_CASE("where: worked out by hand") {
    const Tensor x = tensor({-2, 0, 3});
    check_values(where(x > 0, x, 0), {3}, {0, 0, 3});
    check_values(where(tensor({1, 0, -0.0, 0.5, NAN}), 1, 2), {5}, {1, 2, 2, 1, 1});
    check_values(where(1, x, NAN), {3}, {-2, 0, 3});
    check_values(where(0, NAN, x), {3}, {-2, 0, 3});
    check_values(where(1, 2, 3), {}, {2});
    check_values(where(tensor({1, 0}, {2, 1}), tensor({1, 2, 3}), tensor({-1}, {1, 1})), {2, 3},
                 {1, 2, 3, -1, -1, -1});
    check_values(where(tensor({1, 0, 1}), tensor({1, 2}, {2, 1}), tensor({8, 9}, {2, 1, 1})),
                 {2, 2, 3}, {1, 8, 1, 2, 8, 2, 1, 9, 1, 2, 9, 2});
    CHECK(where(zeros({0, 1}), zeros({3}), 1).shape() == Shape{0, 3});
}

TEST_CASE("where: gradients go to the one that was taken, none to the condition") {
    const Tensor c = tensor({1, 0, 1, 0}).requires_grad_();
    const Tensor a = tensor({1, 2, 3, 4}).requires_grad_(), b = tensor({5}).requires_grad_();
    {
        Tape tape;
        tape.backward(sum(where(c, a, b) * tensor({inf, 20, 30, 40})));
    }
    check_values(a.grad(), {4}, {inf, 0, 30, 0});
    check_values(b.grad(), {1}, {60});
    CHECK_FALSE(c.grad().defined());
    // The usual way around a NaN in a branch: choose before, not after.
    CHECK(slopes([](const Tensor& x) { return sqrt(where(x > 0, x, 1)); }, {4, -1}) ==
          std::vector<double>{0.25, 0});
    const Tape tape;
    CHECK_FALSE(where(c, 1, 2).requires_grad());
    CHECK(tape.size() == 0);
}

TEST_CASE("where: gradients and plain loops for every kind of broadcasting") {
    Rng rng(3);
    const std::vector<Shape> third{{}, {1}, {2, 1, 1, 1, 1, 1}, {1, 1, 1}};
    for (const auto& pair : kShapePairs) {
        for (const Shape& shape : third) {
            CAPTURE(pair.first.str());
            CAPTURE(pair.second.str());
            CAPTURE(shape.str());
            const Tensor a = positive(pair.first, rng), b = positive(pair.second, rng);
            const Tensor c = few(shape, rng);
            check_gradients([&](const Inputs& x) { return where(c, x[0], x[1]); }, {a, b});
            const Shape all = broadcast(broadcast(pair.first, pair.second, "test"), shape, "test");
            // Picks by arithmetic: m a + (1 - m) b with m of 0 and 1.
            const Tensor m = ne(c, 0), one_of = m * a.detach() + (1 - m) * b.detach();
            const Tensor y = where(c, a.detach(), b.detach());
            CHECK(y.shape() == all);
            CHECK(std::ranges::equal(y.values(), one_of.values()));
            const Tensor condition = few(pair.first, rng), other = positive(shape, rng);
            const Tensor n = ne(condition, 0);
            const Tensor z = where(condition, other, b.detach());
            CHECK(std::ranges::equal(z.values(), (n * other + (1 - n) * b.detach()).values()));
        }
    }
}

TEST_CASE("where: shapes that do not broadcast, and a condition that changes before backward") {
    check_error([] { where(zeros({2}), zeros({3}), 0); },
                {"where: the shapes [2] and [3] do not broadcast"});
    check_error([] { where(zeros({2}), 0, zeros({3})); },
                {"where: the shapes [2] and [3] do not broadcast"});
    check_error([] { where(Tensor(), 0, 1); }, {"undefined"});
    const Tensor condition = tensor({1, 0}), x = tensor({1, 2}).requires_grad_();
    Tape tape;
    const Tensor loss = sum(where(condition, x, 0));
    condition.fill_(1);
    check_error([&] { tape.backward(loss); }, {"where: backward", "fill_ has changed in place"});
}

// --- comparisons ---------------------------------------------------------------------------------

TEST_CASE("comparisons: worked out by hand, with numbers on either side") {
    const Tensor x = tensor({1, 2, 3});
    check_values(x < 2, {3}, {1, 0, 0});
    check_values(x <= 2, {3}, {1, 1, 0});
    check_values(x > 2, {3}, {0, 0, 1});
    check_values(x >= 2, {3}, {0, 1, 1});
    check_values(x == 2, {3}, {0, 1, 0});
    check_values(x != 2, {3}, {1, 0, 1});
    check_values(2 < x, {3}, {0, 0, 1});
    check_values(2 <= x, {3}, {0, 1, 1});
    check_values(2 > x, {3}, {1, 0, 0});
    check_values(2 >= x, {3}, {1, 1, 0});
    check_values(2 == x, {3}, {0, 1, 0});
    check_values(2 != x, {3}, {1, 0, 1});
    const Parameter p(tensor({3, 2, 1}));
    check_values(p == x, {3}, {0, 1, 0});
    check_values(p != p, {3}, {0, 0, 0});
    check_values(sum(p >= x), {}, {2});
}

TEST_CASE("comparisons: NaN equals nothing, and 0 equals -0") {
    const Tensor a = tensor({NAN, NAN, 1, 0, inf}), b = tensor({NAN, 1, NAN, -0.0, inf});
    check_values(a < b, {5}, {0, 0, 0, 0, 0});
    check_values(a <= b, {5}, {0, 0, 0, 1, 1});
    check_values(a > b, {5}, {0, 0, 0, 0, 0});
    check_values(a >= b, {5}, {0, 0, 0, 1, 1});
    check_values(a == b, {5}, {0, 0, 0, 1, 1});
    check_values(a != b, {5}, {1, 1, 1, 0, 0});
}

TEST_CASE("comparisons: every kind of broadcasting, and more than one chunk of work") {
    Rng rng(4);
    ShapePairs pairs = kShapePairs;
    pairs.insert(pairs.end(), {{{40001}, {40001}}, {{173, 257}, {257}}, {{173, 257}, {173, 1}}});
    for (const auto& pair : pairs) {
        for (const Binary& f : kComparisons) {
            CAPTURE(f.name);
            CAPTURE(pair.first.str());
            CAPTURE(pair.second.str());
            const Shape shape = broadcast(pair.first, pair.second, "test");
            const Tensor a = few(pair.first, rng), b = few(pair.second, rng);
            check_close(f.op(a, b), shape, by_definition(a, b, shape, f.reference));
            check_close(f.op(b, a), shape, by_definition(b, a, shape, f.reference));
        }
    }
}

TEST_CASE("comparisons: no gradient, nothing recorded, but heard by hooks") {
    struct Names : OpHook {
        void called(const Op& op) override { all.emplace_back(op.name); }
        std::vector<std::string> all;
    };
    const Tensor x = tensor({1, 2}).requires_grad_();
    const Tape tape;
    const Names names;
    for (const Binary& f : kComparisons) CHECK_FALSE(f.op(x, 1).requires_grad());
    CHECK(tape.size() == 0);
    CHECK(names.all == std::vector<std::string>{"lt", "le", "gt", "ge", "eq", "ne"});
}

TEST_CASE("compare: shapes that do not broadcast are errors that name op and shapes") {
    for (const std::vector<Binary>& ops : {kExtremes, kComparisons}) {
        for (const Binary& f : ops) {
            const std::string start = std::string(f.name) + ": the shapes [2, 3] and [2] do not";
            check_error([&] { f.op(zeros({2, 3}), zeros({2})); }, {start.c_str()});
            check_error([&] { f.op(Tensor(), 1); }, {"undefined"});
        }
    }
}

// A tensor is not a truth value, and what is no number is not compared with one.
template <class A, class B>
concept Compares = requires(const A& a, const B& b) {
    { a == b } -> std::same_as<Tensor>;
    { a < b } -> std::same_as<Tensor>;
};
static_assert(Compares<Tensor, int> && Compares<double, Tensor> && Compares<Parameter, Tensor>);
static_assert(!Compares<Tensor, bool> && !Compares<Shape, Shape> && !Compares<int, double>);
static_assert(!std::convertible_to<Tensor, bool>);

TEST_CASE("compare: IntTensors, and one with a number") {
    const IntTensor guesses = argmax(tensor({{1, 3, 2}, {5, 4, 0}, {0, 1, 2}}), 1);
    const IntTensor labels{1, 2, 2};
    check_values(guesses == labels, {3}, {1, 0, 1});
    check_values(guesses != labels, {3}, {0, 1, 0});
    CHECK(mean(guesses == labels).item() == Real(2) / 3);
    check_values(labels == 2, {3}, {0, 1, 1});
    check_values(labels != 2, {3}, {1, 0, 0});
    check_values(2 == labels, {3}, {0, 1, 1});
    check_values(2 != labels, {3}, {1, 0, 0});
    check_values(eq(IntTensor(Shape{}, {4}), IntTensor(Shape{}, {4})), {}, {1});
    // Exact where a Real is not.
    const Index large = Index{1} << 60;
    check_values(IntTensor{large, large} == IntTensor{large, large + 1}, {2}, {1, 0});
    CHECK((IntTensor{} == IntTensor{}).shape() == Shape{0});

    check_error(
        [&] {
            eq(labels, argmax(zeros({3, 2}), 1, true));
        },
        {"eq: expected two IntTensors of one shape, got [3] and [3, 1]"});
    check_error([&] { static_cast<void>(labels != IntTensor{1}); }, {"eq: ", "[3] and [1]"});
    IntTensor torn = labels;
    torn.values.pop_back();
    check_error([&] { eq(labels, torn); }, {"eq: IntTensor: shape [3] needs 3 values, got 2"});
    check_error([&] { static_cast<void>(torn == 2); },
                {"IntTensor", "shape [3] needs 3 values, got 2"});
}

static_assert(!std::equality_comparable_with<IntTensor, Tensor>);

TEST_CASE("IntTensor: item, numel and [i]") {
    const IntTensor labels{4, 5, 6};
    CHECK(labels.numel() == 3);
    CHECK(labels[0] == 4);
    CHECK(labels[-1] == 6);
    CHECK(argmax(tensor({1, 3, 2})).item() == 1);
    CHECK(IntTensor(Shape{1, 1}, {7}).item() == 7);
    check_error([&] { labels[3]; }, {"index 3 is outside shape [3]"});
    check_error([&] { labels[-4]; }, {"index -4 is outside shape [3]"});
    check_error([&] { IntTensor(Shape{1, 1}, {7})[0]; }, {"one dimension", "[1, 1]", "values"});
    check_error([&] { labels.item(); }, {"item: expected an IntTensor of one element, got", "[3]"});
    IntTensor torn = labels;
    torn.values.clear();
    check_error([&] { torn[0]; }, {"shape [3] needs 3 values, got 0"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <utility>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "elementwise.h"
#include "support.h"

namespace primer {
namespace {

const std::vector<Binary> kBinary{
    {"add", add, [](double a, double b) { return a + b; }},
    {"sub", sub, [](double a, double b) { return a - b; }},
    {"mul", mul, [](double a, double b) { return a * b; }},
    {"div", div, [](double a, double b) { return a / b; }},
    {"pow", pow, [](double a, double b) { return std::pow(a, b); }},
};

}  // namespace

TEST_CASE("elementwise: binary ops, worked out by hand") {
    const Tensor a = tensor({1, 4, 9}), b = tensor({2, -2, 0.5});
    check_values(add(a, b), {3}, {3, 2, 9.5});
    check_values(sub(a, b), {3}, {-1, 6, 8.5});
    check_values(mul(a, b), {3}, {2, -8, 4.5});
    check_values(div(a, b), {3}, {0.5, -2, 18});
    check_values(pow(a, b), {3}, {1, 0.0625, 3});
}

TEST_CASE("elementwise: operators, with numbers on either side") {
    const Tensor x = tensor({1, 2, 4});
    check_values(x + 1, {3}, {2, 3, 5});
    check_values(1 + x, {3}, {2, 3, 5});
    check_values(x - 1, {3}, {0, 1, 3});
    check_values(1 - x, {3}, {0, -1, -3});
    check_values(x * 2.5, {3}, {2.5, 5, 10});
    check_values(2.5 * x, {3}, {2.5, 5, 10});
    check_values(x / 2, {3}, {0.5, 1, 2});
    check_values(2 / x, {3}, {2, 1, 0.5});
    check_values(-x, {3}, {-1, -2, -4});
    check_values(x + x * x, {3}, {2, 6, 20});
    check_values(pow(x, 2), {3}, {1, 4, 16});
    check_values(pow(2, x), {3}, {2, 4, 16});
    check_values(pow(x, 0.5), {3}, {1, std::sqrt(2.0), 2});
}

TEST_CASE("elementwise: broadcasting, worked out by hand") {
    const Tensor m = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    check_values(m - tensor({1, 10, 100}), {2, 3}, {0, -8, -97, 3, -5, -94});
    check_values(tensor({1, 10}, {2, 1}) - m, {2, 3}, {0, -1, -2, 6, 5, 4});
    check_values(tensor({1, 2}, {2, 1}) * tensor({3, 4, 5}), {2, 3}, {3, 4, 5, 6, 8, 10});
    check_values(tensor({1, 2}, {1, 2, 1}) - tensor({3, 4}, {2, 1, 1}), {2, 2, 1},
                 {-2, -1, -3, -2});
}

// Calls check(f, s, t) for each binary op f and each pair of shapes.
template <class Check>
void for_each_binary(const ShapePairs& pairs, Check check) {
    for (const auto& pair : pairs) {
        const Shape &s = pair.first, &t = pair.second;
        for (const Binary& f : kBinary) {
            CAPTURE(f.name);
            CAPTURE(s.str());
            CAPTURE(t.str());
            check(f, s, t);
        }
    }
}

TEST_CASE("elementwise: binary ops and their definition agree for every kind of broadcasting") {
    Rng rng(1);
    for_each_binary(kShapePairs, [&](const Binary& f, const Shape& s, const Shape& t) {
        const Tensor a = positive(s, rng), b = positive(t, rng);
        const Shape shape = broadcast(s, t, "test");
        check_close(f.op(a, b), shape, by_definition(a, b, shape, f.reference));
        check_close(f.op(b, a), shape, by_definition(b, a, shape, f.reference));
    });
}

TEST_CASE("elementwise: kernels and their definition agree beyond one chunk of work") {
    Rng rng(2);
    const ShapePairs pairs{{{40001}, {40001}},     {{40001}, {}},        {{173, 257}, {257}},
                           {{173, 257}, {173, 1}}, {{3, 20000}, {3, 1}}, {{20000, 3}, {3}},
                           {{20000, 1, 3}, {2, 1}}};
    for_each_binary(pairs, [&](const Binary& f, const Shape& s, const Shape& t) {
        const Tensor a = positive(s, rng), b = positive(t, rng);
        const Shape shape = broadcast(s, t, "test");
        const Tensor y = f.op(a, b);
        const std::vector<double> expected = by_definition(a, b, shape, f.reference);
        Index wrong = 0;
        for (Index i = 0; i < y.numel(); ++i) {
            const double want = expected[static_cast<std::size_t>(i)];
            wrong +=
                std::abs(static_cast<double>(y.data()[i]) - want) > kTolerance * std::abs(want);
        }
        CHECK(wrong == 0);
    });
}

TEST_CASE("elementwise: gradients of binary ops for every kind of broadcasting") {
    Rng rng(4);
    for_each_binary(kShapePairs, [&](const Binary& f, const Shape& s, const Shape& t) {
        const auto op = [&](const Inputs& x) { return f.op(x[0], x[1]); };
        check_gradients(op, {positive(s, rng), positive(t, rng)});
        check_gradients(op, {positive(t, rng), positive(s, rng)});
    });
}

TEST_CASE("elementwise: gradients with one constant operand") {
    Rng rng(5);
    for (const Binary& f : kBinary) {
        CAPTURE(f.name);
        const Tensor constant = positive({3}, rng);
        check_gradients([&](const Inputs& x) { return f.op(x[0], constant); },
                        {positive({2, 3}, rng)});
        check_gradients([&](const Inputs& x) { return f.op(constant, x[0]); },
                        {positive({2, 3}, rng)});
        check_gradients([&](const Inputs& x) { return f.op(x[0], 1.5); }, {positive({4}, rng)});
        check_gradients([&](const Inputs& x) { return f.op(1.5, x[0]); }, {positive({4}, rng)});
    }
}

TEST_CASE("elementwise: gradients of negative operands") {
    const Tensor a = tensor({-1.5, 2, -0.7}), b = tensor({0.8, -1.2, -2});
    for (const Binary& f : {kBinary[0], kBinary[1], kBinary[2], kBinary[3]}) {
        CAPTURE(f.name);
        check_gradients([&](const Inputs& x) { return f.op(x[0], x[1]); }, {a.clone(), b.clone()});
    }
    // A negative base has only whole exponents: differentiable by the base alone.
    for (double exponent : {-2.0, -1.0, 1.0, 2.0, 3.0}) {
        CAPTURE(exponent);
        check_gradients([&](const Inputs& x) { return pow(x[0], exponent); }, {a.clone()});
    }
}

TEST_CASE("elementwise: gradients where a tensor is used twice") {
    Rng rng(7);
    for (const Binary& f : kBinary) {
        CAPTURE(f.name);
        check_gradients([&](const Inputs& x) { return f.op(x[0], x[0]); }, {positive({2, 3}, rng)});
        // With itself in another shape.
        check_gradients(
            [&](const Inputs& x) {
                return f.op(x[0], reshape(x[0], {3, 1}));
            },
            {positive({3}, rng)});
    }
}

TEST_CASE("elementwise: gradients worked out by hand") {
    const Tensor a = tensor({3}).requires_grad_(), b = tensor({2}).requires_grad_();
    const auto both = [&](Tensor (*op)(const Tensor&, const Tensor&)) {
        a.set_grad({});
        b.set_grad({});
        Tape tape;
        tape.backward(op(a, b));
        return std::pair(static_cast<double>(a.grad().item()),
                         static_cast<double>(b.grad().item()));
    };
    CHECK(both(add) == std::pair(1.0, 1.0));
    CHECK(both(sub) == std::pair(1.0, -1.0));
    CHECK(both(mul) == std::pair(2.0, 3.0));
    CHECK(both(div) == std::pair(0.5, -0.75));  // 1/b, -a/b^2
    const auto [da, db] = both(pow);
    CHECK(da == 6);  // b a^(b-1)
    CHECK(db == doctest::Approx(9 * std::log(3.0)).epsilon(kTolerance));
}

TEST_CASE("elementwise: pow at a base of 0") {
    check_values(pow(tensor({0, 0, 0, 0, 0}), tensor({0, 1, 2, 0.5, -1})), {5}, {1, 0, 0, 0, inf});
    // With respect to the base: b a^(b-1), and 0 for b = 0. As in PyTorch.
    const auto slope_at_0 = [](double exponent) {
        return slopes([=](const Tensor& a) { return pow(a, exponent); }, {0})[0];
    };
    CHECK(slope_at_0(0) == 0);
    CHECK(slope_at_0(1) == 1);
    CHECK(slope_at_0(2) == 0);
    CHECK(slopes([](const Tensor& a) { return pow(a, 0); }, {0, inf, NAN}) ==
          std::vector<double>{0, 0, 0});
    CHECK(slope_at_0(0.5) == inf);
    CHECK(slope_at_0(-1) == -inf);
    // With respect to the exponent: a^b ln a, but 0 at a = 0 for b >= 0, where the power is
    // constant.
    const auto by_exponent = slopes([](const Tensor& b) { return pow(0, b); }, {0, 1, 2, 0.5, -1});
    CHECK(by_exponent == std::vector<double>{0, 0, 0, 0, -inf});
}

TEST_CASE("elementwise: pow with an exponent of 0, 1, 2, and of a negative base") {
    const Tensor x = tensor({-2, -0.5, 3});
    check_values(pow(x, 0), {3}, {1, 1, 1});
    check_values(pow(x, 1), {3}, {-2, -0.5, 3});
    check_values(pow(x, 2), {3}, {4, 0.25, 9});
    check_values(pow(x, -1), {3}, {-0.5, -2, 1.0 / 3});
    check_values(pow(x, 0.5), {3}, {NAN, NAN, std::sqrt(3.0)});
    CHECK(slopes([](const Tensor& a) { return pow(a, 0); }, {-2, 3}) == std::vector<double>{0, 0});
    CHECK(slopes([](const Tensor& a) { return pow(a, 2); }, {-2, 3}) == std::vector<double>{-4, 6});
    // Exponents between whole ones give NaN, so there is nothing to approach.
    CHECK(std::isnan(slopes([](const Tensor& b) { return pow(-2, b); }, {2})[0]));
    CHECK(slopes([](const Tensor& b) { return pow(1, b); }, {2}) == std::vector<double>{0});
    // Infinite and NaN operands, as std::pow has them.
    check_values(pow(tensor({inf, NAN, 1, 2}), tensor({0, 0, NAN, inf})), {4}, {1, 1, 1, inf});
}

TEST_CASE("elementwise: NaN and infinity propagate") {
    check_values(tensor({NAN, inf, -inf, inf}) + tensor({1, 1, 1, -inf}), {4},
                 {NAN, inf, -inf, NAN});
    check_values(tensor({0, inf, NAN}) * tensor({inf, 2, 0}), {3}, {NAN, inf, NAN});
    check_values(tensor({1, -1, 0, 1}) / tensor({0, 0, 0, inf}), {4}, {inf, -inf, NAN, 0});
}

TEST_CASE("elementwise: tensors without elements") {
    for (const Binary& f : kBinary) {
        CAPTURE(f.name);
        const Tensor a = zeros({0, 3}).requires_grad_(), b = ones({3}).requires_grad_();
        Tape tape;
        const Tensor y = f.op(a, b);
        CHECK(y.shape() == Shape{0, 3});
        tape.backward(sum(y));
        CHECK(a.grad().shape() == Shape{0, 3});
        check_values(b.grad(), {3}, {0, 0, 0});  // a sum over nothing
    }
}

TEST_CASE("elementwise: shapes that do not broadcast are errors that name op and shapes") {
    for (const Binary& f : kBinary) {
        const std::string start =
            std::string(f.name) + ": the shapes [2, 3] and [2] do not broadcast";
        check_error(
            [&] {
                f.op(zeros({2, 3}), zeros({2}));
            },
            {start.c_str(), "sizes must be equal or one of them 1", "dimension -1 is 3 and 2"});
        check_error(
            [&] {
                f.op(zeros({4, 1}), zeros({3, 1}));
            },
            {f.name, "dimension -2 is 4 and 3"});
        check_error([&] { f.op(zeros({0}), zeros({2})); }, {f.name, "[0] and [2]"});
        check_error([&] { f.op(Tensor(), zeros({2})); }, {"undefined"});
    }
}

TEST_CASE("elementwise: inputs are left alone") {
    const Tensor a = tensor({1, 2, 3}), b = tensor({4, 5, 6});
    for (const Binary& f : kBinary) f.op(a, b);
    check_values(a, {3}, {1, 2, 3});
    check_values(b, {3}, {4, 5, 6});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

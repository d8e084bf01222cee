#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "elementwise.h"
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

struct Unary {
    const char* name;
    Tensor (*op)(const Tensor&);
    double (*reference)(double);
};

const std::vector<Unary> kUnary{
    {"neg", neg, [](double x) { return -x; }},
    {"exp", exp, [](double x) { return std::exp(x); }},
    {"log", log, [](double x) { return std::log(x); }},
    {"sqrt", sqrt, [](double x) { return std::sqrt(x); }},
    {"abs", abs, [](double x) { return std::abs(x); }},
    {"sin", sin, [](double x) { return std::sin(x); }},
    {"cos", cos, [](double x) { return std::cos(x); }},
};

constexpr double kPi = 3.14159265358979323846;

TEST_CASE("unary: worked out by hand") {
    check_values(neg(tensor({1, -2, 0})), {3}, {-1, 2, -0.0});
    check_values(exp(tensor({0, 1, -1})), {3}, {1, 2.718281828459045, 0.36787944117144233});
    check_values(log(tensor({1, 2, 10})), {3}, {0, 0.6931471805599453, 2.302585092994046});
    check_values(sqrt(tensor({0, 2.25, 2})), {3}, {0, 1.5, 1.4142135623730951});
    check_values(abs(tensor({1, -2, 0, -0.5})), {4}, {1, 2, 0, 0.5});
    check_values(sin(tensor({0, kPi / 6, kPi / 2, kPi, -kPi / 2, 13 * kPi / 6})), {6},
                 {0, 0.5, 1, 0, -1, 0.5});
    check_values(cos(tensor({0, kPi / 3, kPi / 2, kPi, -kPi / 2, 13 * kPi / 6})), {6},
                 {1, 0.5, 0, -1, 0, std::sqrt(0.75)});
}

TEST_CASE("unary: every shape, and more than one chunk of work") {
    Rng rng(3);
    std::vector<Shape> shapes = kShapes;
    shapes.push_back({40001});
    for (const Shape& shape : shapes) {
        for (const Unary& f : kUnary) {
            CAPTURE(f.name);
            CAPTURE(shape.str());
            const Tensor x = positive(shape, rng);
            std::vector<double> expected;
            for (Real v : x.values()) expected.push_back(f.reference(static_cast<double>(v)));
            check_close(f.op(x), shape, expected);
        }
    }
}

TEST_CASE("unary: gradients for every shape") {
    Rng rng(6);
    for (const Shape& shape : kShapes) {
        for (const Unary& f : kUnary) {
            CAPTURE(f.name);
            CAPTURE(shape.str());
            check_gradients([&](const Inputs& x) { return f.op(x[0]); }, {positive(shape, rng)});
        }
    }
    for (Tensor (*op)(const Tensor&) : {neg, exp, abs, sin, cos}) {
        check_gradients([&](const Inputs& x) { return op(x[0]); }, {tensor({-3, -0.5, 2, 5})});
    }
}

TEST_CASE("unary: gradients worked out by hand") {
    using Slopes = std::vector<double>;
    CHECK(slopes([](const Tensor& x) { return neg(x); }, {5}) == Slopes{-1});
    CHECK(slopes([](const Tensor& x) { return log(x); }, {4}) == Slopes{0.25});
    CHECK(slopes([](const Tensor& x) { return sqrt(x); }, {4}) == Slopes{0.25});
    CHECK(slopes([](const Tensor& x) { return exp(x); }, {0}) == Slopes{1});
    CHECK(slopes([](const Tensor& x) { return abs(x); }, {3, -2, 0, -0.0}) == Slopes{1, -1, 0, 0});
    CHECK(slopes([](const Tensor& x) { return sin(x); }, {0}) == Slopes{1});
    CHECK(slopes([](const Tensor& x) { return cos(x); }, {0}) == Slopes{0});
}

TEST_CASE("unary: NaN and infinity propagate") {
    check_values(exp(tensor({1000, -1000, inf, -inf, NAN})), {5}, {inf, 0, inf, 0, NAN});
    check_values(log(tensor({0, -1, inf, NAN})), {4}, {-inf, NAN, inf, NAN});
    check_values(sqrt(tensor({-1, inf, NAN})), {3}, {NAN, inf, NAN});
    check_values(abs(tensor({inf, -inf, NAN})), {3}, {inf, inf, NAN});
    check_values(sin(tensor({inf, -inf, NAN})), {3}, {NAN, NAN, NAN});
    check_values(cos(tensor({inf, -inf, NAN})), {3}, {NAN, NAN, NAN});
    CHECK(slopes([](const Tensor& x) { return sqrt(x); }, {0}) == std::vector<double>{inf});
    CHECK(slopes([](const Tensor& x) { return log(x); }, {0}) == std::vector<double>{inf});
    CHECK(std::isnan(slopes([](const Tensor& x) { return abs(x); }, {NAN})[0]));
    CHECK_FALSE(std::signbit(abs(tensor({-0.0})).item()));
    CHECK(std::signbit(sin(tensor({-0.0})).item()));
}

// The fast loops end at 2^20. One array has angles on both sides.
TEST_CASE("unary: sin and cos of large angles") {
    const Tensor x = tensor({1048575.9, 1048576.1, -1048576.2, 3e7, -1e10, 0.5, 1e30});
    const Tensor s = sin(x), c = cos(x);
    for (Index i = 0; i < x.numel(); ++i) {
        const auto angle = static_cast<double>(x.data()[i]);
        CAPTURE(angle);
        CHECK(static_cast<double>(s.data()[i]) ==
              doctest::Approx(std::sin(angle)).epsilon(kTolerance));
        CHECK(static_cast<double>(c.data()[i]) ==
              doctest::Approx(std::cos(angle)).epsilon(kTolerance));
    }
}

TEST_CASE("unary: inputs are left alone, and undefined ones are errors") {
    const Tensor a = tensor({1, 2, 3});
    for (const Unary& f : kUnary) {
        f.op(a);
        check_error([&] { f.op(Tensor()); }, {"undefined"});
    }
    check_values(a, {3}, {1, 2, 3});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/core/init.h>

#include <algorithm>
#include <cmath>

#include <primer/core/ops.h>
#include "support.h"

namespace primer {
namespace {

constexpr Index kOut = 500, kIn = 200;  // 10^5 numbers
constexpr double kCount = 100000;

// How many standard errors a statistic may be from its expectation. The seeds are fixed, so luck
// has no part in it: a right initialiser always passes.
constexpr double kErrors = 4;

struct Moments {
    double mean = 0, variance = 0;
};

Moments moments(const Tensor& x) {
    Moments m;
    const auto n = static_cast<double>(x.numel());
    for (Real v : x.values()) m.mean += static_cast<double>(v) / n;
    for (Real v : x.values()) {
        const double d = static_cast<double>(v) - m.mean;
        m.variance += d * d / n;
    }
    return m;
}

// The mean of n numbers has variance s^2 / n; their variance, if they are normal, 2 s^4 / n.
void check_normal(const Tensor& x, double stddev) {
    const double variance = stddev * stddev;
    const Moments m = moments(x);
    CHECK(std::abs(m.mean) < kErrors * stddev / std::sqrt(kCount));
    CHECK(std::abs(m.variance - variance) < kErrors * variance * std::sqrt(2 / kCount));
    // erf(1 / sqrt(2)) = 0.6827 of them are within one standard deviation, 0.9973 within 3.
    const auto share_within = [&](double deviations) {
        const auto within = std::ranges::count_if(x.values(), [&](Real v) {
            return std::abs(static_cast<double>(v)) < deviations * stddev;
        });
        return static_cast<double>(within) / kCount;
    };
    for (double deviations : {0.5, 1.0, 2.0, 3.0}) {
        const double p = std::erf(deviations / std::sqrt(2));
        CHECK(std::abs(share_within(deviations) - p) < kErrors * std::sqrt(p * (1 - p) / kCount));
    }
}

// Uniform numbers on [-b, b] have the variance s^2 = b^2 / 3, and the fourth moment b^4 / 5, so the
// variance of n of them varies by (b^4 / 5 - s^4) / n = 0.8 s^4 / n.
void check_uniform(const Tensor& x, double bound) {
    const double variance = bound * bound / 3;
    const Moments m = moments(x);
    CHECK(std::abs(m.mean) < kErrors * std::sqrt(variance / kCount));
    CHECK(std::abs(m.variance - variance) < kErrors * variance * std::sqrt(0.8 / kCount));
    const auto [low, high] = std::ranges::minmax(x.values());
    const double rounding = kDouble ? 1e-15 : 1e-6;
    CHECK(static_cast<double>(high) <= bound * (1 + rounding));
    CHECK(static_cast<double>(low) >= -bound * (1 + rounding));
    CHECK(static_cast<double>(high) > 0.999 * bound);
    CHECK(static_cast<double>(low) < -0.999 * bound);
}

TEST_CASE("init: gains") {
    CHECK(calculate_gain(Nonlinearity::linear) == 1);
    CHECK(calculate_gain(Nonlinearity::relu) == doctest::Approx(1.4142135623730951));
    CHECK(calculate_gain(Nonlinearity::selu) == 0.75);
    CHECK(calculate_gain(Nonlinearity::sigmoid) == 1);
    CHECK(calculate_gain(Nonlinearity::tanh) == doctest::Approx(1.6666666666666667));
    // sqrt(2 / (1 + 0.01^2)), sqrt(2 / (1 + 0.5^2)) = sqrt(1.6)
    CHECK(calculate_gain(Nonlinearity::leaky_relu) == doctest::Approx(1.4141428569978354));
    CHECK(calculate_gain(Nonlinearity::leaky_relu, 0.5) == doctest::Approx(1.2649110640673518));
    CHECK(calculate_gain(Nonlinearity::leaky_relu, 0) == calculate_gain(Nonlinearity::relu));
    check_error([] { calculate_gain(static_cast<Nonlinearity>(99)); },
                {"calculate_gain: no such nonlinearity: 99"});
}

TEST_CASE("init: kaiming_normal_") {
    Rng rng(1);
    const Tensor x = empty({kOut, kIn});
    check_normal(kaiming_normal_(x, {}, rng), 0.1);  // sqrt(2 / 200)
    check_normal(kaiming_normal_(x, {.fan = Fan::out}, rng), std::sqrt(2.0 / 500));
    check_normal(kaiming_normal_(x, {.nonlinearity = Nonlinearity::linear}, rng),
                 std::sqrt(1.0 / 200));
    check_normal(kaiming_normal_(x, {.nonlinearity = Nonlinearity::tanh}, rng),
                 5.0 / 3 / std::sqrt(200.0));
    check_normal(kaiming_normal_(x, {.nonlinearity = Nonlinearity::selu}, rng),
                 0.75 / std::sqrt(200.0));
    check_normal(kaiming_normal_(x, {.slope = 0.5, .nonlinearity = Nonlinearity::leaky_relu}, rng),
                 std::sqrt(1.6 / 200));
}

TEST_CASE("init: kaiming_uniform_") {
    Rng rng(2);
    const Tensor x = empty({kOut, kIn});
    check_uniform(kaiming_uniform_(x, {}, rng), std::sqrt(6.0 / 200));
    check_uniform(kaiming_uniform_(x, {.fan = Fan::out}, rng), std::sqrt(6.0 / 500));
    // The initial values of PyTorch's own layers, slope sqrt(5): 1 / sqrt(fan_in).
    check_uniform(kaiming_uniform_(
                      x, {.slope = std::sqrt(5.0), .nonlinearity = Nonlinearity::leaky_relu}, rng),
                  1 / std::sqrt(200.0));
}

TEST_CASE("init: xavier") {
    Rng rng(3);
    const Tensor x = empty({kOut, kIn});
    check_normal(xavier_normal_(x, 1, rng), std::sqrt(2.0 / 700));
    check_normal(xavier_normal_(x, 2, rng), 2 * std::sqrt(2.0 / 700));
    check_uniform(xavier_uniform_(x, 1, rng), std::sqrt(6.0 / 700));
    check_uniform(xavier_uniform_(x, 0.5, rng), 0.5 * std::sqrt(6.0 / 700));
}

TEST_CASE("init: a convolution's kernel counts in both fans") {
    Rng rng(4);
    const Tensor x = empty({100, 40, 5, 5});  // fan_in 40 * 25 = 1000, fan_out 100 * 25 = 2500
    check_normal(kaiming_normal_(x, {}, rng), std::sqrt(2.0 / 1000));
    check_normal(kaiming_normal_(x, {.fan = Fan::out}, rng), std::sqrt(2.0 / 2500));
    check_uniform(xavier_uniform_(x, 1, rng), std::sqrt(6.0 / 3500));
}

TEST_CASE("init: a seed gives the same weights, in the order of the generator") {
    Rng rng(9), again(9), twin(9);
    const Tensor a = kaiming_normal_(empty({3, 8}), {}, rng);
    const Tensor b = kaiming_normal_(empty({3, 8}), {}, again);
    for (Index i = 0; i < a.numel(); ++i) {
        CHECK(a.data()[i] == b.data()[i]);
        CHECK(a.data()[i] == twin.normal(0, Real(0.5)));  // sqrt(2 / 8)
    }
    // b = 3 / sqrt(2) sqrt(6 / 12) = 1.5
    const Tensor c = xavier_uniform_(empty({4, 8}), 3 / std::sqrt(2.0), rng);
    for (Real v : c.values()) {
        CHECK(static_cast<double>(v) ==
              doctest::Approx(static_cast<double>(twin.uniform(-1.5, 1.5))).epsilon(1e-6));
    }
    CHECK(rng.state() == twin.state());
}

TEST_CASE("init: kaiming takes a slope by itself, as PyTorch does") {
    Rng rng(1);
    const Tensor x = kaiming_uniform_(empty({20, 30}), {.slope = std::sqrt(5.0)}, rng);
    const auto bound = static_cast<Real>(1 / std::sqrt(30.0));
    CHECK(max(abs(x)).item() <= bound);
    // Without one it is He's, whatever the name: slope 0 is relu.
    Rng a(2), b(2);
    const Tensor he = kaiming_normal_(empty({4, 5}), {.nonlinearity = Nonlinearity::relu}, a);
    CHECK(mean(he == kaiming_normal_(empty({4, 5}), {}, b)).item() == 1);
}

TEST_CASE("init: they fill the tensor that they are given, and what they return outlives it") {
    const Tensor& made = ones_(empty({2}));
    CHECK(sum(made).item() == 2);
    Rng rng(1);
    const Tensor x = zeros({2, 3});
    CHECK(kaiming_normal_(x, {}, rng).data() == x.data());
    CHECK(xavier_uniform_(x, 1, rng).data() == x.data());
    check_values(constant_(x, Real(0.25)), {2, 3}, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25});
    check_values(x, {2, 3}, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25});
    check_values(constant_(zeros({2}), 3), {2}, {3, 3});  // any shape
    check_values(constant_(zeros({}), -1), {}, {-1});
}

TEST_CASE("init: uniform_ and normal_") {
    Rng rng(5), twin(5);
    const Tensor x = empty({kOut, kIn});
    check_uniform(uniform_(x, -3, 3, rng), 3);
    check_normal(normal_(x, 0, 1, rng), 1);
    check_normal(normal_(x, 0, 0.5, rng), 0.5);
    const Moments m = moments(normal_(x, 7, 2, rng));
    CHECK(std::abs(m.mean - 7) < kErrors * 2 / std::sqrt(kCount));
    const auto [low, high] = std::ranges::minmax(uniform_(x, 0, 1, rng).values());
    CHECK(low >= 0);
    CHECK(high <= 1);
    check_values(uniform_(empty({2, 2}), 3, 3, rng), {2, 2}, {3, 3, 3, 3});
    CHECK(normal_(empty({0}), 0, 1, rng).numel() == 0);
    check_error([&] { uniform_(x, 1, 0, rng); }, {"expected finite bounds with low <= high"});
    check_error([&] { normal_(x, 0, -1, rng); }, {"a finite stddev of 0 or more, got 0 and -1"});
}

// The variance of a standard normal number between -b and b is 1 - 2 b p(b) / share, where p is
// the density: for b = 1, p = 0.24197 and the share is 0.68269.
TEST_CASE("init: trunc_normal_") {
    Rng rng(6);
    const Tensor x = empty({kOut, kIn});
    const auto within = [&](Real low, Real high) {
        return std::ranges::all_of(x.values(), [=](Real v) { return v >= low && v <= high; });
    };
    trunc_normal_(x, 0, 1, -2, 2, rng);
    CHECK(within(-2, 2));
    trunc_normal_(x, 0, 1, -1, 1, rng);
    CHECK(within(-1, 1));
    CHECK(std::abs(moments(x).variance - (1 - 2 * 0.2419707 / 0.6826895)) < 0.005);
    trunc_normal_(x, 5, 2, 6, 20, rng);  // only one side
    CHECK(within(6, 20));
    check_error([&] { trunc_normal_(x, 0, 1, 5, 6, rng); },
                {"trunc_normal_: expected stddev > 0 and bounds with at least 1 in 100",
                 "got mean 0, stddev 1, low 5 and high 6"});
    check_error([&] { trunc_normal_(x, 0, 1, 1, -1, rng); }, {"trunc_normal_"});
    check_error([&] { trunc_normal_(x, 0, 0, -2, 2, rng); }, {"trunc_normal_"});
    check_error([&] { trunc_normal_(x, NAN, 1, -2, 2, rng); }, {"trunc_normal_"});
}

TEST_CASE("init: orthogonal_") {
    Rng rng(7);
    for (const Shape& shape : {Shape{5, 5}, Shape{3, 40}, Shape{40, 3}, Shape{8, 2, 3, 3},
                               Shape{100, 100}, Shape{1, 1}, Shape{4, 1}}) {
        CAPTURE(shape);
        const Tensor x = orthogonal_(empty(shape), 3, rng);
        const Index rows = shape[0], columns = x.numel() / rows;
        const Tensor matrix = reshape(x, {rows, columns}), turned = transpose(matrix, 0, 1);
        // The shorter of A A^T and A^T A is 9 I.
        const Tensor product = rows <= columns ? matmul(matrix, turned) : matmul(turned, matrix);
        const Tensor unit = eye_(empty(product.shape()));
        for (Index i = 0; i < product.numel(); ++i) {
            const auto found = static_cast<double>(product.data()[i] - 9 * unit.data()[i]);
            CHECK(std::abs(found) < 100 * kTolerance);
        }
    }
    // No direction is preferred: the signs of the diagonal are even.
    double positive = 0;
    for (int i = 0; i < 1000; ++i) positive += orthogonal_(empty({3, 3}), 1, rng).at({0, 0}) > 0;
    CHECK(std::abs(positive - 500) < 4 * std::sqrt(250.0));
    check_error([&] { orthogonal_(zeros({4}), 1, rng); },
                {"orthogonal_: expected a weight [out, in, ...], got shape [4]"});
    check_error([&] { orthogonal_(zeros({4, 0}), 1, rng); }, {"orthogonal_: ", "got shape [4, 0]"});
    check_error([&] { orthogonal_(zeros({4, 4}), NAN, rng); }, {"orthogonal_: expected a finite"});
}

TEST_CASE("init: zeros_, ones_, eye_ and dirac_") {
    check_values(zeros_(ones({2})), {2}, {0, 0});
    check_values(ones_(zeros({2})), {2}, {1, 1});
    check_values(eye_(full({2, 3}, 5)), {2, 3}, {1, 0, 0, 0, 1, 0});
    check_values(eye_(full({3, 2}, 5)), {3, 2}, {1, 0, 0, 1, 0, 0});
    check_error([] { eye_(zeros({2, 2, 1})); }, {"eye_: expected a matrix, got shape [2, 2, 1]"});

    check_values(dirac_(full({3, 2, 3}, 5)), {3, 2, 3},
                 {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});
    check_values(dirac_(full({4, 1, 1}, 5), 2), {4, 1, 1}, {1, 0, 1, 0});
    check_values(dirac_(full({1, 1, 4}, 5)), {1, 1, 4}, {0, 0, 1, 0});
    CHECK(dirac_(zeros({2, 2, 0})).numel() == 0);
    // It copies an image, whose edges are padded.
    Rng rng(8);
    const Tensor x = randn({1, 2, 4, 5}, rng);
    const Tensor y = conv2d(x, dirac_(empty({2, 2, 3, 3})), {}, {.padding = 1});
    CHECK(std::ranges::equal(x.values(), y.values()));
    check_error(
        [] {
            dirac_(zeros({2, 2}));
        },
        {"dirac_: expected a weight [out, in, ...] of at least three", "got shape [2, 2]"});
    check_error(
        [] {
            dirac_(zeros({4, 2, 1}), 3);
        },
        {"dirac_: expected a number of groups that divides the output channels, got 3"});
}

TEST_CASE("init: uniform_by_fan_in_ is kaiming_uniform_ with slope sqrt(5), and a bias") {
    Rng rng(9), twin(9);
    const Tensor w = empty({20, 5, 2, 2}), b = empty({20}), as = empty({20, 5, 2, 2});
    uniform_by_fan_in_(w, b, rng);
    kaiming_uniform_(as, {.slope = std::sqrt(5.0), .nonlinearity = Nonlinearity::leaky_relu}, twin);
    const double bound = 1 / std::sqrt(20.0);
    for (Index i = 0; i < w.numel(); ++i) {
        CHECK(static_cast<double>(w.data()[i]) ==
              doctest::Approx(static_cast<double>(as.data()[i])).epsilon(1e-6));
    }
    for (const Real v : b.values()) CHECK(v == twin.uniform(-bound, bound));
    uniform_by_fan_in_(w, {}, rng);
}

TEST_CASE("init: bad gains and slopes change nothing") {
    const Tensor x = ones({2, 2});
    Rng rng(1);
    for (const double bad : {std::nan(""), HUGE_VAL}) {
        const KaimingOptions options{.slope = bad, .nonlinearity = Nonlinearity::leaky_relu};
        check_error([&] { calculate_gain(Nonlinearity::leaky_relu, bad); },
                    {"calculate_gain: expected a finite slope, got "});
        check_error([&] { kaiming_normal_(x, options, rng); }, {"expected a finite slope, got "});
        check_error([&] { kaiming_uniform_(x, options, rng); }, {"expected a finite slope, got "});
    }
    for (const double bad : {std::nan(""), HUGE_VAL, -1.0}) {
        check_error([&] { xavier_normal_(x, bad, rng); },
                    {"xavier_normal_: expected a finite gain of 0 or more, got "});
        check_error([&] { xavier_uniform_(x, bad, rng); },
                    {"xavier_uniform_: expected a finite gain of 0 or more, got "});
    }
    CHECK(std::ranges::all_of(x.values(), [](Real value) { return value == 1; }));
}

TEST_CASE("init: bad shapes") {
    Rng rng(1);
    const Tensor bias = zeros({5}), none = zeros({3, 0});
    check_error([&] { kaiming_normal_(bias, {}, rng); },
                {"kaiming_normal_: expected a weight [out, in, ...], got shape [5]"});
    check_error([&] { kaiming_uniform_(bias, {}, rng); }, {"kaiming_uniform_: ", "got shape [5]"});
    check_error([&] { xavier_normal_(zeros({}), 1, rng); }, {"xavier_normal_: ", "got shape []"});
    check_error([&] { xavier_uniform_(none, 1, rng); }, {"xavier_uniform_: ", "got shape [3, 0]"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/core/init.h>

#include <algorithm>
#include <cmath>

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
    check_normal(kaiming_normal_(x, rng), 0.1);  // sqrt(2 / 200)
    check_normal(kaiming_normal_(x, rng, {.fan = Fan::out}), std::sqrt(2.0 / 500));
    check_normal(kaiming_normal_(x, rng, {.nonlinearity = Nonlinearity::linear}),
                 std::sqrt(1.0 / 200));
    check_normal(kaiming_normal_(x, rng, {.nonlinearity = Nonlinearity::tanh}),
                 5.0 / 3 / std::sqrt(200.0));
    check_normal(kaiming_normal_(x, rng, {.nonlinearity = Nonlinearity::selu}),
                 0.75 / std::sqrt(200.0));
    check_normal(kaiming_normal_(x, rng, {.nonlinearity = Nonlinearity::leaky_relu, .slope = 0.5}),
                 std::sqrt(1.6 / 200));
}

TEST_CASE("init: kaiming_uniform_") {
    Rng rng(2);
    const Tensor x = empty({kOut, kIn});
    check_uniform(kaiming_uniform_(x, rng), std::sqrt(6.0 / 200));
    check_uniform(kaiming_uniform_(x, rng, {.fan = Fan::out}), std::sqrt(6.0 / 500));
    // The initial values of PyTorch's own layers, slope sqrt(5): 1 / sqrt(fan_in).
    check_uniform(kaiming_uniform_(
                      x, rng, {.nonlinearity = Nonlinearity::leaky_relu, .slope = std::sqrt(5.0)}),
                  1 / std::sqrt(200.0));
}

TEST_CASE("init: xavier") {
    Rng rng(3);
    const Tensor x = empty({kOut, kIn});
    check_normal(xavier_normal_(x, rng), std::sqrt(2.0 / 700));
    check_normal(xavier_normal_(x, rng, 2), 2 * std::sqrt(2.0 / 700));
    check_uniform(xavier_uniform_(x, rng), std::sqrt(6.0 / 700));
    check_uniform(xavier_uniform_(x, rng, 0.5), 0.5 * std::sqrt(6.0 / 700));
}

TEST_CASE("init: a convolution's kernel counts in both fans") {
    Rng rng(4);
    const Tensor x = empty({100, 40, 5, 5});  // fan_in 40 * 25 = 1000, fan_out 100 * 25 = 2500
    check_normal(kaiming_normal_(x, rng), std::sqrt(2.0 / 1000));
    check_normal(kaiming_normal_(x, rng, {.fan = Fan::out}), std::sqrt(2.0 / 2500));
    check_uniform(xavier_uniform_(x, rng), std::sqrt(6.0 / 3500));
}

TEST_CASE("init: a seed gives the same weights, in the order of the generator") {
    Rng rng(9), again(9), twin(9);
    const Tensor a = kaiming_normal_(empty({3, 8}), rng);
    const Tensor b = kaiming_normal_(empty({3, 8}), again);
    for (Index i = 0; i < a.numel(); ++i) {
        CHECK(a.data()[i] == b.data()[i]);
        CHECK(a.data()[i] == twin.normal(0, Real(0.5)));  // sqrt(2 / 8)
    }
    // b = 3 / sqrt(2) sqrt(6 / 12) = 1.5
    const Tensor c = xavier_uniform_(empty({4, 8}), rng, 3 / std::sqrt(2.0));
    for (Real v : c.values()) {
        CHECK(static_cast<double>(v) ==
              doctest::Approx(static_cast<double>(twin.uniform(-1.5, 1.5))).epsilon(1e-6));
    }
    CHECK(rng.state() == twin.state());
}

TEST_CASE("init: they fill the tensor that they are given") {
    Rng rng(1);
    const Tensor x = zeros({2, 3});
    CHECK(&kaiming_normal_(x, rng) == &x);
    CHECK(&xavier_uniform_(x, rng) == &x);
    check_values(constant_(x, Real(0.25)), {2, 3}, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25});
    check_values(x, {2, 3}, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25});
    check_values(constant_(zeros({2}), 3), {2}, {3, 3});  // any shape
    check_values(constant_(zeros({}), -1), {}, {-1});
}

TEST_CASE("init: bad gains and slopes change nothing") {
    const Tensor x = ones({2, 2});
    Rng rng(1);
    for (const double bad : {std::nan(""), HUGE_VAL}) {
        const KaimingOptions options{.nonlinearity = Nonlinearity::leaky_relu, .slope = bad};
        check_error([&] { calculate_gain(Nonlinearity::leaky_relu, bad); },
                    {"calculate_gain: expected a finite slope, got "});
        check_error([&] { kaiming_normal_(x, rng, options); }, {"expected a finite slope, got "});
        check_error([&] { kaiming_uniform_(x, rng, options); }, {"expected a finite slope, got "});
    }
    for (const double bad : {std::nan(""), HUGE_VAL, -1.0}) {
        check_error([&] { xavier_normal_(x, rng, bad); },
                    {"xavier_normal_: expected a finite gain of 0 or more, got "});
        check_error([&] { xavier_uniform_(x, rng, bad); },
                    {"xavier_uniform_: expected a finite gain of 0 or more, got "});
    }
    CHECK(std::ranges::all_of(x.values(), [](Real value) { return value == 1; }));
}

TEST_CASE("init: bad shapes") {
    Rng rng(1);
    const Tensor bias = zeros({5}), none = zeros({3, 0});
    check_error([&] { kaiming_normal_(bias, rng); },
                {"kaiming_normal_: expected a weight [out, in, ...], got shape [5]"});
    check_error([&] { kaiming_uniform_(bias, rng); }, {"kaiming_uniform_: ", "got shape [5]"});
    check_error([&] { xavier_normal_(zeros({}), rng); }, {"xavier_normal_: ", "got shape []"});
    check_error([&] { xavier_uniform_(none, rng); }, {"xavier_uniform_: ", "got shape [3, 0]"});
}

}  // namespace
}  // namespace primer

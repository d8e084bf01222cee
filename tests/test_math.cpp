// The functions of core/kernels/isa/math.h, as the activations use them, against those of the C
// library in double.

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include <primer/core/kernels/isa.h>
#include <primer/core/kernels/isa/table.h>
#include "support.h"

namespace primer {
namespace {

using Function = std::function<void(Index, const Real*, Real*)>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The distance of neighbouring floats of x's size.
double unit_in_the_last_place(double x) {
    const int exponent = x == 0 ? -126 : std::max(std::ilogb(x), -126);
    return std::ldexp(1.0, exponent - 23);
}

// Floats of every size and sign from `least` to `most`, in steps of their bits: subnormal ones, 0,
// -0 and the infinities among them.
std::vector<Real> floats_between(double least, double most) {
    std::vector<Real> all;
    constexpr std::uint32_t infinity = 0x7f800000, step = 4001;
    for (const std::uint32_t sign : {0x00000000U, 0x80000000U}) {
        for (std::uint32_t bits = 0; bits <= infinity + step; bits += step) {
            const auto x = std::bit_cast<float>(std::min(bits, infinity) | sign);
            if (static_cast<double>(x) >= least && static_cast<double>(x) <= most) {
                all.push_back(static_cast<Real>(x));
            }
        }
    }
    return all;
}

// The largest error of f in units in the last place; infinite if only one of the two results is.
double worst_error(const Function& f, double (*exact)(double), double least, double most) {
    const std::vector<Real> x = floats_between(least, most);
    std::vector<Real> y(x.size());
    f(static_cast<Index>(x.size()), x.data(), y.data());
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = exact(static_cast<double>(x[i]));
        const auto got = static_cast<double>(y[i]), rounded = static_cast<double>(float(want));
        if (got == rounded || (std::isnan(got) && std::isnan(want))) continue;
        const double error = std::abs(got - want) / unit_in_the_last_place(want);
        worst = std::isfinite(error) ? std::max(worst, error) : kInfinity;
    }
    return worst;
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
double gate_of(double x) { return std::tanh(std::log1p(std::exp(std::min(x, 300.0)))); }
double share_of(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

// With and without fused multiply-adds, if this processor has them.
template <class Check>
void at_two_levels(const Check& check) {
    for (const kernels::Table& table : {kernels::baseline::make_table(), kernels::table()}) {
        check(table.activation, table.elementwise);
    }
}

// The limits are the errors measured over all floats, rounded up a little.
void check_errors(const kernels::ActivationKernels& f, const kernels::ElementwiseKernels& g) {
    const Function elu = [&](Index n, const Real* x, Real* y) { f.elu(n, 1, 1, x, y); };
    const Function softplus = [&](Index n, const Real* x, Real* y) { f.softplus(n, 1, 500, x, y); };
    const Real alpha = Real(0.75);
    const Function celu = [&](Index n, const Real* x, Real* y) { f.celu(n, alpha, x, y); };
    const double all = kInfinity;
    CHECK(worst_error(
              g.exp, [](double x) { return std::exp(x); }, -all, all) < 1.0);
    CHECK(worst_error(
              g.log, [](double x) { return std::log(x); }, 0, all) < 0.93);
    const double angle = kernels::kLargestAngle;
    CHECK(worst_error(
              g.sin, [](double x) { return std::sin(x); }, -angle, angle) < 0.52);
    CHECK(worst_error(
              g.cos, [](double x) { return std::cos(x); }, -angle, angle) < 0.52);
    CHECK(worst_error(
              elu, [](double x) { return x > 0 ? x : std::expm1(x); }, -all, all) < 1.1);
    CHECK(worst_error(
              f.tanh, [](double x) { return std::tanh(x); }, -all, all) < 0.95);
    CHECK(worst_error(f.sigmoid, sigmoid_of, -all, all) < 2.4);
    CHECK(worst_error(
              softplus,
              [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, -all,
              all) < 3);
    CHECK(worst_error(
              celu, [](double x) { return x > 0 ? x : 0.75 * std::expm1(x / 0.75); }, -all, all) <
          2);
    CHECK(worst_error(
              f.logsigmoid,
              [](double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }, -all,
              all) < 3);
    CHECK(worst_error(
              f.softsign, [](double x) { return x / (1 + std::abs(x)); }, -all, all) < 1.5);
    CHECK(worst_error(
              f.hardsigmoid, [](double x) { return std::clamp(x + 3, 0.0, 6.0) / 6; }, -all, all) <
          1.1);
    // Below, sigmoid and the share are subnormal, with few digits.
    CHECK(worst_error(
              f.mish, [](double x) { return x * gate_of(x); }, -87, all) < 4.3);
    CHECK(worst_error(
              f.silu, [](double x) { return x * sigmoid_of(x); }, -87, all) < 3.2);
    CHECK(worst_error(
              f.gelu, [](double x) { return x * share_of(x); }, -13, all) < 4.4);
}
TEST_CASE("math: errors in units in the last place, over all sizes") {
    at_two_levels(check_errors);
}

// Exponents with few steps and others, whole and odd ones among them, of every base: 0, infinity,
// NaN and negative ones included.
TEST_CASE("math: pow is that of the C library") {
    const auto check = [](const kernels::ActivationKernels&, const kernels::ElementwiseKernels& g) {
        std::vector<Real> bases = floats_between(-kInfinity, kInfinity);
        bases.insert(bases.end(), {1, -1, std::numeric_limits<Real>::quiet_NaN()});
        const auto n = static_cast<Index>(bases.size());
        std::vector<Real> y(bases.size());
        for (const double q : {0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 2.5, -7.0, 4.0, 0.01,
                               1e10, 16777217.0, kInfinity, -kInfinity, double{NAN}}) {
            CAPTURE(q);
            const auto exponent = static_cast<Real>(q);
            const std::vector<Real> exponents(bases.size(), exponent);
            const double limit = q == 3 ? 1.5 : 0.55;
            for (const Index stride : {0, 1}) {  // one exponent, or one for each base
                g.pow(n, bases.data(), 1, exponents.data(), stride, y.data());
                double worst = 0;
                bool same_sign = true;
                for (std::size_t i = 0; i < y.size(); ++i) {
                    const double want =
                        std::pow(static_cast<double>(bases[i]), static_cast<double>(exponent));
                    const auto got = static_cast<double>(y[i]),
                               near = static_cast<double>(float(want));
                    if (std::isnan(got) && std::isnan(want)) continue;
                    same_sign = same_sign && std::signbit(got) == std::signbit(want);
                    if (got == near) continue;
                    const double error = std::abs(got - want) / unit_in_the_last_place(want);
                    worst = std::isfinite(error) ? std::max(worst, error) : kInfinity;
                }
                CHECK(worst < limit);
                CHECK(same_sign);
            }
        }
    };
    at_two_levels(check);
}

double density_of(double x) { return std::exp(-x * x / 2) / std::sqrt(8 * std::atan(1)); }

// Near a zero of the derivative the absolute error counts, elsewhere the relative one. A subnormal
// result has too few digits to be accurate.
void check_derivative(const std::function<void(Index, const Real*, const Real*, Real*)>& backward,
                      double (*exact)(double), double zero = kInfinity) {
    const std::vector<Real> x = floats_between(-kInfinity, kInfinity), dy(x.size(), 1);
    std::vector<Real> dx(x.size());
    backward(static_cast<Index>(x.size()), x.data(), dy.data(), dx.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto at = static_cast<double>(x[i]), got = static_cast<double>(dx[i]);
        const double want = exact(at);
        if (std::isnan(want)) continue;  // the formula in double, at infinity
        const double allowed =
            1e-5 * std::abs(want) + (std::abs(at - zero) < 1 ? 1e-6 : 0.0) + 1.2e-38;
        CAPTURE(at);
        CAPTURE(want);
        CAPTURE(got);
        REQUIRE(std::abs(got - want) <= allowed);
    }
}

void check_derivatives(const kernels::ActivationKernels& f) {
    check_derivative(f.tanh_backward, [](double x) {
        const double c = std::cosh(std::min(std::abs(x), 300.0));
        return 1 / (c * c);
    });
    check_derivative(f.sigmoid_backward, [](double x) { return sigmoid_of(x) * sigmoid_of(-x); });
    check_derivative(
        f.silu_backward, [](double x) { return sigmoid_of(x) * (1 + x * sigmoid_of(-x)); },
        -1.2785);
    check_derivative(f.logsigmoid_backward, [](double x) { return sigmoid_of(-x); });
    check_derivative(f.softsign_backward, [](double x) {
        const double slope = 1 / ((1 + std::abs(x)) * (1 + std::abs(x)));
        return std::isinf(x) ? double{NAN} : slope;
    });
    check_derivative([&f](Index n, const Real* x, const Real* dy,
                          Real* dx) { f.celu_backward(n, Real(0.75), x, dy, dx); },
                     [](double x) { return x > 0 ? 1 : std::exp(x / 0.75); });
    check_derivative(
        f.mish_backward,
        [](double x) {
            if (std::isinf(x)) return double{NAN};
            const double e = std::exp(std::min(x, 300.0)), u = 1 + e;
            const double square = u * u + 1;
            const double gate = x < 0 ? e * (e + 2) / square : 1 - 2 / square;
            return gate + 4 * x * e / square * (u / square);
        },
        -1.1924);
    check_derivative(
        f.gelu_backward, [](double x) { return share_of(x) + x * density_of(x); }, -0.7518);
}
TEST_CASE("math: derivatives keep their digits, over all sizes") {
    at_two_levels([](const kernels::ActivationKernels& f, const kernels::ElementwiseKernels&) {
        check_derivatives(f);
    });
}

void check_limits(const kernels::ActivationKernels& f, const kernels::ElementwiseKernels& g) {
    const std::vector<Real> x{std::numeric_limits<Real>::quiet_NaN(), static_cast<Real>(kInfinity),
                              static_cast<Real>(-kInfinity), 0, Real(-0.0)};
    std::vector<Real> y(5);
    // A NaN of which all bits are set, as well: some functions take an exponent from x's last bits.
    const std::vector<Real> all_bits(5, static_cast<Real>(std::bit_cast<float>(0xffffffffU)));
    for (const auto& function : {f.tanh, f.sigmoid, f.gelu, f.gelu_tanh, f.silu, f.relu, f.mish,
                                 f.logsigmoid, f.softsign, f.hardsigmoid}) {
        function(5, x.data(), y.data());
        CHECK(std::isnan(y[0]));
        function(5, all_bits.data(), y.data());
        for (const Real v : y) CHECK(std::isnan(v));
    }
    g.exp(5, x.data(), y.data());
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == static_cast<Real>(kInfinity));
    CHECK(y[2] == 0);
    CHECK(y[3] == 1);
    g.log(5, x.data(), y.data());
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == static_cast<Real>(kInfinity));
    CHECK(std::isnan(y[2]));
    CHECK(y[3] == -static_cast<Real>(kInfinity));
    CHECK(y[4] == -static_cast<Real>(kInfinity));
    g.log(5, all_bits.data(), y.data());
    for (const Real v : y) CHECK(std::isnan(v));
    CHECK(g.any_beyond(5, 1, x.data()));
    CHECK_FALSE(g.any_beyond(5, static_cast<Real>(kInfinity), x.data()));
    CHECK_FALSE(g.any_beyond(2, 0, x.data() + 3));
    f.tanh(5, x.data(), y.data());
    CHECK(y[1] == 1);
    CHECK(y[2] == -1);
    CHECK(std::signbit(y[4]));
    f.elu(5, 1, 2, x.data(), y.data());
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == static_cast<Real>(kInfinity));
    CHECK(y[2] == -2);
    f.softplus(5, 1, 20, x.data(), y.data());
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == static_cast<Real>(kInfinity));
    CHECK(y[2] == 0);
}

TEST_CASE("math: NaN stays NaN, and infinity has the right limit") { at_two_levels(check_limits); }

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

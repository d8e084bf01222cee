#include "init.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "error.h"

namespace primer {
namespace {

struct Fans {
    double in, out;
};

Fans fans(const Tensor& x, const char* who) {
    check(x.rank() >= 2, who, ": expected a weight [out, in, ...], got shape ", x.shape());
    check(x.numel() > 0, who, ": expected a weight of at least one element, got shape ", x.shape());
    const auto kernel = static_cast<double>(x.shape().slice(2, x.rank()).numel());
    return {static_cast<double>(x.shape()[1]) * kernel, static_cast<double>(x.shape()[0]) * kernel};
}

// The values of x, which an initialiser has taken by value, so that it is refused as a temporary
// would be if it is the only handle to a copy: zeros_(select(w, 1, 0)) would change nothing.
Real* memory_of(Tensor& x) { return std::move(x).mutable_data("an initialiser"); }

// Sets every value to what draw() returns.
template <class Draw>
Tensor fill(Tensor& x, const Draw& draw) {
    Real* const out = memory_of(x);
    std::generate_n(out, x.numel(), draw);
    return x;
}

double kaiming_stddev(const Tensor& x, const KaimingOptions& options, const char* who) {
    const Fans fan = fans(x, who);
    return calculate_gain(options.nonlinearity, options.slope) /
           std::sqrt(options.fan == Fan::in ? fan.in : fan.out);
}

void check_gain(double gain, const char* who) {
    check(gain >= 0 && std::isfinite(gain), who, ": expected a finite gain of 0 or more, got ",
          gain);
}

double xavier_stddev(const Tensor& x, double gain, const char* who) {
    check_gain(gain, who);
    const Fans fan = fans(x, who);
    return gain * std::sqrt(2 / (fan.in + fan.out));
}

// The share of normal numbers that are below x.
double share_below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Subtracts from v what it has of the directions in `basis`, which are orthonormal (the modified
// Gram-Schmidt process). What is left has rounding errors in these directions; if it is much
// shorter than v was, they matter. A second pass removes them.
void make_orthogonal(std::vector<double>& v, const std::vector<std::vector<double>>& basis) {
    for (int pass = 0; pass < 2; ++pass) {
        for (const std::vector<double>& direction : basis) {
            const double part = dot(v, direction);
            for (std::size_t i = 0; i < v.size(); ++i) v[i] -= part * direction[i];
        }
    }
}

// `count` orthonormal vectors. Normal numbers have no preferred direction, so neither has what
// Gram-Schmidt makes of them.
std::vector<std::vector<double>> orthonormal(Index count, Index length, Rng& rng) {
    std::vector<std::vector<double>> basis;
    for (Index i = 0; i < count; ++i) {
        std::vector<double> v(static_cast<std::size_t>(length));
        double size = 0;
        while (size == 0) {
            std::ranges::generate(v, [&] { return static_cast<double>(rng.normal()); });
            make_orthogonal(v, basis);
            size = std::sqrt(dot(v, v));
        }
        for (double& value : v) value /= size;
        basis.push_back(std::move(v));
    }
    return basis;
}

}  // namespace

double calculate_gain(Nonlinearity nonlinearity, Only<double> slope) {
    switch (nonlinearity) {
        case Nonlinearity::linear:
            return 1;
        case Nonlinearity::relu:
            return std::sqrt(2.0);
        case Nonlinearity::leaky_relu:
            check(std::isfinite(slope), "calculate_gain: expected a finite slope, got ",
                  double{slope});
            return std::sqrt(2 / (1 + slope * slope));
        case Nonlinearity::selu:
            return 0.75;
        case Nonlinearity::sigmoid:
            return 1;
        case Nonlinearity::tanh:
            return 5.0 / 3;
    }
    fail("calculate_gain: no such nonlinearity: ", static_cast<int>(nonlinearity));
}

Tensor kaiming_normal_(Tensor x, const KaimingOptions& options, Rng& rng) {
    return normal_(x, 0, kaiming_stddev(x, options, "kaiming_normal_"), rng);
}

Tensor kaiming_uniform_(Tensor x, const KaimingOptions& options, Rng& rng) {
    const double bound = std::sqrt(3.0) * kaiming_stddev(x, options, "kaiming_uniform_");
    return uniform_(x, -bound, bound, rng);
}

Tensor xavier_normal_(Tensor x, Only<double> gain, Rng& rng) {
    return normal_(x, 0, xavier_stddev(x, gain, "xavier_normal_"), rng);
}

Tensor xavier_uniform_(Tensor x, Only<double> gain, Rng& rng) {
    const double bound = std::sqrt(3.0) * xavier_stddev(x, gain, "xavier_uniform_");
    return uniform_(x, -bound, bound, rng);
}

void uniform_by_fan_in_(const Tensor& weight, const Tensor& bias, Rng& rng) {
    const double bound = 1 / std::sqrt(fans(weight, "uniform_by_fan_in_").in);
    uniform_(weight, -bound, bound, rng);
    if (bias.defined()) uniform_(bias, -bound, bound, rng);
}

Tensor orthogonal_(Tensor x, Only<double> gain, Rng& rng) {
    check_gain(gain, "orthogonal_");
    fans(x, "orthogonal_");  // only checks
    const Index rows = x.shape()[0], columns = x.numel() / rows;
    const bool wide = rows <= columns;
    const auto basis = orthonormal(std::min(rows, columns), std::max(rows, columns), rng);
    Real* const out = memory_of(x);
    for (Index i = 0; i < x.numel(); ++i) {
        const auto row = static_cast<std::size_t>(i / columns);
        const auto column = static_cast<std::size_t>(i % columns);
        out[i] = static_cast<Real>(gain * (wide ? basis[row][column] : basis[column][row]));
    }
    return x;
}

Tensor uniform_(Tensor x, Only<Real> low, Only<Real> high, Rng& rng) {
    return fill(x, [&] { return rng.uniform(low, high); });
}

Tensor normal_(Tensor x, Only<Real> mean, Only<Real> stddev, Rng& rng) {
    return fill(x, [&] { return rng.normal(mean, stddev); });
}

Tensor trunc_normal_(Tensor x, Only<Real> mean, Only<Real> stddev, Only<Real> low, Only<Real> high,
                     Rng& rng) {
    const Real center = mean, unit = stddev, from = low, to = high;
    const auto below = [&](Real bound) {
        return share_below(static_cast<double>(bound - center) / static_cast<double>(unit));
    };
    check(unit > 0 && below(to) - below(from) >= 0.01,
          "trunc_normal_: expected stddev > 0 and bounds with at least 1 in 100 normal numbers ",
          "between them, got mean ", center, ", stddev ", unit, ", low ", from, " and high ", to);
    return fill(x, [&] {
        Real value = 0;
        do value = rng.normal(center, unit);
        while (value < from || value > to);
        return value;
    });
}

Tensor constant_(Tensor x, Only<Real> value) { return std::move(x).fill_(value); }

Tensor zeros_(Tensor x) { return std::move(x).fill_(0); }

Tensor ones_(Tensor x) { return std::move(x).fill_(1); }

Tensor eye_(Tensor x) {
    check(x.rank() == 2, "eye_: expected a matrix, got shape ", x.shape());
    zeros_(x);
    const Index rows = x.shape()[0], columns = x.shape()[1];
    Real* const out = memory_of(x);
    for (Index i = 0; i < std::min(rows, columns); ++i) out[i * columns + i] = 1;
    return x;
}

Tensor dirac_(Tensor x, Only<Index> groups) {
    check(x.rank() >= 3, "dirac_: expected a weight [out, in, ...] of at least three dimensions, ",
          "got shape ", x.shape());
    const Index outputs = x.shape()[0], inputs = x.shape()[1];
    check(groups >= 1 && outputs % groups == 0,
          "dirac_: expected a number of groups that divides the output channels, got ", groups,
          " for shape ", x.shape());
    Index kernel = 1, middle = 0;
    const Shape kernel_shape = x.shape().slice(2, x.rank());
    for (const Index size : kernel_shape.dims()) {
        middle = middle * size + size / 2;
        kernel *= size;
    }
    zeros_(x);
    Real* const out = memory_of(x);
    const Index in_group = outputs / groups;
    for (Index o = 0; kernel > 0 && o < outputs; ++o) {
        const Index i = o % in_group;
        if (i < inputs) out[(o * inputs + i) * kernel + middle] = 1;
    }
    return x;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

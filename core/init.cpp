#include "init.h"

#include <cmath>

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

const Tensor& fill_normal(const Tensor& x, Rng& rng, double stddev) {
    Real* out = x.mutable_data("an initialiser");
    for (Index i = 0; i < x.numel(); ++i) out[i] = rng.normal(0, static_cast<Real>(stddev));
    return x;
}

const Tensor& fill_uniform(const Tensor& x, Rng& rng, double bound) {
    const auto b = static_cast<Real>(bound);
    Real* out = x.mutable_data("an initialiser");
    for (Index i = 0; i < x.numel(); ++i) out[i] = rng.uniform(-b, b);
    return x;
}

double kaiming_stddev(const Tensor& x, const KaimingOptions& options, const char* who) {
    const Fans fan = fans(x, who);
    return calculate_gain(options.nonlinearity, options.slope) /
           std::sqrt(options.fan == Fan::in ? fan.in : fan.out);
}

double xavier_stddev(const Tensor& x, double gain, const char* who) {
    check(gain >= 0 && std::isfinite(gain), who, ": expected a finite gain of 0 or more, got ",
          gain);
    const Fans fan = fans(x, who);
    return gain * std::sqrt(2 / (fan.in + fan.out));
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

const Tensor& kaiming_normal_(const Tensor& x, Rng& rng, const KaimingOptions& options) {
    return fill_normal(x, rng, kaiming_stddev(x, options, "kaiming_normal_"));
}

const Tensor& kaiming_normal_(const Tensor& x, const KaimingOptions& options) {
    return kaiming_normal_(x, default_rng(), options);
}

const Tensor& kaiming_uniform_(const Tensor& x, Rng& rng, const KaimingOptions& options) {
    return fill_uniform(x, rng, std::sqrt(3.0) * kaiming_stddev(x, options, "kaiming_uniform_"));
}

const Tensor& kaiming_uniform_(const Tensor& x, const KaimingOptions& options) {
    return kaiming_uniform_(x, default_rng(), options);
}

const Tensor& xavier_normal_(const Tensor& x, Rng& rng, Only<double> gain) {
    return fill_normal(x, rng, xavier_stddev(x, gain, "xavier_normal_"));
}

const Tensor& xavier_normal_(const Tensor& x, Only<double> gain) {
    return xavier_normal_(x, default_rng(), gain);
}

const Tensor& xavier_uniform_(const Tensor& x, Rng& rng, Only<double> gain) {
    return fill_uniform(x, rng, std::sqrt(3.0) * xavier_stddev(x, gain, "xavier_uniform_"));
}

const Tensor& xavier_uniform_(const Tensor& x, Only<double> gain) {
    return xavier_uniform_(x, default_rng(), gain);
}

const Tensor& constant_(const Tensor& x, Only<Real> value) { return x.fill_(value); }

}  // namespace primer

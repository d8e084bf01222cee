// The loops of the losses: plain loops, which the compiler vectorises. Compiled once for each
// instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "math.h"
#include "table.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

[[gnu::always_inline]] inline double wide(Real x) { return static_cast<double>(x); }
[[gnu::always_inline]] inline Real narrow(double x) { return static_cast<Real>(x); }

// dx[i] = f(i, the gradient of loss i). The compiler vectorises loops whose strides it knows.
template <class F>
void pass_on(Index n, const Upstream& dy, Real* dx, F f) {
    if (dy.step == 0) {
        const Real up = dy.factor * *dy.dy;
        for (Index i = 0; i < n; ++i) dx[i] = f(i, up);
    } else {
        const Real factor = dy.factor;
        const Real* from = dy.dy;
        for (Index i = 0; i < n; ++i) dx[i] = f(i, factor * from[i]);
    }
}

bool within(Index n, Real low, Real high, const Real* x) {
    std::uint32_t outside = 0;
    for (Index i = 0; i < n; ++i) outside |= ((x[i] >= low) & (x[i] <= high)) ? 0U : 1U;
    return outside == 0;
}

void logarithms(Index n, double* x) {
    for (Index i = 0; i < n; ++i) x[i] = exact_log(x[i]);
}

void cross_entropy_backward(Index n, Real up, Real total, const Real* __restrict p,
                            const Real* __restrict share, Real* __restrict dx) {
    for (Index i = 0; i < n; ++i) dx[i] = up * (total * p[i] - share[i]);
}

void bent(Index n, double bend, double slope, const Real* x, const Real* t, Real* losses) {
    const Real steepness = narrow(slope / (2 * bend)), offset = narrow(bend / 2);
    // Where the bend is so small, often 0, that only subnormal numbers and 0 are inside, 0 times
    // infinity would be NaN.
    const bool has_inside = steepness < Real(1e37);
    const Real limit = has_inside ? narrow(bend) : 0, factor = has_inside ? steepness : 0;
    const Real side = narrow(slope);
    const auto loss = [=](Real e) {
        const Real size = magnitude(e);
        const Real inside = size * factor * size, outside = side * (size - offset);
        return size < limit ? inside : outside;
    };
    if (t == nullptr) {
        for (Index i = 0; i < n; ++i) losses[i] = loss(x[i]);
    } else {
        for (Index i = 0; i < n; ++i) losses[i] = loss(x[i] - t[i]);
    }
}

void bent_backward(Index n, double bend, double slope, const Real* x, const Real* t,
                   const Upstream& dy, Real* dx) {
    const Real limit = narrow(bend), side = narrow(slope), width = narrow(bend / slope);
    const auto slope_at = [=](Real v) {
        const Real inside = v / width;
        const Real below = v < 0 ? -side : v;  // 0 or NaN
        const Real outside = v > 0 ? side : below;
        return magnitude(v) < limit ? inside : outside;
    };
    if (t == nullptr) {
        pass_on(n, dy, dx, [=](Index i, Real up) { return up * slope_at(x[i]); });
    } else {
        pass_on(n, dy, dx, [=](Index i, Real up) { return up * slope_at(x[i] - t[i]); });
    }
}

// log x and log(1 - x), at least -100. 1 - x rounds in double, too; what it lost is added, divided
// by the derivative of the logarithm's argument.
[[gnu::always_inline]] inline double log_of(double x) {
    const double log = exact_log(x);
    return log < -100 ? -100 : log;
}
[[gnu::always_inline]] inline double log_of_rest(double x) {
    const double rest = 1 - x, lost = (1 - rest) - x;
    const double log = exact_log(rest) + (rest > 0 ? lost / rest : 0);
    return log < -100 ? -100 : log;
}

void binary_cross_entropy(Index n, const Real* x, const Real* t, Real* losses) {
    for (Index i = 0; i < n; ++i) {
        const double p = wide(x[i]), target = wide(t[i]);
        losses[i] = narrow(-(target * log_of(p) + (1 - target) * log_of_rest(p)));
    }
}

void binary_cross_entropy_backward(Index n, const Real* x, const Real* t, const Upstream& dy,
                                   Real* dx) {
    pass_on(n, dy, dx, [=](Index i, Real up) {
        const double p = wide(x[i]), slope = p * (1 - p), least = 1e-12;
        return narrow(wide(up) * (p - wide(t[i])) / (slope < least ? least : slope));
    });
}

// e = e^-|x| and log(1 + e), from which follow log(1 + e^x) = max(x, 0) + log(1 + e), the sigmoid
// 1 / (1 + e) of |x| and that of -|x|, e / (1 + e). Nothing here overflows or cancels.
void binary_cross_entropy_with_logits(Index n, const Real* x, const Real* t, const Real* v,
                                      Real* losses) {
    const auto loss = [=](Index i, Real weight) {
        const Real logit = x[i], target = t[i], log = log1p_below_1(exp_below_0(-magnitude(logit)));
        const Real above = (logit > 0 ? logit : Real(0)) + log;
        const Real below = (logit < 0 ? -logit : Real(0)) + log;
        return (1 - target) * above + weight * target * below;
    };
    if (v == nullptr) {
        for (Index i = 0; i < n; ++i) losses[i] = loss(i, 1);
    } else {
        for (Index i = 0; i < n; ++i) losses[i] = loss(i, v[i]);
    }
}

void binary_cross_entropy_with_logits_backward(Index n, const Real* x, const Real* t, const Real* v,
                                               const Upstream& dy, Real* dx) {
    const auto slope = [=](Index i, Real weight) {
        const Real logit = x[i], target = t[i], e = exp_below_0(-magnitude(logit));
        const Real large = 1 / (1 + e), small = e * large;
        const Real of_x = logit < 0 ? small : large, of_minus_x = logit < 0 ? large : small;
        return (1 - target) * of_x - weight * target * of_minus_x;
    };
    if (v == nullptr) {
        pass_on(n, dy, dx, [=](Index i, Real up) { return up * slope(i, 1); });
    } else {
        pass_on(n, dy, dx, [=](Index i, Real up) { return up * slope(i, v[i]); });
    }
}

void kl_div(Index n, bool log_target, const Real* x, const Real* t, Real* losses) {
    if (log_target) {
        for (Index i = 0; i < n; ++i) losses[i] = exp(t[i]) * (t[i] - x[i]);
        return;
    }
    for (Index i = 0; i < n; ++i) {
        const double target = wide(t[i]), log = target == 0 ? 0 : exact_log(target);
        losses[i] = narrow(target * log - target * wide(x[i]));
    }
}

void kl_div_backward(Index n, bool log_target, const Real* t, const Upstream& dy, Real* dx) {
    if (log_target) {
        pass_on(n, dy, dx, [=](Index i, Real up) { return -up * exp(t[i]); });
    } else {
        pass_on(n, dy, dx, [=](Index i, Real up) { return -up * t[i]; });
    }
}

}  // namespace

LossKernels loss_kernels() {
    return {.within = within,
            .logarithms = logarithms,
            .cross_entropy_backward = cross_entropy_backward,
            .bent = bent,
            .bent_backward = bent_backward,
            .binary_cross_entropy = binary_cross_entropy,
            .binary_cross_entropy_backward = binary_cross_entropy_backward,
            .logits = binary_cross_entropy_with_logits,
            .logits_backward = binary_cross_entropy_with_logits_backward,
            .kl_div = kl_div,
            .kl_div_backward = kl_div_backward};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

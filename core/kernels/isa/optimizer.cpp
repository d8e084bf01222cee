// The loops of the optimizers: plain loops, which the compiler vectorises. Compiled once for each
// instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "math.h"
#include "table.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

constexpr auto kLargest = static_cast<Real>(sizeof(Real) == 4 ? __FLT_MAX__ : __DBL_MAX__);

// The larger of two; a NaN is the largest.
Real larger(Real a, Real b) { return a < b || b != b ? b : a; }

// Loops copy the step to a local variable, which no write to w can change, so that the compiler
// keeps its numbers in registers. Which arrays exist is a template parameter, not a test in a loop.

// +-grad + decay w. Without decay w is left out: 0 times an infinite weight would be NaN.
template <class Step>
Real gradient(const Step& step, Real grad, Real w) {
    const Real g = step.maximize ? -grad : grad;
    return step.weight_decay == 0 ? g : g + step.weight_decay * w;
}

void sgd(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w) {
    const SgdStep s = step;
    if (velocity == nullptr) {
        for (Index i = 0; i < n; ++i) w[i] -= s.lr * gradient(s, grad[i], w[i]);
        return;
    }
    for (Index i = 0; i < n; ++i) {
        const Real g = gradient(s, grad[i], w[i]), v = s.momentum * velocity[i] + s.gain * g;
        velocity[i] = v;
        w[i] -= s.lr * (s.nesterov ? g + s.momentum * v : v);
    }
}

template <bool with_largest>
void adam_as(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
             Real* largest, Real* w) {
    const AdamStep s = step;
    for (Index i = 0; i < n; ++i) {
        const Real g = gradient(s, grad[i], w[i]);
        const Real m = s.beta1 * mean[i] + s.one_minus_beta1 * g;
        Real v = s.beta2 * square[i] + s.one_minus_beta2 * g * g;
        mean[i] = m;
        square[i] = v;
        if constexpr (with_largest) v = largest[i] = larger(largest[i], v);
        w[i] = s.keep * w[i] - s.lr * m / (root(v) / s.root_correction + s.eps);
    }
}

void adam(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square, Real* largest,
          Real* w) {
    (largest != nullptr ? adam_as<true> : adam_as<false>)(n, step, grad, mean, square, largest, w);
}

template <bool centered, bool with_velocity>
void rmsprop_as(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                Real* velocity, Real* w) {
    const RmspropStep s = step;
    for (Index i = 0; i < n; ++i) {
        const Real g = gradient(s, grad[i], w[i]);
        Real v = s.alpha * square[i] + s.one_minus_alpha * g * g;
        square[i] = v;
        if constexpr (centered) {
            const Real m = s.alpha * mean[i] + s.one_minus_alpha * g;
            mean[i] = m;
            // Rounding may make the difference negative. If v is infinite it stays so, because m^2
            // may overflow, and infinity minus infinity would be NaN.
            v = v <= kLargest ? larger(v - m * m, Real(0)) : v - (m < 0 ? -m : m);
        }
        const Real divisor = root(v) + s.eps;
        if constexpr (with_velocity) {
            const Real d = s.momentum * velocity[i] + g / divisor;
            velocity[i] = d;
            w[i] -= s.lr * d;
        } else {
            w[i] -= s.lr * g / divisor;  // the quotient alone can be infinite
        }
    }
}

void rmsprop(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
             Real* velocity, Real* w) {
    const auto plain = velocity != nullptr ? rmsprop_as<false, true> : rmsprop_as<false, false>;
    const auto centered = velocity != nullptr ? rmsprop_as<true, true> : rmsprop_as<true, false>;
    (mean != nullptr ? centered : plain)(n, step, grad, square, mean, velocity, w);
}

}  // namespace

OptimizerKernels optimizer_kernels() { return {.sgd = sgd, .adam = adam, .rmsprop = rmsprop}; }

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

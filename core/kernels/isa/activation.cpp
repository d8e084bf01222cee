// The loops of the activations: plain loops, which the compiler vectorises. Compiled once for each
// instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "loops.h"
#include "math.h"
#include "table.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// dx = f(kept, dy)
template <class F>
void binary(Index n, const Real* kept, const Real* dy, Real* dx, F f) {
    if (dy == dx) {
        for (Index i = 0; i < n; ++i) dx[i] = f(kept[i], dx[i]);
    } else {
        for (Index i = 0; i < n; ++i) dx[i] = f(kept[i], dy[i]);
    }
}

[[gnu::always_inline]] inline Real size_of(Real x) { return x < 0 ? -x : x; }

void relu(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v < 0 ? Real(0) : v; });
}
void relu_backward(Index n, const Real* y, const Real* dy, Real* dx) {
    binary(n, y, dy, dx, [](Real v, Real d) { return v <= 0 ? Real(0) : d; });
}

// A function, so that all three values are always read, because conditional reads cannot be
// vectorised.
[[gnu::always_inline]] inline Real leak(Real x, Real slope, Real d) {
    return x > 0 ? d : slope * d;
}

void leaky_relu(Index n, Real slope, const Real* x, Real* y) {
    unary(n, x, y, [=](Real v) { return leak(v, slope, v); });
}
void leaky_relu_backward(Index n, Real slope, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [=](Real v, Real d) { return leak(v, slope, d); });
}
void prelu_backward(Index n, const Real* x, const Real* w, const Real* dy, Real* dx) {
    if (dy == dx) {
        for (Index i = 0; i < n; ++i) dx[i] = leak(x[i], w[i], dx[i]);
    } else {
        for (Index i = 0; i < n; ++i) dx[i] = leak(x[i], w[i], dy[i]);
    }
}
void prelu_backward_weight(Index n, const Real* x, const Real* dy, Real* terms) {
    binary(n, x, dy, terms, [](Real v, Real d) { return v > 0 ? Real(0) : v * d; });
}

// A function as well: the value between `least` and `most` that is nearest to x, and d where x lies
// strictly between them. NaN stays NaN, and gets 0.
[[gnu::always_inline]] inline Real clamp(Real x, Real least, Real most) {
    const Real raised = x < least ? least : x;
    return raised > most ? most : raised;
}
[[gnu::always_inline]] inline Real if_between(Real x, Real least, Real most, Real d) {
    const Real below = x < most ? d : Real(0);
    return x > least ? below : Real(0);
}

void hardtanh(Index n, Real least, Real most, const Real* x, Real* y) {
    unary(n, x, y, [=](Real v) { return clamp(v, least, most); });
}
void hardtanh_backward(Index n, Real least, Real most, const Real* y, const Real* dy, Real* dx) {
    binary(n, y, dy, dx, [=](Real v, Real d) { return if_between(v, least, most, d); });
}

void hardsigmoid(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return clamp(v + 3, 0, 6) / 6; });
}
void hardsigmoid_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) { return if_between(v, -3, 3, d / 6); });
}

void hardswish(Index n, const Real* x, Real* y) {
    constexpr Real sixth = Real(1) / 6;  // 6 / 6 is 1 this way, too, and v then stays v
    unary(n, x, y, [](Real v) { return v * (clamp(v + 3, 0, 6) * sixth); });
}
void hardswish_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Real bent = d * (v / 3 + Real(0.5));
        return v <= -3 ? Real(0) : v >= 3 ? d : bent;
    });
}

void softsign(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v / (1 + size_of(v)); });
}
// 0 v is 0, and NaN at infinity, where y is NaN, too.
void softsign_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Real r = 1 / (1 + size_of(v));
        return d * r * (r + 0 * v);
    });
}

// elu and its kin are lines above 0 and need an exponential elsewhere. Calls line(first, count) for
// strips of x whose values are all above 0, and curve(first, count) for the others.
template <class Line, class Curve>
void in_strips(Index n, const Real* x, Line line, Curve curve) {
    constexpr Index length = 256;
    for (Index first = 0; first < n; first += length) {
        const Index count = n - first < length ? n - first : length;
        int bent = 0;
        for (Index i = first; i < first + count; ++i) bent |= x[i] > 0 ? 0 : 1;
        if (bent == 0) {
            line(first, count);
        } else {
            curve(first, count);
        }
    }
}

void elu(Index n, Real above, Real below, const Real* x, Real* y) {
    const auto line = [=](Index i, Index count) {
        unary(count, x + i, y + i, [=](Real v) { return above * v; });
    };
    const auto curve = [=](Index i, Index count) {
        unary(count, x + i, y + i, [=](Real v) {
            const Real low = below * expm1_below_0(v > 0 ? Real(0) : v);
            return v > 0 ? above * v : low;
        });
    };
    in_strips(n, x, line, curve);
}
void elu_backward(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx) {
    const auto line = [=](Index i, Index count) {
        unary(count, dy + i, dx + i, [=](Real d) { return d * above; });
    };
    const auto curve = [=](Index i, Index count) {
        binary(count, x + i, dy + i, dx + i, [=](Real v, Real d) {
            const Real low = below * exp_below_0(v > 0 ? Real(0) : v);
            return d * (v > 0 ? above : low);
        });
    };
    in_strips(n, x, line, curve);
}

void celu(Index n, Real alpha, const Real* x, Real* y) {
    const auto line = [=](Index i, Index count) {
        unary(count, x + i, y + i, [](Real v) { return v; });
    };
    const auto curve = [=](Index i, Index count) {
        unary(count, x + i, y + i, [=](Real v) {
            const Real low = alpha * expm1_below_0((v > 0 ? Real(0) : v) / alpha);
            return v > 0 ? v : low;
        });
    };
    in_strips(n, x, line, curve);
}
void celu_backward(Index n, Real alpha, const Real* x, const Real* dy, Real* dx) {
    const auto line = [=](Index i, Index count) {
        unary(count, dy + i, dx + i, [](Real d) { return d; });
    };
    const auto curve = [=](Index i, Index count) {
        binary(count, x + i, dy + i, dx + i, [=](Real v, Real d) {
            const Real low = exp_below_0((v > 0 ? Real(0) : v) / alpha);
            return d * (v > 0 ? Real(1) : low);
        });
    };
    in_strips(n, x, line, curve);
}

void gelu(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v * normal(v).share; });
}
void gelu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    constexpr auto density = static_cast<Real>(0.39894228040143267794);  // 1 / sqrt(2 pi)
    binary(n, x, dy, dx, [](Real v, Real d) {
        const auto of = normal(v);
        return d * (of.share + v * density * of.bell);
    });
}

// s(x) = 1 / (1 + e^-x), from e^-|x|, which cannot overflow.
[[gnu::always_inline]] inline Real logistic(Real x) {
    const Real e = exp_below_0(-size_of(x));
    return (x < 0 ? e : Real(1)) / (1 + e);
}

// s(x) and 1 - s(x) = s(-x), with one division. Neither is a difference, so both keep their digits,
// however small they are.
struct Logistic {
    Real value, rest;
};

[[gnu::always_inline]] inline Logistic logistic_and_rest(Real x) {
    const Real e = exp_below_0(-size_of(x)), large = 1 / (1 + e), small = e * large;
    return {x < 0 ? small : large, x < 0 ? large : small};
}

// (1 + tanh u) / 2 = s(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
constexpr auto kGeluScale = static_cast<Real>(0.79788456080286535588);
constexpr auto kGeluCubic = static_cast<Real>(0.044715);
[[gnu::always_inline]] inline Real twice_u(Real x) {
    return 2 * kGeluScale * (x + kGeluCubic * x * x * x);
}

void gelu_tanh(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v * logistic(twice_u(v)); });
}
void gelu_tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Logistic gate = logistic_and_rest(twice_u(v));
        // Multiplies by v twice, because v^2 alone would overflow where `bend` has long become 0.
        const Real bend = v * gate.value * gate.rest;
        return d * (gate.value + 2 * kGeluScale * (bend + 3 * kGeluCubic * (bend * v) * v));
    });
}

void silu(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v * logistic(v); });
}
void silu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Logistic s = logistic_and_rest(v);
        return d * s.value * (1 + v * s.rest);
    });
}

void glu(Index n, const Real* a, const Real* b, Real* y) {
    for (Index i = 0; i < n; ++i) y[i] = a[i] * logistic(b[i]);
}
void glu_backward(Index n, const Real* a, const Real* b, const Real* dy, Real* da, Real* db) {
    for (Index i = 0; i < n; ++i) {
        const Logistic s = logistic_and_rest(b[i]);
        const Real d = dy[i];
        db[i] = s.value * s.rest * a[i] * d;
        da[i] = s.value * d;
    }
}

void sigmoid(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return logistic(v); });
}
// s(x) s(-x), which is the same for x and -x.
[[gnu::always_inline]] inline Real logistic_slope(Real x) {
    const Real e = exp_below_0(-size_of(x)), large = 1 / (1 + e);
    return e * large * large;
}
void sigmoid_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) { return d * logistic_slope(v); });
}

void tanh_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return tanh(v); });
}
// 1 / cosh^2 x = 4 s(2 x) s(-2 x), without any difference.
void tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) { return d * (4 * logistic_slope(2 * v)); });
}

// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), which cannot overflow, whatever the threshold.
[[gnu::always_inline]] inline Real log1p_exp(Real z) {
    return (z < 0 ? Real(0) : z) + log1p_below_1(exp_below_0(-size_of(z)));
}

void softplus(Index n, Real beta, Real threshold, const Real* x, Real* y) {
    unary(n, x, y, [=](Real v) {
        const Real z = beta * v, bent = log1p_exp(z) / beta;
        return z > threshold ? v : bent;
    });
}
void softplus_backward(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                       Real* dx) {
    binary(n, x, dy, dx, [=](Real v, Real d) {
        const Real z = beta * v, bent = d * logistic(z);
        return z > threshold ? d : bent;
    });
}

void logsigmoid(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return -log1p_exp(-v); });
}
void logsigmoid_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) { return d * logistic(-v); });
}

// With e = e^-|x|: tanh(ln(1 + e^x)) is n / (n + 2) with n = e (e + 2) for x < 0, and n / (n + 2
// e^2) with n = 1 + 2 e otherwise: no term is negative, and none overflows.
struct MishGate {
    Real e, n, sum;
};

[[gnu::always_inline]] inline MishGate mish_gate(Real x) {
    const Real e = exp_below_0(-size_of(x));
    const Real n = x < 0 ? e * (e + 2) : 1 + 2 * e;
    return {e, n, n + (x < 0 ? Real(2) : 2 * e * e)};
}

void mish(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) {
        const MishGate gate = mish_gate(v);
        return v * (gate.n / gate.sum);
    });
}
void mish_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const MishGate gate = mish_gate(v);
        const Real r = 1 / gate.sum, e = v < 0 ? gate.e : gate.e * gate.e;
        return d * (gate.n * r + v * (4 * e * (1 + gate.e) * r * r));
    });
}

}  // namespace

ActivationKernels activation_kernels() {
    return {.relu = relu,
            .relu_backward = relu_backward,
            .leaky_relu = leaky_relu,
            .leaky_relu_backward = leaky_relu_backward,
            .prelu_backward = prelu_backward,
            .prelu_backward_weight = prelu_backward_weight,
            .hardtanh = hardtanh,
            .hardtanh_backward = hardtanh_backward,
            .hardsigmoid = hardsigmoid,
            .hardsigmoid_backward = hardsigmoid_backward,
            .hardswish = hardswish,
            .hardswish_backward = hardswish_backward,
            .softsign = softsign,
            .softsign_backward = softsign_backward,
            .elu = elu,
            .elu_backward = elu_backward,
            .celu = celu,
            .celu_backward = celu_backward,
            .gelu = gelu,
            .gelu_backward = gelu_backward,
            .gelu_tanh = gelu_tanh,
            .gelu_tanh_backward = gelu_tanh_backward,
            .silu = silu,
            .silu_backward = silu_backward,
            .glu = glu,
            .glu_backward = glu_backward,
            .sigmoid = sigmoid,
            .sigmoid_backward = sigmoid_backward,
            .tanh = tanh_of,
            .tanh_backward = tanh_backward,
            .softplus = softplus,
            .softplus_backward = softplus_backward,
            .logsigmoid = logsigmoid,
            .logsigmoid_backward = logsigmoid_backward,
            .mish = mish,
            .mish_backward = mish_backward};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

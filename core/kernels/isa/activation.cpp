// Only speed. Compiled once for each instruction set, with PRIMER_ISA_LEVEL as its name.
// gemm_tile.cpp explains which headers may be included here.
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

// A function, so that all three values are always read: conditional reads cannot be vectorised.
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

void elu(Index n, Real above, Real below, const Real* x, Real* y) {
    unary(n, x, y, [=](Real v) {
        const Real low = below * expm1_below_0(v > 0 ? Real(0) : v);
        return v > 0 ? above * v : low;
    });
}
void elu_backward(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [=](Real v, Real d) {
        const Real low = below * exp(v > 0 ? Real(0) : v);
        return d * (v > 0 ? above : low);
    });
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

// s(x) = 1 / (1 + e^-x) and 1 - s(x) = s(-x), both from e^-|x|, which cannot overflow. Neither is a
// difference, so both keep all their digits, however small they are.
struct Logistic {
    Real value, rest;
};

[[gnu::always_inline]] inline Logistic logistic(Real x) {
    const Real e = exp(-size_of(x));
    return {(x < 0 ? e : Real(1)) / (1 + e), (x < 0 ? Real(1) : e) / (1 + e)};
}

// (1 + tanh u) / 2 = s(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
constexpr auto kGeluScale = static_cast<Real>(0.79788456080286535588);
constexpr auto kGeluCubic = static_cast<Real>(0.044715);
[[gnu::always_inline]] inline Logistic gelu_tanh_gate(Real x) {
    return logistic(2 * kGeluScale * (x + kGeluCubic * x * x * x));
}

void gelu_tanh(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v * gelu_tanh_gate(v).value; });
}
void gelu_tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Logistic gate = gelu_tanh_gate(v);
        // Multiplies by v twice: v^2 alone would overflow where `bend` has long become 0.
        const Real bend = v * gate.value * gate.rest;
        return d * (gate.value + 2 * kGeluScale * (bend + 3 * kGeluCubic * (bend * v) * v));
    });
}

void silu(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return v * logistic(v).value; });
}
void silu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Logistic s = logistic(v);
        return d * s.value * (1 + v * s.rest);
    });
}

void sigmoid(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return logistic(v).value; });
}
void sigmoid_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Logistic s = logistic(v);
        return d * (s.value * s.rest);
    });
}

void tanh_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return tanh(v); });
}
// 1 / cosh^2 x = 4 s(2 x) s(-2 x), without any difference.
void tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Logistic s = logistic(2 * v);
        return d * (4 * s.value * s.rest);
    });
}

// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), which cannot overflow, whatever the threshold.
void softplus(Index n, Real beta, Real threshold, const Real* x, Real* y) {
    unary(n, x, y, [=](Real v) {
        const Real z = beta * v;
        const Real bent = ((z < 0 ? Real(0) : z) + log1p_below_1(exp(-size_of(z)))) / beta;
        return z > threshold ? v : bent;
    });
}
void softplus_backward(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                       Real* dx) {
    binary(n, x, dy, dx, [=](Real v, Real d) {
        const Real z = beta * v, bent = d * logistic(z).value;
        return z > threshold ? d : bent;
    });
}

void hardswish(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) {
        const Real up = v + 3, above = up < 0 ? Real(0) : up;
        return v * ((above > 6 ? Real(6) : above) / 6);
    });
}
void hardswish_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, dy, dx, [](Real v, Real d) {
        const Real bent = d * (v / 3 + Real(0.5));
        return v <= -3 ? Real(0) : v >= 3 ? d : bent;
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
            .elu = elu,
            .elu_backward = elu_backward,
            .gelu = gelu,
            .gelu_backward = gelu_backward,
            .gelu_tanh = gelu_tanh,
            .gelu_tanh_backward = gelu_tanh_backward,
            .silu = silu,
            .silu_backward = silu_backward,
            .sigmoid = sigmoid,
            .sigmoid_backward = sigmoid_backward,
            .tanh = tanh_of,
            .tanh_backward = tanh_backward,
            .softplus = softplus,
            .softplus_backward = softplus_backward,
            .hardswish = hardswish,
            .hardswish_backward = hardswish_backward};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL

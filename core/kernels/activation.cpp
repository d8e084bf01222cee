#include "primer/core/kernels/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

// Elements that are worth handing to another thread: of a loop that the compiler vectorises, and
// of one that calls the mathematical library.
constexpr Index kCheap = 16384, kCostly = 2048;

// In both, g is a copy of f on the stack, where the compiler knows that no y[i] is: it need not
// read f's numbers again for each element, and can vectorise.
template <class F>
void unary(Index n, Index grain, const Real* x, Real* y, F f) {
    parallel_for(n, grain, [=](Index begin, Index end) {
        const F g = f;
        for (Index i = begin; i < end; ++i) y[i] = g(x[i]);
    });
}

template <class F>
void binary(Index n, Index grain, const Real* a, const Real* b, Real* y, F f) {
    parallel_for(n, grain, [=](Index begin, Index end) {
        const F g = f;
        for (Index i = begin; i < end; ++i) y[i] = g(a[i], b[i]);
    });
}

// A function, so that all three are read in any case: what is read for some elements only can not
// be vectorised.
Real leak(Real x, Real slope, Real d) { return x > 0 ? d : slope * d; }

// Outputs of maxout, `length` of them from y[y] on, whose first pieces are x[x], x[x + step], ...
struct Run {
    Index y, length, x, step;
};

// Cuts y [outer, inner] into runs that are long even where inner is 1.
template <class F>
void for_each_run(const Axis& axis, F f) {
    const Index inner = axis.inner, row = axis.n * inner;
    parallel_for(axis.outer, std::max(Index{1}, kCheap / std::max(Index{1}, row)),
                 [=](Index begin, Index end) {
                     if (inner == 1) return f(Run{begin, end - begin, begin * row, row});
                     for (Index o = begin; o < end; ++o) f(Run{o * inner, inner, o * row, 1});
                 });
}

// s(x) = 1 / (1 + e^-x) and 1 - s(x) = s(-x), both from e^-|x|, which can not overflow; neither is
// a difference, so both have all their digits, however small they are.
struct Logistic {
    Real value, rest;
};

Logistic logistic(Real x) {
    const Real e = std::exp(-std::abs(x));
    const Real large = 1 / (1 + e), small = e / (1 + e);
    return x < 0 ? Logistic{small, large} : Logistic{large, small};
}

// The share of a normal variable's values that are below x. 1 + erf would cancel for x < 0.
Real normal_share(Real x) { return std::erfc(-x / std::numbers::sqrt2_v<Real>) / 2; }

// (1 + tanh u) / 2 = s(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
constexpr Real kGeluScale = std::numbers::sqrt2_v<Real> * std::numbers::inv_sqrtpi_v<Real>;
constexpr Real kGeluCubic = Real(0.044715);
Logistic gelu_tanh_gate(Real x) { return logistic(2 * kGeluScale * (x + kGeluCubic * x * x * x)); }

}  // namespace

void relu(Index n, const Real* x, Real* y) {
    unary(n, kCheap, x, y, [](Real v) { return v < 0 ? Real(0) : v; });
}
void relu_backward(Index n, const Real* y, const Real* dy, Real* dx) {
    binary(n, kCheap, y, dy, dx, [](Real v, Real d) { return v <= 0 ? Real(0) : d; });
}

void leaky_relu(Index n, Real slope, const Real* x, Real* y) {
    unary(n, kCheap, x, y, [=](Real v) { return leak(v, slope, v); });
}
void leaky_relu_backward(Index n, Real slope, const Real* x, const Real* dy, Real* dx) {
    binary(n, kCheap, x, dy, dx, [=](Real v, Real d) { return leak(v, slope, d); });
}

void prelu(const Axis& axis, const Real* x, const Real* w, Real* y) {
    prelu_backward(axis, x, w, x, y);  // the same, of x in place of dy
}
// A run is as long as its slope is the same or, where the channels are neighbours, as there are
// channels.
void prelu_backward(const Axis& axis, const Real* x, const Real* w, const Real* dy, Real* dx) {
    const Index channels = axis.n, inner = axis.inner;
    parallel_for(axis.outer * channels * inner, kCheap, [=](Index begin, Index end) {
        for (Index i = begin; i < end;) {
            if (inner == 1) {
                const Index c = i % channels, run = std::min(channels - c, end - i);
                for (Index k = 0; k < run; ++k) dx[i + k] = leak(x[i + k], w[c + k], dy[i + k]);
                i += run;
            } else {
                const Real slope = w[i / inner % channels];
                const Index stop = std::min(end, i + inner - i % inner);
                for (; i < stop; ++i) dx[i] = leak(x[i], slope, dy[i]);
            }
        }
    });
}
void prelu_backward_weight(Index n, const Real* x, const Real* dy, Real* terms) {
    binary(n, kCheap, x, dy, terms, [](Real v, Real d) { return v > 0 ? Real(0) : v * d; });
}

void elu(Index n, Real above, Real below, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [=](Real v) { return v > 0 ? above * v : below * std::expm1(v); });
}
void elu_backward(Index n, Real above, Real below, const Real* y, const Real* dy, Real* dx) {
    binary(n, kCheap, y, dy, dx, [=](Real v, Real d) { return d * (v > 0 ? above : v + below); });
}

void gelu(Index n, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [](Real v) { return v * normal_share(v); });
}
void gelu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    constexpr Real scale = std::numbers::inv_sqrtpi_v<Real> / std::numbers::sqrt2_v<Real>;
    binary(n, kCostly, x, dy, dx,
           [](Real v, Real d) { return d * (normal_share(v) + v * scale * std::exp(-v * v / 2)); });
}

void gelu_tanh(Index n, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [](Real v) { return v * gelu_tanh_gate(v).value; });
}
void gelu_tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, kCostly, x, dy, dx, [](Real v, Real d) {
        const Logistic gate = gelu_tanh_gate(v);
        // Multiplied by v one at a time: v^2 alone overflows where `bend` has long become 0.
        const Real bend = v * gate.value * gate.rest;
        return d * (gate.value + 2 * kGeluScale * (bend + 3 * kGeluCubic * (bend * v) * v));
    });
}

void silu(Index n, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [](Real v) { return v * logistic(v).value; });
}
void silu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, kCostly, x, dy, dx, [](Real v, Real d) {
        const Logistic s = logistic(v);
        return d * s.value * (1 + v * s.rest);
    });
}

void sigmoid(Index n, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [](Real v) { return logistic(v).value; });
}
void sigmoid_backward(Index n, const Real* y, const Real* dy, Real* dx) {
    binary(n, kCheap, y, dy, dx, [](Real v, Real d) { return d * v * (1 - v); });
}

void tanh(Index n, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [](Real v) { return std::tanh(v); });
}
void tanh_backward(Index n, const Real* y, const Real* dy, Real* dx) {
    // Not 1 - y^2: that loses the digits in which y differs from 1.
    binary(n, kCheap, y, dy, dx, [](Real v, Real d) { return d * ((1 - v) * (1 + v)); });
}

// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), which can not overflow whatever the threshold is.
void softplus(Index n, Real beta, Real threshold, const Real* x, Real* y) {
    unary(n, kCostly, x, y, [=](Real v) {
        const Real z = beta * v;
        if (z > threshold) return v;
        return (std::max(z, Real(0)) + std::log1p(std::exp(-std::abs(z)))) / beta;
    });
}
void softplus_backward(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                       Real* dx) {
    binary(n, kCostly, x, dy, dx, [=](Real v, Real d) {
        const Real z = beta * v;
        return z > threshold ? d : d * logistic(z).value;
    });
}

void hardswish(Index n, const Real* x, Real* y) {
    unary(n, kCheap, x, y,
          [](Real v) { return v * (std::min(std::max(v + 3, Real(0)), Real(6)) / 6); });
}
void hardswish_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    binary(n, kCheap, x, dy, dx, [](Real v, Real d) {
        return v <= -3 ? Real(0) : v >= 3 ? d : d * (v / 3 + Real(0.5));
    });
}

void maxout(const Axis& axis, const Real* x, Real* y, Real* piece) {
    for_each_run(axis, [=](const Run& run) {
        const Real* from = x + run.x;
        Real *best = y + run.y, *number = piece + run.y;
        for (Index i = 0; i < run.length; ++i) best[i] = from[i * run.step];
        std::fill_n(number, run.length, Real(0));
        for (Index j = 1; j < axis.n; ++j) {
            const Real* next = from + j * axis.inner;
            for (Index i = 0; i < run.length; ++i) {
                const Real v = next[i * run.step], b = best[i], k = number[i];
                const bool larger = !(v <= b) && !std::isnan(b);  // a NaN is, and stays
                best[i] = larger ? v : b;
                number[i] = larger ? static_cast<Real>(j) : k;
            }
        }
    });
}
void maxout_backward(const Axis& axis, const Real* piece, const Real* dy, Real* dx) {
    for_each_run(axis, [=](const Run& run) {
        for (Index j = 0; j < axis.n; ++j) {
            Real* to = dx + run.x + j * axis.inner;
            for (Index i = 0; i < run.length; ++i) {
                const Real d = dy[run.y + i], k = piece[run.y + i];
                to[i * run.step] = k == static_cast<Real>(j) ? d : Real(0);
            }
        }
    });
}

}  // namespace primer::kernels

// The loops of arithmetic: plain loops, which the compiler vectorises. Compiled once for each
// instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "loops.h"
#include "math.h"
#include "table.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// Strides are nearly always 0 or 1, and the compiler vectorises loops whose strides it knows.
template <class F>
void binary(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y, F f) {
    if (stride_a == 1 && stride_b == 1 && a == y) {
        for (Index i = 0; i < n; ++i) y[i] = f(y[i], b[i]);
    } else if (stride_a == 1 && stride_b == 1) {
        for (Index i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
    } else if (stride_a == 1 && stride_b == 0) {
        const Real other = *b;
        unary(n, a, y, [=](Real v) { return f(v, other); });
    } else if (stride_a == 0 && stride_b == 1) {
        const Real other = *a;
        unary(n, b, y, [=](Real v) { return f(other, v); });
    } else {
        for (Index i = 0; i < n; ++i) y[i] = f(a[i * stride_a], b[i * stride_b]);
    }
}

// y = f(y, a, b)
template <class F>
void change(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y, F f) {
    if (stride_a == 1 && stride_b == 1) {
        for (Index i = 0; i < n; ++i) y[i] = f(y[i], a[i], b[i]);
    } else if (stride_a == 1 && stride_b == 0) {
        const Real other = *b;
        for (Index i = 0; i < n; ++i) y[i] = f(y[i], a[i], other);
    } else if (stride_a == 0 && stride_b == 1) {
        const Real other = *a;
        for (Index i = 0; i < n; ++i) y[i] = f(y[i], other, b[i]);
    } else {
        for (Index i = 0; i < n; ++i) y[i] = f(y[i], a[i * stride_a], b[i * stride_b]);
    }
}

void add(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y, [](Real p, Real q) { return p + q; });
}
void sub(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y, [](Real p, Real q) { return p - q; });
}
void mul(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y, [](Real p, Real q) { return p * q; });
}
void div(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y, [](Real p, Real q) { return p / q; });
}

// `otherwise`, but q if it is NaN.
[[gnu::always_inline]] inline Real unless_nan(Real q, Real otherwise) {
    return q != q ? q : otherwise;
}
void maximum(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return unless_nan(q, p < q ? q : p); });
}
void minimum(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return unless_nan(q, q < p ? q : p); });
}
void share_of_larger(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                     Real* y) {
    change(n, a, stride_a, b, stride_b, y, [](Real d, Real p, Real q) {
        const Real share = p == q ? d / 2 : d;
        return p < q ? Real(0) : share;
    });
}
void choose(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    change(n, a, stride_a, b, stride_b, y, [](Real c, Real p, Real q) { return c != 0 ? p : q; });
}
void less(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return p < q ? Real(1) : Real(0); });
}
void less_equal(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return p <= q ? Real(1) : Real(0); });
}
void greater(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return p > q ? Real(1) : Real(0); });
}
void greater_equal(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return p >= q ? Real(1) : Real(0); });
}
void equal(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return p == q ? Real(1) : Real(0); });
}
void not_equal(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    binary(n, a, stride_a, b, stride_b, y,
           [](Real p, Real q) { return p != q ? Real(1) : Real(0); });
}

double wide(Real v) { return static_cast<double>(v); }

// p^0.5 as std::pow has it: 0 for -0, where the root is -0, and infinity for -infinity.
template <class T>
[[gnu::always_inline]] inline T power_half(T p) {
    const T r = root(p) + 0;
    return p == -static_cast<T>(__builtin_inff()) ? -p : r;
}

// Calls loop(f) with an f(p) = p^q that takes fewer steps than wide_pow, for a Real or double p.
// Returns false if there is none for this q.
template <class Loop>
bool with_exponent(double q, Loop loop) {
    if (q == 1) {
        loop([](auto p) { return p; });
    } else if (q == 2) {
        loop([](auto p) { return p * p; });
    } else if (q == 3) {
        loop([](auto p) { return p * p * p; });
    } else if (q == -1) {
        loop([](auto p) { return 1 / p; });
    } else if (q == -2) {  // in double, where p^2 is neither 0 nor infinite unless p is
        loop([](auto p) {
            const auto v = static_cast<double>(p);
            return static_cast<decltype(p)>(1 / (v * v));
        });
    } else if (q == 0.5) {
        loop([](auto p) { return power_half(p); });
    } else {
        return false;
    }
    return true;
}

// y = f(y, a, b) like `change`, but from copies of a and b, so that the compiler vectorises an f
// that has many steps, whatever the strides are, and y may be a. `within` is f for 0 < a < infinity
// and finite b.
template <class F, class Within>
void change_by_copies(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                      Real* y, F f, Within within) {
    constexpr Index most = 256;
    constexpr auto infinity = static_cast<Real>(__builtin_inff());
    Real p[most], q[most];
    for (Index first = 0; first < n; first += most) {
        const Index count = n - first < most ? n - first : most;
        for (Index i = 0; i < count; ++i) p[i] = a[(first + i) * stride_a];
        for (Index i = 0; i < count; ++i) q[i] = b[(first + i) * stride_b];
        int inside = 1;
        for (Index i = 0; i < count; ++i) {
            inside &= ((p[i] > 0) & (p[i] < infinity) & (magnitude(q[i]) < infinity)) ? 1 : 0;
        }
        Real* const to = y + first;
        if (inside != 0) {
            for (Index i = 0; i < count; ++i) to[i] = within(to[i], p[i], q[i]);
        } else {
            for (Index i = 0; i < count; ++i) to[i] = f(to[i], p[i], q[i]);
        }
    }
}

void pow_of(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y) {
    const auto apply = [=](auto f) { unary(n, a, y, f); };
    if (stride_a == 1 && stride_b == 0 && with_exponent(wide(*b), apply)) return;
    change_by_copies(
        n, a, stride_a, b, stride_b, y,
        [](Real, Real p, Real q) { return static_cast<Real>(wide_pow(p, wide(q))); },
        [](Real, Real p, Real q) { return static_cast<Real>(pow_within(p, wide(q))); });
}
// In double, where q - 1 is exact, so odd and even exponents differ.
void pow_grad_base(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                   Real* grad) {
    const double exponent = wide(*b);
    const auto apply = [=](auto f) {
        for (Index i = 0; i < n; ++i) {
            grad[i] = static_cast<Real>(wide(grad[i]) * (exponent * f(wide(a[i]))));
        }
    };
    const bool one_exponent = stride_a == 1 && stride_b == 0 && exponent != 0;
    if (one_exponent && with_exponent(exponent - 1, apply)) return;
    if (one_exponent && exponent == 0.5) {
        for (Index i = 0; i < n; ++i) grad[i] *= Real(0.5) / power_half(a[i]);
        return;
    }
    change_by_copies(
        n, a, stride_a, b, stride_b, grad,
        [](Real d, Real p, Real q) {
            const double slope = wide(q) * wide_pow(p, wide(q) - 1);
            return static_cast<Real>(q == 0 ? 0 : wide(d) * slope);
        },
        [](Real d, Real p, Real q) {
            const double slope = wide(q) * pow_within(p, wide(q) - 1);
            return static_cast<Real>(q == 0 ? 0 : wide(d) * slope);
        });
}
void pow_grad_exponent(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                       Real* grad) {
    change_by_copies(
        n, a, stride_a, b, stride_b, grad,
        [](Real d, Real p, Real q) {
            const double slope = wide_pow(p, wide(q)) * wide_log(p);
            const double at_0 = q >= 0 ? 0 : slope;
            return static_cast<Real>(wide(d) * (p == 0 ? at_0 : slope));
        },
        [](Real d, Real p, Real q) {
            return static_cast<Real>(wide(d) * (pow_within(p, wide(q)) * wide_log(p)));
        });
}

void neg(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return -v; });
}
void exp_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return exp(v); });
}
void log_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return log(v); });
}
void sqrt_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return root(v); });
}
void abs_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return magnitude(v); });
}
void sign(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) {
        const Real below = v < 0 ? Real(-1) : v;
        return v > 0 ? Real(1) : below;
    });
}
void sin_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return sin(v); });
}
void cos_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return cos(v); });
}
bool any_beyond(Index n, Real limit, const Real* x) {
    int found = 0;
    for (Index i = 0; i < n; ++i) found |= magnitude(x[i]) > limit ? 1 : 0;
    return found != 0;
}
void clamp(Index n, Real low, Real high, const Real* x, Real* y) {
    unary(n, x, y, [=](Real v) {
        const Real above = v < low ? low : v;
        return unless_nan(v, above <= high ? above : high);
    });
}
void clamp_backward(Index n, Real low, Real high, const Real* x, const Real* dy, Real* dx) {
    binary(n, x, 1, dy, 1, dx, [=](Real v, Real d) {
        const Real below = v <= high ? d : Real(0);
        return v >= low ? below : Real(0);
    });
}
void scale(Index n, Real factor, Real* x) {
    unary(n, x, x, [=](Real v) { return v * factor; });
}

}  // namespace

ElementwiseKernels elementwise_kernels() {
    return {.add = add,
            .sub = sub,
            .mul = mul,
            .div = div,
            .pow = pow_of,
            .pow_grad_base = pow_grad_base,
            .pow_grad_exponent = pow_grad_exponent,
            .maximum = maximum,
            .minimum = minimum,
            .less = less,
            .less_equal = less_equal,
            .greater = greater,
            .greater_equal = greater_equal,
            .equal = equal,
            .not_equal = not_equal,
            .share_of_larger = share_of_larger,
            .choose = choose,
            .neg = neg,
            .exp = exp_of,
            .log = log_of,
            .sqrt = sqrt_of,
            .abs = abs_of,
            .sign = sign,
            .sin = sin_of,
            .cos = cos_of,
            .any_beyond = any_beyond,
            .clamp = clamp,
            .clamp_backward = clamp_backward,
            .scale = scale};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

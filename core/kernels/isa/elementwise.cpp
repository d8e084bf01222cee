// The loops of arithmetic: plain loops, which the compiler vectorises. Compiled once for each
// instruction set, with PRIMER_ISA_LEVEL as its name.
// gemm_tile.cpp explains which headers may be included here.
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

void neg(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return -v; });
}
void exp_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return exp(v); });
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
            .sqrt = sqrt_of,
            .abs = abs_of,
            .sign = sign,
            .sin = sin_of,
            .cos = cos_of,
            .clamp = clamp,
            .clamp_backward = clamp_backward,
            .scale = scale};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

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

void neg(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return -v; });
}
void exp_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return exp(v); });
}
void sqrt_of(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return root(v); });
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
            .neg = neg,
            .exp = exp_of,
            .sqrt = sqrt_of,
            .scale = scale};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL

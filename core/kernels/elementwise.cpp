// Only speed: core/ops/elementwise.cpp has the formulas. Here threads share the rows.

#include "elementwise.h"

#include <cmath>

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

// Calls `row`, with the arguments of ElementwiseKernels::Binary, for each row.
template <class F>
void binary(const Broadcast& loop, const Real* a, const Real* b, Real* y, F row) {
    const auto last = static_cast<std::size_t>(loop.rank - 1);
    const Index inner = loop.size[last];
    if (inner == 0) return;
    const Index count = loop.shape.numel() / inner;
    const Index sa = loop.stride_a[last], sb = loop.stride_b[last];
    if (count == 1) {
        parallel_for(inner, kGrain, [&](Index begin, Index end) {
            row(end - begin, a + begin * sa, sa, b + begin * sb, sb, y + begin);
        });
        return;
    }
    rows(count, inner, kGrain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            Index offset_a = 0, offset_b = 0, rest = r;
            for (std::size_t d = last; d-- > 0; rest /= loop.size[d]) {
                offset_a += rest % loop.size[d] * loop.stride_a[d];
                offset_b += rest % loop.size[d] * loop.stride_b[d];
            }
            row(inner, a + offset_a, sa, b + offset_b, sb, y + r * inner);
        }
    });
}

// y = near(x) with a loop of the table, and y = far(x) with the C library for angles that are too
// large for that loop.
template <class F>
void angles(Index n, const Real* x, Real* y, ElementwiseKernels::Unary near, F far) {
    parallel_for(n, kGrain, [=](Index begin, Index end) {
        near(end - begin, x + begin, y + begin);
        if (!table().elementwise.any_beyond(end - begin, kLargestAngle, x + begin)) return;
        for (Index i = begin; i < end; ++i) {
            if (std::abs(x[i]) > kLargestAngle) y[i] = far(x[i]);
        }
    });
}

}  // namespace

Broadcast::Broadcast(const Shape& a, const Shape& b, const Shape& y)
    : Broadcast(y, broadcast_strides(a, y), broadcast_strides(b, y)) {}

Broadcast::Broadcast(const Shape& y, const Strides& sa, const Strides& sb) : shape(y) {
    // From the outermost dimension inwards: dimension i merges with the one before it if one step
    // along that one equals a step past the end of i, in a and in b.
    for (int i = 0; i < shape.rank(); ++i) {
        const auto d = static_cast<std::size_t>(i);
        const auto previous = static_cast<std::size_t>(rank - 1);
        const Index n = shape[i];
        if (rank > 0 && stride_a[previous] == n * sa[d] && stride_b[previous] == n * sb[d]) {
            size[previous] *= n;
            stride_a[previous] = sa[d];
            stride_b[previous] = sb[d];
        } else if (n != 1) {
            const auto next = static_cast<std::size_t>(rank++);
            size[next] = n;
            stride_a[next] = sa[d];
            stride_b[next] = sb[d];
        }
    }
    if (rank == 0) {  // one element
        rank = 1;
        size[0] = 1;
    }
}

void add(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.add);
}
void sub(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.sub);
}
void mul(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.mul);
}
void div(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.div);
}
void pow(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.pow);
}
void pow_grad_base(const Broadcast& loop, const Real* a, const Real* b, Real* grad) {
    binary(loop, a, b, grad, table().elementwise.pow_grad_base);
}
void pow_grad_exponent(const Broadcast& loop, const Real* a, const Real* b, Real* grad) {
    binary(loop, a, b, grad, table().elementwise.pow_grad_exponent);
}
void maximum(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.maximum);
}
void minimum(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.minimum);
}
void share_of_larger(const Broadcast& loop, const Real* a, const Real* b, Real* grad) {
    binary(loop, a, b, grad, table().elementwise.share_of_larger);
}
void choose(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.choose);
}
void less(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.less);
}
void less_equal(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.less_equal);
}
void greater(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.greater);
}
void greater_equal(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.greater_equal);
}
void equal(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.equal);
}
void not_equal(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, table().elementwise.not_equal);
}
void add(Index n, const Real* a, const Real* b, Real* y) {
    const auto loop = [](Index count, const Real* p, const Real* q, Real* to) {
        table().elementwise.add(count, p, 1, q, 1, to);
    };
    in_chunks(n, kGrain, loop, a, b, y);
}

void neg(Index n, const Real* x, Real* y) { in_chunks(n, kGrain, table().elementwise.neg, x, y); }
void exp(Index n, const Real* x, Real* y) { in_chunks(n, kGrain, table().elementwise.exp, x, y); }
void sqrt(Index n, const Real* x, Real* y) { in_chunks(n, kGrain, table().elementwise.sqrt, x, y); }
void log(Index n, const Real* x, Real* y) { in_chunks(n, kGrain, table().elementwise.log, x, y); }
void abs(Index n, const Real* x, Real* y) { in_chunks(n, kGrain, table().elementwise.abs, x, y); }
void sign(Index n, const Real* x, Real* y) { in_chunks(n, kGrain, table().elementwise.sign, x, y); }
void sin(Index n, const Real* x, Real* y) {
    angles(n, x, y, table().elementwise.sin, [](Real v) { return std::sin(v); });
}
void cos(Index n, const Real* x, Real* y) {
    angles(n, x, y, table().elementwise.cos, [](Real v) { return std::cos(v); });
}

void clamp(Index n, Real low, Real high, const Real* x, Real* y) {
    const auto loop = [=](Index count, const Real* from, Real* to) {
        table().elementwise.clamp(count, low, high, from, to);
    };
    in_chunks(n, kGrain, loop, x, y);
}
void clamp_backward(Index n, Real low, Real high, const Real* x, const Real* dy, Real* dx) {
    const auto loop = [=](Index count, const Real* kept, const Real* from, Real* to) {
        table().elementwise.clamp_backward(count, low, high, kept, from, to);
    };
    in_chunks(n, kGrain, loop, x, dy, dx);
}

void scale(Index n, Real factor, Real* x) {
    in_chunks(
        n, kGrain, [=](Index count, Real* to) { table().elementwise.scale(count, factor, to); }, x);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

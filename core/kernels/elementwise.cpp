#include "primer/core/kernels/elementwise.h"

#include <algorithm>
#include <cmath>

#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kGrain = 16384;  // elements that are worth handing to another thread

template <class F>
void unary(Index n, const Real* x, Real* y, F f) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) y[i] = f(x[i]);
    });
}

// One row: strides are 0 or 1 here nearly always, and a loop whose stride the compiler knows is a
// loop that it can vectorise.
template <class F>
void binary_row(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b, Real* y,
                F f) {
    if (stride_a == 1 && stride_b == 1) {
        for (Index i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
    } else if (stride_a == 1 && stride_b == 0) {
        for (Index i = 0; i < n; ++i) y[i] = f(a[i], *b);
    } else if (stride_a == 0 && stride_b == 1) {
        for (Index i = 0; i < n; ++i) y[i] = f(*a, b[i]);
    } else {
        for (Index i = 0; i < n; ++i) y[i] = f(a[i * stride_a], b[i * stride_b]);
    }
}

template <class F>
void binary(const Broadcast& loop, const Real* a, const Real* b, Real* y, F f) {
    const auto last = static_cast<std::size_t>(loop.rank - 1);
    const Index inner = loop.size[last];
    if (inner == 0) return;
    const Index rows = loop.shape.numel() / inner;
    const Index sa = loop.stride_a[last], sb = loop.stride_b[last];
    if (rows == 1) {
        parallel_for(inner, kGrain, [&](Index begin, Index end) {
            binary_row(end - begin, a + begin * sa, sa, b + begin * sb, sb, y + begin, f);
        });
        return;
    }
    parallel_for(rows, std::max(Index{1}, kGrain / inner), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            Index offset_a = 0, offset_b = 0, rest = row;
            for (std::size_t d = last; d-- > 0; rest /= loop.size[d]) {
                offset_a += rest % loop.size[d] * loop.stride_a[d];
                offset_b += rest % loop.size[d] * loop.stride_b[d];
            }
            binary_row(inner, a + offset_a, sa, b + offset_b, sb, y + row * inner, f);
        }
    });
}

}  // namespace

Broadcast::Broadcast(const Shape& a, const Shape& b, const char* who)
    : shape(broadcast(a, b, who)) {
    const auto sa = broadcast_strides(a, shape);
    const auto sb = broadcast_strides(b, shape);
    // From the outermost dimension inwards: i joins the one before it if stepping once in that one
    // is the same as stepping past the end of i, in a and in b.
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
    binary(loop, a, b, y, [](Real p, Real q) { return p + q; });
}
void sub(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, [](Real p, Real q) { return p - q; });
}
void mul(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, [](Real p, Real q) { return p * q; });
}
void div(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, [](Real p, Real q) { return p / q; });
}
void pow(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, [](Real p, Real q) { return std::pow(p, q); });
}
void pow_grad_base(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, [](Real p, Real q) { return q == 0 ? Real(0) : q * std::pow(p, q - 1); });
}
void pow_grad_exponent(const Broadcast& loop, const Real* a, const Real* b, Real* y) {
    binary(loop, a, b, y, [](Real p, Real q) {
        return p == 0 && q >= 0 ? Real(0) : std::pow(p, q) * std::log(p);
    });
}
void expand(const Broadcast& loop, const Real* a, Real* y) {
    Broadcast alone = loop;
    alone.stride_b.fill(0);  // there is no b to walk
    binary(alone, a, a, y, [](Real p, Real) { return p; });
}

void add(Index n, const Real* a, const Real* b, Real* y) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) y[i] = a[i] + b[i];
    });
}

void neg(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return -v; });
}
void exp(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return std::exp(v); });
}
void log(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return std::log(v); });
}
void sqrt(Index n, const Real* x, Real* y) {
    unary(n, x, y, [](Real v) { return std::sqrt(v); });
}

void scale(Index n, Real factor, Real* x) {
    unary(n, x, x, [=](Real v) { return v * factor; });
}

}  // namespace primer::kernels

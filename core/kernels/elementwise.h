#pragma once

#include <array>

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// How y = f(a, b) walks the memory of a and b when their shapes are broadcast to y's. Dimensions
/// that can be walked as one are merged, so that the last one, the inner loop, is as long as
/// possible. Two tensors of the same shape become a single loop; a bias [C] added to [N, C] becomes
/// N loops over C.
struct Broadcast {
    Shape shape;   ///< of y
    int rank = 0;  ///< after merging; at least 1
    std::array<Index, Shape::kMaxRank> size{};
    Strides stride_a{};
    Strides stride_b{};

    /// Throws Error, naming `who`, if the shapes do not broadcast.
    Broadcast(const Shape& a, const Shape& b, const char* who)
        : Broadcast(a, b, broadcast(a, b, who)) {}
    /// Takes y's shape, which may be larger than a and b together give. Throws Error unless both
    /// broadcast to it.
    Broadcast(const Shape& a, const Shape& b, const Shape& y);
    /// Takes any a and b that lie in memory like this.
    Broadcast(const Shape& y, const Strides& a, const Strides& b);
};

/// y = f(a, b), or f(y, a, b) for some. y may be a if a has y's shape.
using BinaryLoop = void (*)(const Broadcast& loop, const Real* a, const Real* b, Real* y);

void add(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void sub(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void mul(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void div(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void pow(const Broadcast& loop, const Real* a, const Real* b, Real* y);
/// grad *= d(a^b)/da = b a^(b-1); 0 for b = 0, whatever a and grad are.
void pow_grad_base(const Broadcast& loop, const Real* a, const Real* b, Real* grad);
/// grad *= d(a^b)/db = a^b ln a, taken as 0 at a = 0, b >= 0, where a^b does not change with b.
void pow_grad_exponent(const Broadcast& loop, const Real* a, const Real* b, Real* grad);
/// y = the larger, or the smaller, of a and b; NaN if one of them is NaN.
void maximum(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void minimum(const Broadcast& loop, const Real* a, const Real* b, Real* y);
/// grad = 0 where a < b, grad / 2 where a = b.
void share_of_larger(const Broadcast& loop, const Real* a, const Real* b, Real* grad);
/// y = a where y is not 0, else b.
void choose(const Broadcast& loop, const Real* a, const Real* b, Real* y);
/// y = 1 where a < b (and so on), else 0.
void less(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void less_equal(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void greater(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void greater_equal(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void equal(const Broadcast& loop, const Real* a, const Real* b, Real* y);
void not_equal(const Broadcast& loop, const Real* a, const Real* b, Real* y);

/// y[i] = a[i] + b[i] for i < n; y may be a.
void add(Index n, const Real* a, const Real* b, Real* y);

void neg(Index n, const Real* x, Real* y);
void exp(Index n, const Real* x, Real* y);
void log(Index n, const Real* x, Real* y);
void sqrt(Index n, const Real* x, Real* y);
void abs(Index n, const Real* x, Real* y);
/// 1, -1, or x where it is 0 or NaN.
void sign(Index n, const Real* x, Real* y);
/// Here y must not be x.
void sin(Index n, const Real* x, Real* y);
void cos(Index n, const Real* x, Real* y);

/// y = min(max(x, low), high). Where x is NaN, so is y. If high is NaN, all of y is.
void clamp(Index n, Real low, Real high, const Real* x, Real* y);
/// dx = dy where low <= x <= high, else 0.
void clamp_backward(Index n, Real low, Real high, const Real* x, const Real* dy, Real* dx);

/// x *= factor.
void scale(Index n, Real factor, Real* x);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

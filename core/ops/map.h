#pragma once

#include "../creation.h"
#include "../kernels/elementwise.h"

// How ops that work element by element call their kernels.

namespace primer::internal {

/// y_i = f(a_i, b_i), or f(y_i, a_i, b_i) for a kernel that reads y, with a and b broadcast to y's
/// shape. Returns y.
inline Tensor map_into(Tensor y, const Tensor& a, const Tensor& b, kernels::BinaryLoop f) {
    f(kernels::Broadcast(a.shape(), b.shape(), y.shape()), a.data(), b.data(), y.mutable_data());
    return y;
}

/// A new y with y_i = f(a_i, b_i). Throws Error, naming `op`, if the shapes do not broadcast.
inline Tensor map(const char* op, const Tensor& a, const Tensor& b, kernels::BinaryLoop f) {
    return map_into(empty(broadcast(a.shape(), b.shape(), op)), a, b, f);
}

/// A new y with y_i = f(x_i).
inline Tensor map(const Tensor& x, void (*f)(Index n, const Real* x, Real* y)) {
    Tensor y = empty(x.shape());
    f(x.numel(), x.data(), y.mutable_data());
    return y;
}

}  // namespace primer::internal
// SPDX-License-Identifier: MIT

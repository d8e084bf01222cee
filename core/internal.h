#pragma once

#include <algorithm>
#include <cmath>
#include <mutex>

#include "error.h"
#include "saved.h"

// Only the library's own files use this. Users have reshape, view and slice, which are recorded.

namespace primer::internal {

/// A tensor of `shape` over the values of `x`, beginning at its element `offset`. It shares x's
/// memory, and it is not recorded, so an op that returns one must record itself. Throws Error
/// unless all of it lies within x. An op that has taken x by value passes unnamed_copy(x) on.
Tensor alias(const Tensor& x, const Shape& shape, Index offset = 0,
             const char* copied_by = nullptr);

/// The op that copied x where PyTorch has a view, if x is the copy's only handle; else null. Call
/// it for a temporary, or in a function that takes x by value: there, a variable of the caller's
/// is a second handle, and only a temporary is not. What is written to it would be lost.
inline const char* unnamed_copy(const Tensor& x) {
    return x.handle().use_count() == 1 ? x.impl().copied_by : nullptr;
}

/// Whether a tape would want the gradient of `x`, which may be undefined.
inline bool wants_grad(const Tensor& x) { return x.defined() && x.requires_grad(); }
/// Whether no value of `x` is infinite or NaN.
inline bool all_finite(const Tensor& x) {
    return std::ranges::all_of(x.values(), [](Real value) { return std::isfinite(value); });
}
/// The values of `x`; null if it is undefined.
inline const Real* data_or_null(const Tensor& x) { return x.defined() ? x.data() : nullptr; }
inline const Real* data_or_null(const Saved& x) { return x.defined() ? x->data() : nullptr; }

/// The same, for writing.
inline Real* mutable_data_or_null(const Tensor& x) {
    return x.defined() ? x.mutable_data() : nullptr;
}

/// Throws Error, naming `op`, unless the bias is undefined or has an element for each of the
/// weight's outputs, its first dimension.
inline void check_bias(const char* op, const Tensor& bias, const Shape& weight) {
    if (!bias.defined()) return;
    check(bias.shape() == Shape{weight[0]}, op, ": expected a bias [", weight[0],
          "] for the weight ", weight, ", got ", bias.shape());
}

/// The op whose backward this thread runs, for messages.
extern thread_local constinit const char* op_in_backward;

/// Lock it to read or change which tensor is the gradient of x.
std::mutex& grad_mutex(const Tensor& x);

}  // namespace primer::internal
// SPDX-License-Identifier: MIT

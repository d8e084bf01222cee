#pragma once

#include <mutex>
#include <vector>

#include "saved.h"

// For the library's own files. Users have reshape, view and slice, which are recorded.

namespace primer::internal {

/// A tensor of `shape` over the values of `x`, beginning at its element `offset`. It shares x's
/// memory, and no tape hears of it: an op that returns one must record itself. Throws Error unless
/// all of it lies within x.
Tensor alias(const Tensor& x, const Shape& shape, Index offset = 0);

/// The op whose backward this thread runs, for messages.
extern thread_local constinit const char* op_in_backward;
/// Where copies of Saved and its kin tell of themselves; null: nowhere.
extern thread_local constinit std::vector<Kept>* captures;

/// Locked by whoever reads or changes which tensor is the gradient of x.
std::mutex& grad_mutex(const Tensor& x);

}  // namespace primer::internal

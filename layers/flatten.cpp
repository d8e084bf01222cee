#include "flatten.h"

#include "../core/ops.h"

namespace primer {

Flatten::Flatten(Only<int> start_dim, Only<int> end_dim)
    : start_dim_(start_dim), end_dim_(end_dim) {}

Tensor Flatten::forward(const Tensor& x) { return flatten(x, start_dim_, end_dim_); }

std::string Flatten::describe() const {
    return "Flatten(start_dim=" + std::to_string(start_dim_) +
           ", end_dim=" + std::to_string(end_dim_) + ")";
}

}  // namespace primer
// SPDX-License-Identifier: MIT

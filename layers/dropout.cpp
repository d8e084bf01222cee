#include "dropout.h"

#include "../core/error.h"
#include "../core/ops.h"
#include "python_text.h"

namespace primer {
namespace {

double checked(const char* name, double p) {
    check(p >= 0 && p <= 1, name, ": expected a probability p from 0 to 1, got ", p);
    return p;
}

}  // namespace

DropoutLayer::DropoutLayer(const char* name, double p, Rng& rng)
    : name_(name), p_(checked(name, p)), rng_(rng.split()) {}

std::string DropoutLayer::describe() const {
    return std::string(name_) + "(p=" + python_float(p_) + ", inplace=False)";
}

// With p = 0, the op checks x and returns it.
Tensor Dropout::forward(const Tensor& x) { return dropout(x, p(), rng()); }

Tensor Dropout2d::forward(const Tensor& x) { return dropout2d(x, p(), rng()); }

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include "../core/init.h"
#include "../core/parameter.h"

// What layers do with a weight and a bias, which options may leave undefined.

namespace primer {

/// Visits those of the two that are defined.
inline void visit_weight_and_bias(Visitor& visitor, Parameter& weight, Parameter& bias) {
    if (weight.defined()) visitor("weight", weight);
    if (bias.defined()) visitor("bias", bias);
}

/// The initial values of normalisations: 1 for the weight, 0 for the bias.
inline void ones_and_zeros_(const Parameter& weight, const Parameter& bias) {
    if (weight.defined()) ones_(weight);
    if (bias.defined()) zeros_(bias);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include "../core/init.h"
#include "../core/parameter.h"

// The weight and the bias of normalisations, which options may leave undefined.

namespace primer {

/// Visits those of the two that are defined.
inline void visit_affine(Visitor& visitor, Parameter& weight, Parameter& bias) {
    if (weight.defined()) visitor("weight", weight);
    if (bias.defined()) visitor("bias", bias);
}

/// Sets the weight to 1 and the bias to 0, where they are defined.
inline void reset_affine(const Parameter& weight, const Parameter& bias) {
    if (weight.defined()) ones_(weight);
    if (bias.defined()) zeros_(bias);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <initializer_list>
#include <span>

#include "../core/parameter.h"

namespace primer {

/// Scales all gradients by the same factor, so that their common norm is at most max_norm: the
/// factor is min(1, max_norm / (n + 1e-6)), where n is the square root of the sum of all squares.
/// Call it between backward() and step(). Returns n, the norm before scaling. Skips parameters
/// without a gradient. Throws Error unless max_norm >= 0.
///
/// Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013,
/// algorithm 1.
Real clip_grad_norm_(std::span<const Parameter> parameters, Only<double> max_norm);
inline Real clip_grad_norm_(std::initializer_list<Parameter> parameters, Only<double> max_norm) {
    return clip_grad_norm_(std::span(parameters.begin(), parameters.size()), max_norm);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

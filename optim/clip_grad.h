#pragma once

#include <span>

#include "../core/parameter.h"

namespace primer {

/// Scales the gradients, all by the same factor, so that together they are no longer than max_norm:
/// with n the square root of the sum of squares over all of them, by min(1, max_norm / (n + 1e-6)).
/// Call it between backward() and step(). Returns n, the norm before. Parameters without a gradient
/// are passed over. Throws Error unless max_norm >= 0.
///
/// Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013,
/// algorithm 1.
Real clip_grad_norm_(std::span<const Parameter> parameters, Only<double> max_norm);

}  // namespace primer

#pragma once

#include <cstdint>

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// y = 0 x with probability p, else x / (1 - p), independently for each of n elements; kept[i] is 0
/// or 1. The choice depends only on seed and i. y may be x.
void dropout(Index n, double p, std::uint64_t seed, const Real* x, Real* y, std::uint8_t* kept);
/// dx = 0 dy where x was dropped, else dy / (1 - p). dx may be dy.
void dropout_backward(Index n, double p, const std::uint8_t* kept, const Real* dy, Real* dx);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

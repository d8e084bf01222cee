#pragma once

#include <span>

#include "../real.h"
#include "reduce.h"

namespace primer::kernels {

/// y[o, j, :] = x[o, index[j], :] for x [outer, n, inner] and y [outer, index.size(), inner].
void gather(const Axis& axis, std::span<const Index> index, const Real* x, Real* y);

/// The reverse: x[o, r, :] = the sum of y[o, j, :] over all j with index[j] = r, added up in the
/// order of j; 0 if there is none.
void scatter_sum(const Axis& axis, std::span<const Index> index, const Real* y, Real* x);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

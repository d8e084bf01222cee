#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// y = x, both of `shape`, where neighbours along dimension d lie stride_x[d] apart in x and
/// stride_y[d] in y. Strides may be 0 (x is repeated) or negative.
void copy_strided(const Shape& shape, const Real* x, const Strides& stride_x, Real* y,
                  const Strides& stride_y);

/// y = x broadcast to y's shape.
inline void expand(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y) {
    copy_strided(y_shape, x, broadcast_strides(x_shape, y_shape), y, row_major_strides(y_shape));
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

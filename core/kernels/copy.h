#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// `rows` rows of `width` elements; neighbouring rows begin stride_x apart in x, stride_y in y.
void copy_2d(Index rows, Index width, const Real* x, Index stride_x, Real* y, Index stride_y);

/// y = x with its dimensions dim0 < dim1 exchanged (or dim0 = dim1: a plain copy).
void swap_axes(const Shape& x_shape, int dim0, int dim1, const Real* x, Real* y);

}  // namespace primer::kernels

#pragma once

#include "../kernels/conv.h"
#include "../ops.h"
#include "../tensor.h"

// Batches of images, for conv2d.cpp and conv_transpose2d.cpp.

namespace primer::internal {

/// The shape of a batch: one image [C, H, W] is a batch of one.
inline Shape as_batch(const Shape& x) { return x.rank() == 3 ? Shape{1}.concat(x) : x; }

/// [N, channels, h, w], without N for one image x.
inline Shape images_like(const Shape& x, Index channels, Index h, Index w) {
    return x.slice(0, x.rank() - 3).concat({channels, h, w});
}

/// Throws Error, naming `op`, if an image with its padding, which the kernels copy, would be larger
/// than memory. (No tensor's shape includes the padding.)
void check_padded_image(const char* op, const kernels::ConvSizes& sizes);

/// The sizes of conv2d. Throws Error for shapes and options that it does not take.
kernels::ConvSizes conv2d_sizes(const Shape& x, const Shape& weight, const Conv2dOptions& options);

/// db [C] = the sum of dy [N, C, H, W] or [C, H, W] over all dimensions but the channels.
void sum_per_channel(const Tensor& dy, Real* db);

}  // namespace primer::internal
// SPDX-License-Identifier: MIT

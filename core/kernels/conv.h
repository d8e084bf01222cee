#pragma once

#include "../real.h"
#include "window.h"

namespace primer::kernels {

/// The sizes of a convolution of x [batch, in_channels, h.in, w.in] with weight [out_channels,
/// in_channels / groups, h.kernel, w.kernel] to y [batch, out_channels, h.out, w.out].
struct ConvSizes {
    Index batch, in_channels, out_channels, groups;
    Window h, w;
};

/// y = bias + the sum of weight * x over the window and the group's input channels. `bias`
/// [out_channels] may be nullptr.
void conv2d(const ConvSizes& sizes, const Real* x, const Real* weight, const Real* bias, Real* y);
/// dx from dy.
void conv2d_backward_input(const ConvSizes& sizes, const Real* weight, const Real* dy, Real* dx);
/// dweight from dy.
void conv2d_backward_weight(const ConvSizes& sizes, const Real* x, const Real* dy, Real* dweight);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

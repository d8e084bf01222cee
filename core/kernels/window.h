#pragma once

#include <algorithm>

#include "../shape.h"

namespace primer::kernels {

/// begin, begin + 1, ..., end - 1.
struct Range {
    Index begin, end;
};

/// How a window slides along one direction of an image. At output o, cell k is at position o *
/// stride - padding + k * dilation; positions outside the image are padding. Kernel, stride,
/// padding and dilation must be below 2^31, so that no product here overflows.
struct Window {
    Index in;  ///< size of the image
    Index kernel, stride, padding, dilation;
    /// Number of outputs; 0 if the window is longer than the padded image. A convolution may set it
    /// to another number: whatever its windows see outside the image is padding.
    Index out = 0;

    /// Computes `out`, the number of windows that fit the padded image: out = (in + 2 padding -
    /// reach) / stride + 1, rounded down, where reach = dilation * (kernel - 1) + 1 is a window's
    /// length. With `ceil_mode` the division rounds up, so the last window may reach over the edge.
    /// But it must not begin beyond the image, where it would see nothing.
    Window(Index in_size, Index kernel_size, Index stride_by, Index padding_by, Index dilation_by,
           bool ceil_mode = false)
        : in(in_size),
          kernel(kernel_size),
          stride(stride_by),
          padding(padding_by),
          dilation(dilation_by) {
        const Index room = in + 2 * padding - reach() + (ceil_mode ? stride - 1 : 0);
        if (room < 0) return;
        out = room / stride + 1;
        if (ceil_mode && (out - 1) * stride >= in + padding) --out;
        // The stride does not matter to a single output, but a huge one would make buffers huge.
        if (out == 1) stride = std::min(stride, reach());
    }

    /// How many positions a window covers.
    Index reach() const { return dilation * (kernel - 1) + 1; }

    Index at(Index o, Index k) const { return o * stride - padding + k * dilation; }

    bool inside(Index i) const { return 0 <= i && i < in; }

    /// The outputs at which cell k is inside the image.
    Range outputs(Index k) const {
        const Index before = padding - k * dilation;  // at(o, k) = o * stride - before
        const Index begin = before > 0 ? (before + stride - 1) / stride : 0;
        const Index end = before + in > 0 ? (before + in - 1) / stride + 1 : 0;
        return {std::min(begin, out), std::clamp(end, std::min(begin, out), out)};
    }
};

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include "../real.h"
#include "storage.h"
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

/// What happens to the sums of a convolution while they are in the cache, in this order.
struct ConvEpilogue {
    const Real* bias = nullptr;  ///< [out_channels], added
    bool relu = false;           ///< max(y, 0)
    /// The largest of each 2x2 outputs: y is [batch, out_channels, h.out / 2, w.out / 2]. A last
    /// odd row or column is left out.
    bool max_pool = false;
};

/// A weight in the form that the fast kernels read. Making it takes as long as a small convolution,
/// so whoever predicts keeps it while the weight stays the same.
class ConvWeight {
  public:
    /// `weight` must outlive it, and stay the same. The batch size does not matter.
    ConvWeight(const ConvSizes& sizes, const Real* weight);
    /// Whether it is in the form for these sizes, which may differ in the batch and the images.
    bool suits(const ConvSizes& sizes) const;
    /// conv2d, and then the epilogue.
    void convolve(const ConvSizes& sizes, const Real* x, const ConvEpilogue& epilogue,
                  Real* y) const;

  private:
    enum class Form { plain, packed, transformed };
    static Form form_for(const ConvSizes& sizes);

    Form form_;
    const Real* plain_;
    Storage made_;
};

/// dx from dy.
void conv2d_backward_input(const ConvSizes& sizes, const Real* weight, const Real* dy, Real* dx);
/// dweight from dy.
void conv2d_backward_weight(const ConvSizes& sizes, const Real* x, const Real* dy, Real* dweight);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include <concepts>
#include <initializer_list>

#include "../core/ops.h"
#include "../core/rng.h"
#include "conv_layer.h"

namespace primer {

/// The options of Conv2d.
struct Conv2dLayerOptions {
    Size2 kernel_size = 0;        ///< required
    Size2 stride = 1;             ///< how far the kernel moves from one output to the next
    ConvPadding padding = 0;      ///< zeros on each side of the image; "same": y as large as x
    Size2 dilation = 1;           ///< distance of the kernel's cells from one another
    Only<Index> groups = 1;       ///< each convolved by itself; must divide both channel counts
    bool bias = true;             ///< leave it out before a batch normalisation, which has its own
    Only<double> bias_value = 0;  ///< initially
};

/// conv2d: x [N, in_channels, H, W] -> [N, out_channels, OH, OW], or one image without N. For the
/// formula see ops.h.
///
///     Conv2d(32, 64, {.kernel_size = 3, .padding = 1}, rng)
class Conv2d : public ConvLayer {
  public:
    /// The weight starts He normal, with variance 2 / (in_channels / groups * kernel area). Throws
    /// Error for fewer than one channel on either side, a kernel without cells, and groups that do
    /// not divide both channel counts; the op checks the other options.
    Conv2d(Only<Index> in_channels, Only<Index> out_channels, const Conv2dLayerOptions& options,
           Rng& rng = default_rng());
    /// Conv2d(3, 32, 3, 1, 1), as in PyTorch, and Conv2d(3, 32, {3, 5}).
    Conv2d(Only<Index> in_channels, Only<Index> out_channels, Size2 kernel_size, Size2 stride = 1,
           ConvPadding padding = 0, Rng& rng = default_rng());
    template <WholeNumber T>
    Conv2d(Only<Index> in_channels, Only<Index> out_channels, std::initializer_list<T> kernel_size,
           Size2 stride = 1, ConvPadding padding = 0, Rng& rng = default_rng())
        : Conv2d(in_channels, out_channels, kernel_size_of(kernel_size, "Conv2d"), stride, padding,
                 rng) {}
    /// Conv2d(3, 32, 3, rng)
    Conv2d(Only<Index> in_channels, Only<Index> out_channels, Size2 kernel_size, Rng& rng)
        : Conv2d(in_channels, out_channels, kernel_size, 1, 0, rng) {}
    template <WholeNumber T>
    Conv2d(Only<Index> in_channels, Only<Index> out_channels, std::initializer_list<T> kernel_size,
           Rng& rng)
        : Conv2d(in_channels, out_channels, kernel_size, 1, 0, rng) {}
    // The kernel is one of the options: Conv2d(3, 32, {.kernel_size = 3, .padding = 1}).
    template <std::same_as<Conv2dLayerOptions> Options = Conv2dLayerOptions>
    Conv2d(Only<Index>, Only<Index>, Size2, const Options&) = delete;  // {.kernel_size = 3, ...}

    Tensor forward(const Tensor& x) override;
    /// Those that the op is called with.
    const Conv2dOptions& options() const { return setup().options; }
};

}  // namespace primer
// SPDX-License-Identifier: MIT

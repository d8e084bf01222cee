#pragma once

#include <concepts>
#include <initializer_list>

#include "../core/ops.h"
#include "../core/rng.h"
#include "conv_layer.h"

namespace primer {

/// The options of ConvTranspose2d.
struct ConvTranspose2dLayerOptions {
    Size2 kernel_size = 0;        ///< required
    Size2 stride = 1;             ///< distance in y between the kernels of neighbouring x
    Size2 padding = 0;            ///< rows or columns cut off y on each side
    Size2 output_padding = 0;     ///< and added below and on the right; below stride or dilation
    Only<Index> groups = 1;       ///< each convolved by itself; must divide both channel counts
    bool bias = true;             ///< leave it out before a batch normalisation, which has its own
    Size2 dilation = 1;           ///< distance of the kernel's cells from one another
    Only<double> bias_value = 0;  ///< initially
};

/// conv_transpose2d: x [N, in_channels, H, W] -> [N, out_channels, OH, OW], or one image without N.
/// With stride 2 it doubles the size of images, as in a decoder or a generator. For the formula see
/// ops.h.
///
///     ConvTranspose2d(64, 32, {.kernel_size = 4, .stride = 2, .padding = 1}, rng)
class ConvTranspose2d : public ConvLayer {
  public:
    /// The weight starts He normal, with variance 2 / fan, where the fan counts the products in an
    /// output: in_channels / groups * kernel area / stride area, as only every stride-th row and
    /// column of the kernel meets an x there. Throws Error for fewer than one channel on either
    /// side, a kernel without cells, and groups that do not divide both channel counts; the op
    /// checks the other options.
    ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels,
                    const ConvTranspose2dLayerOptions& options, Rng& rng = default_rng());
    /// ConvTranspose2d(64, 32, 4, 2, 1), as in PyTorch, and ConvTranspose2d(64, 32, {3, 5}).
    ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels, Size2 kernel_size,
                    Size2 stride = 1, Size2 padding = 0, Size2 output_padding = 0,
                    Rng& rng = default_rng());
    template <WholeNumber T>
    ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels,
                    std::initializer_list<T> kernel_size, Size2 stride = 1, Size2 padding = 0,
                    Size2 output_padding = 0, Rng& rng = default_rng())
        : ConvTranspose2d(in_channels, out_channels, kernel_size_of(kernel_size, "ConvTranspose2d"),
                          stride, padding, output_padding, rng) {}
    /// ConvTranspose2d(64, 32, 3, rng)
    ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels, Size2 kernel_size, Rng& rng)
        : ConvTranspose2d(in_channels, out_channels, kernel_size, 1, 0, 0, rng) {}
    template <WholeNumber T>
    ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels,
                    std::initializer_list<T> kernel_size, Rng& rng)
        : ConvTranspose2d(in_channels, out_channels, kernel_size, 1, 0, 0, rng) {}
    // The kernel is one of the options: ConvTranspose2d(64, 32, {.kernel_size = 4, .stride = 2}).
    template <std::same_as<ConvTranspose2dLayerOptions> Options = ConvTranspose2dLayerOptions>
    ConvTranspose2d(Only<Index>, Only<Index>, Size2, const Options&) = delete;  // .kernel_size

    Tensor forward(const Tensor& x) override;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

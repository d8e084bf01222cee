#include "conv_transpose2d.h"

#include "../core/init.h"

#include <cmath>

namespace primer {
namespace {

double area(Size2 size) { return static_cast<double>(size.h) * static_cast<double>(size.w); }

}  // namespace

ConvTranspose2d::ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels,
                                 const ConvTranspose2dLayerOptions& options, Rng& rng)
    : ConvLayer({.type = "ConvTranspose2d",
                 .in_channels = in_channels,
                 .out_channels = out_channels,
                 .kernel_size = options.kernel_size,
                 .options = {.stride = options.stride,
                             .padding = options.padding,
                             .dilation = options.dilation,
                             .groups = options.groups},
                 .output_padding = options.output_padding,
                 .bias = options.bias,
                 .bias_value = options.bias_value}) {
    const Size2 kernel = options.kernel_size;
    const Index channels = in_channels / options.groups;
    const double fan = static_cast<double>(channels) * area(kernel) / area(options.stride);
    weight =
        Parameter(randn({in_channels, out_channels / options.groups, kernel.h, kernel.w}, rng) *
                  std::sqrt(2 / fan));
}

ConvTranspose2d::ConvTranspose2d(Only<Index> in_channels, Only<Index> out_channels,
                                 Size2 kernel_size, Size2 stride, Size2 padding,
                                 Size2 output_padding, Rng& rng)
    : ConvTranspose2d(in_channels, out_channels,
                      ConvTranspose2dLayerOptions{.kernel_size = kernel_size,
                                                  .stride = stride,
                                                  .padding = padding,
                                                  .output_padding = output_padding},
                      rng) {}

Tensor ConvTranspose2d::forward(const Tensor& x) {
    const Conv2dOptions& options = setup().options;
    return conv_transpose2d(x, weight, bias,
                            {.stride = options.stride,
                             .padding = options.padding.size,
                             .output_padding = setup().output_padding,
                             .groups = options.groups,
                             .dilation = options.dilation});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

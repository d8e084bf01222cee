#include "conv2d.h"

#include "../core/init.h"
#include "fusion.h"

namespace primer {

Conv2d::Conv2d(Only<Index> in_channels, Only<Index> out_channels, const Conv2dLayerOptions& options,
               Rng& rng)
    : ConvLayer({.type = "Conv2d",
                 .in_channels = in_channels,
                 .out_channels = out_channels,
                 .kernel_size = options.kernel_size,
                 .options = {.stride = options.stride,
                             .padding = options.padding,
                             .dilation = options.dilation,
                             .groups = options.groups},
                 .output_padding = 0,
                 .bias = options.bias,
                 .bias_value = options.bias_value}) {
    weight = Parameter(kaiming_normal_(empty({out_channels, in_channels / options.groups,
                                              options.kernel_size.h, options.kernel_size.w}),
                                       {}, rng));
}

Conv2d::Conv2d(Only<Index> in_channels, Only<Index> out_channels, Size2 kernel_size, Size2 stride,
               ConvPadding padding, Rng& rng)
    : Conv2d(in_channels, out_channels,
             Conv2dLayerOptions{.kernel_size = kernel_size, .stride = stride, .padding = padding},
             rng) {}

Tensor Conv2d::forward(const Tensor& x) {
    if (const auto y = Fusion::run_alone(*this, x)) return *y;
    return conv2d(x, weight, bias, options());
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <algorithm>

#include "../error.h"
#include "../internal.h"
#include "../kernels/conv.h"
#include "../kernels/elementwise.h"
#include "../ops.h"
#include "../tape.h"
#include "gradients.h"
#include "images.h"

namespace primer {
namespace {

constexpr const char* kOp = "conv_transpose2d";

// The windows of the conv2d that is transposed, along one direction. They slide over y, and there
// is one for each x. (With a large dilation, output_padding may leave room for more.)
kernels::Window windows_over_y(Index x_size, Index kernel, Index stride, Index padding,
                               Index output_padding, Index dilation) {
    const Index y_size =
        (x_size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1;
    kernels::Window window(y_size, kernel, stride, padding, dilation);
    window.out = x_size;
    return window;
}

void check_options(const Shape& weight, const ConvTranspose2dOptions& options) {
    check(weight.rank() == 4, kOp, ": expected a weight [C_in, C_out / groups, kh, kw], got ",
          weight);
    const auto& [stride, padding, output_padding, groups, dilation] = options;
    check_window(kOp, {weight[2], weight[3]}, stride, padding, dilation);
    check_at_least(0, output_padding, kOp, "value of output_padding");
    check(output_padding.h < std::max(stride.h, dilation.h) &&
              output_padding.w < std::max(stride.w, dilation.w),
          kOp, ": expected an output_padding less than the stride ", stride, " or the dilation ",
          dilation, ", got ", output_padding);
    const Index in = weight[0];
    check(in >= 1 && weight[1] >= 1, kOp,
          ": expected at least one input and one output channel, got the weight ", weight);
    check(1 <= groups && groups <= in && in % groups == 0, kOp, ": the ", in,
          " input channels of the weight ", weight, " cannot be cut into ", groups, " groups");
}

// The sizes of the conv2d that is transposed: its input is y, its output x.
kernels::ConvSizes sizes_of(const Shape& x, const Shape& weight,
                            const ConvTranspose2dOptions& options) {
    check_options(weight, options);
    const auto& [stride, padding, output_padding, groups, dilation] = options;
    const Shape images = internal::as_batch(x);
    check(images.rank() == 4 && images[1] == weight[0], kOp, ": expected x [N, ", weight[0],
          ", H, W] or [", weight[0], ", H, W] for the weight ", weight, ", got ", x);
    check_at_least(1, Size2(images[2], images[3]), kOp, "size of the images");

    const kernels::ConvSizes sizes{.batch = images[0],
                                   .in_channels = weight[1] * groups,
                                   .out_channels = weight[0],
                                   .groups = groups,
                                   .h = windows_over_y(images[2], weight[2], stride.h, padding.h,
                                                       output_padding.h, dilation.h),
                                   .w = windows_over_y(images[3], weight[3], stride.w, padding.w,
                                                       output_padding.w, dilation.w)};
    check(sizes.h.in >= 1 && sizes.w.in >= 1, kOp, ": the padding ", padding,
          " leaves nothing of the result for x ", x, " and the weight ", weight);
    internal::check_padded_image(kOp, sizes);
    return sizes;
}

}  // namespace

// Every x[i] meets every weight[k] once, and the product is added to y[o] at o = i stride - padding
// + k dilation, unless that is outside y. So
//     dx[i] = sum_k weight[k] dy[o]    dw[k] = sum_i x[i] dy[o]    db = sum_o dy[o]
// Compare the comment above conv2d, whose o is the i here, and whose i is the o: forward is
// conv2d's dx with x in place of dy; dx is conv2d of dy; dw is conv2d's dw with x and dy exchanged.
//
// The cost counts all these products, those outside y as well, as conv2d's counts those with zeros.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options) {
    const kernels::ConvSizes sizes = sizes_of(x.shape(), weight.shape(), options);
    const Index channels = sizes.in_channels;
    check(!bias.defined() || bias.shape() == Shape{channels}, kOp, ": expected a bias [", channels,
          "] for the weight ", weight.shape(), " in ", options.groups, " group(s), got ",
          bias.defined() ? bias.shape() : Shape{});
    Tensor y = empty(internal::images_like(x.shape(), channels, sizes.h.in, sizes.w.in));
    kernels::conv2d_backward_input(sizes, weight.data(), x.data(), y.mutable_data());
    if (bias.defined()) {
        const kernels::Broadcast over_images(y.shape(), Shape{channels, 1, 1}, kOp);
        kernels::add(over_images, y.data(), bias.data(), y.mutable_data());
    }

    const Index products = x.numel() * weight.shape().slice(1, 4).numel();
    return record(
        {kOp, products + (bias.defined() ? y.numel() : 0), 2}, y, {x, weight, bias},
        [sizes, x_shape = x.shape(), w_shape = weight.shape(), x = Saved(x, weight.requires_grad()),
         w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
            const auto compute = [&](Real* dx, Real* dw, Real* db) {
                if (dx != nullptr) kernels::conv2d(sizes, dy.data(), w->data(), nullptr, dx);
                if (dw != nullptr) kernels::conv2d_backward_weight(sizes, dy.data(), x->data(), dw);
                if (db != nullptr) internal::sum_per_channel(dy, db);
            };
            internal::add_gradients(d, {x_shape, w_shape, {sizes.in_channels}}, compute);
        });
}

}  // namespace primer
// SPDX-License-Identifier: MIT

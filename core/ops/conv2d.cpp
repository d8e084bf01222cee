#include "../kernels/conv.h"

#include <algorithm>

#include "../error.h"
#include "../internal.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../tape.h"
#include "gradients.h"
#include "images.h"

namespace primer {

ConvPadding::ConvPadding(const char* text) {
    for (const std::string_view known : {"same", "valid"}) {
        if (text != nullptr && text == known) word = known;
    }
    check(!word.empty(), "padding: expected \"same\", \"valid\" or numbers, got \"",
          text != nullptr ? text : "", '"');
}

void internal::check_padded_image(const char* op, const kernels::ConvSizes& sizes) {
    const auto padded = [](const kernels::Window& window) {
        return static_cast<double>(window.in + 2 * window.padding);
    };
    const auto channels = static_cast<double>(std::max(sizes.in_channels, Index{1}));
    check(channels * padded(sizes.h) * padded(sizes.w) < 0x1p48, op, ": images of ",
          Size2(sizes.h.in, sizes.w.in), " padded by ", Size2(sizes.h.padding, sizes.w.padding),
          " have more elements than memory");
}

void internal::sum_per_channel(const Tensor& dy, Real* db) {
    const Shape shape = as_batch(dy.shape());
    const Index planes = shape[0] * shape[1];
    const Tensor of_planes = empty({planes});
    kernels::sum({Shape{planes, shape[2] * shape[3]}, 1}, dy.data(), of_planes.mutable_data());
    kernels::sum({Shape{shape[0], shape[1]}, 0}, of_planes.data(), db);
}

namespace {

// The windows along one direction. With padding "same" there is one for each position of the image;
// the last of them may need one more zero than the first.
kernels::Window windows(Index in, Index kernel, Index stride, Index padding, Index dilation,
                        bool same) {
    if (!same) return {in, kernel, stride, padding, dilation};
    kernels::Window window(in, kernel, stride, dilation * (kernel - 1) / 2, dilation);
    window.out = in;
    return window;
}

}  // namespace

kernels::ConvSizes internal::conv2d_sizes(const Shape& x, const Shape& weight,
                                          const Conv2dOptions& options) {
    check(weight.rank() == 4, "conv2d: expected a weight [C_out, C_in / groups, kh, kw], got ",
          weight);
    const auto& [stride, padding, dilation, groups] = options;
    check_window("conv2d", {weight[2], weight[3]}, stride, padding.size, dilation);
    const bool same = padding.word == "same";
    check(!same || stride == 1, "conv2d: padding \"same\" needs a stride of 1, got ", stride);
    const Index out = weight[0];
    check(out >= 1, "conv2d: expected at least one output channel, got the weight ", weight);
    check(1 <= groups && groups <= out && out % groups == 0, "conv2d: the ", out,
          " output channels of the weight ", weight, " cannot be cut into ", groups, " groups");
    const Index in = weight[1] * groups;
    const Shape images = internal::as_batch(x);
    check(images.rank() == 4 && images[1] == in, "conv2d: expected x [N, ", in, ", H, W] or [", in,
          ", H, W] for the weight ", weight, " in ", groups, " group(s), got ", x);
    check(images[2] >= 1 && images[3] >= 1, "conv2d: expected x [N, ", in,
          ", H, W] with H and W of at least 1, got ", x);

    const kernels::ConvSizes sizes{
        .batch = images[0],
        .in_channels = in,
        .out_channels = out,
        .groups = groups,
        .h = windows(images[2], weight[2], stride.h, padding.size.h, dilation.h, same),
        .w = windows(images[3], weight[3], stride.w, padding.size.w, dilation.w, same)};
    check(sizes.h.out >= 1 && sizes.w.out >= 1, "conv2d: x ", x, " padded by ", padding.size,
          " is smaller than the kernel, which covers ", Size2(sizes.h.reach(), sizes.w.reach()),
          "; is the network too deep for images of this size?");
    internal::check_padded_image("conv2d", sizes);
    return sizes;
}

// y[o] is bias + a sum of products weight[j] x[i]. A product adds weight[j] dy[o] to dL/dx[i] and
// x[i] dy[o] to dL/dweight[j], and the bias is added to every output of its channel. So, with the
// sums over those outputs that saw the x or used the weight:
//     dx[i] = sum_o weight[j] dy[o]    dw[j] = sum_o x[i] dy[o]    db = sum_o dy[o]
// Here o, j and i = o stride - padding + j dilation stand for positions only, in both directions at
// once; the sums over images, channels and groups are left out. core/kernels/reference.cpp has the
// loops over all of them. (In the formula of ops.h, o is an output channel.)
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Conv2dOptions& options) {
    const kernels::ConvSizes sizes = internal::conv2d_sizes(x.shape(), weight.shape(), options);
    internal::check_bias("conv2d", bias, weight.shape());
    Tensor y =
        empty(internal::images_like(x.shape(), sizes.out_channels, sizes.h.out, sizes.w.out));
    kernels::conv2d(sizes, x.data(), weight.data(), internal::data_or_null(bias), y.mutable_data());

    const Index products = weight.shape().slice(1, 4).numel() + (bias.defined() ? 1 : 0);
    return record(
        {"conv2d", y.numel() * products, 2}, y, {x, weight, bias},
        [sizes, x_shape = x.shape(), w_shape = weight.shape(), x = Saved(x, weight.requires_grad()),
         w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
            const auto compute = [&](Real* dx, Real* dw, Real* db) {
                if (dx != nullptr) kernels::conv2d_backward_input(sizes, w->data(), dy.data(), dx);
                if (dw != nullptr) kernels::conv2d_backward_weight(sizes, x->data(), dy.data(), dw);
                if (db != nullptr) internal::sum_per_channel(dy, db);
            };
            internal::add_gradients(d, {x_shape, w_shape, {sizes.out_channels}}, compute);
        });
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "../kernels/conv.h"

#include <algorithm>

#include "../error.h"
#include "../internal.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../tape.h"

namespace primer {
namespace {

kernels::ConvSizes sizes_of(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
    check(weight.rank() == 4, "conv2d: expected a weight [C_out, C_in / groups, kh, kw], got ",
          weight);
    check_window("conv2d", {weight[2], weight[3]}, options.stride, options.padding,
                 options.dilation);
    const Index groups = options.groups, out = weight[0];
    check(out >= 1, "conv2d: expected at least one output channel, got the weight ", weight);
    check(1 <= groups && groups <= out && out % groups == 0, "conv2d: the ", out,
          " output channels of the weight ", weight, " cannot be cut into ", groups, " groups");
    const Index in = weight[1] * groups;
    check(x.rank() == 4 && x[1] == in, "conv2d: expected x [N, ", in, ", H, W] for the weight ",
          weight, " in ", groups, " group(s), got ", x,
          x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    check(x[2] >= 1 && x[3] >= 1, "conv2d: expected x [N, ", in,
          ", H, W] with H and W of at least 1, got ", x);

    const kernels::ConvSizes sizes{
        .batch = x[0],
        .in_channels = in,
        .out_channels = out,
        .groups = groups,
        .h = {x[2], weight[2], options.stride.h, options.padding.h, options.dilation.h},
        .w = {x[3], weight[3], options.stride.w, options.padding.w, options.dilation.w}};
    check(sizes.h.out >= 1 && sizes.w.out >= 1, "conv2d: x ", x, " padded by ", options.padding,
          " is smaller than the kernel, which covers ", Size2(sizes.h.reach(), sizes.w.reach()),
          "; is the network too deep for images of this size?");
    // The kernels copy an image with its padding, which none of the shapes here includes.
    const auto padded = [](const kernels::Window& window) {
        return static_cast<double>(window.in + 2 * window.padding);
    };
    check(static_cast<double>(std::max(in, Index{1})) * padded(sizes.h) * padded(sizes.w) < 0x1p48,
          "conv2d: x ", x, " padded by ", options.padding, " has more elements than memory");
    return sizes;
}

// The sum of dy [N, C, H, W] over all dimensions but the channels.
Tensor sum_per_channel(const Tensor& dy) {
    const Shape& shape = dy.shape();
    const Index planes = shape[0] * shape[1];
    const Tensor of_planes = empty({planes}), of_channels = empty({shape[1]});
    kernels::sum({Shape{planes, shape[2] * shape[3]}, 1}, dy.data(), of_planes.mutable_data());
    kernels::sum({Shape{shape[0], shape[1]}, 0}, of_planes.data(), of_channels.mutable_data());
    return of_channels;
}

}  // namespace

// y[o] is bias + a sum of products weight[j] x[i]. A product adds weight[j] dy[o] to dL/dx[i] and
// x[i] dy[o] to dL/dweight[j], and the bias is added to every output of its channel. So, with the
// sums over those outputs that saw the x or used the weight:
//     dx[i] = sum_o weight[j] dy[o]    dw[j] = sum_o x[i] dy[o]    db = sum_o dy[o]
// where o, j and i = o stride - padding + j dilation stand for the position in both directions.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Conv2dOptions& options) {
    const kernels::ConvSizes sizes = sizes_of(x.shape(), weight.shape(), options);
    internal::check_bias("conv2d", bias, weight.shape());
    Tensor y = empty({sizes.batch, sizes.out_channels, sizes.h.out, sizes.w.out});
    kernels::conv2d(sizes, x.data(), weight.data(), internal::data_or_null(bias), y.mutable_data());

    const Index products = weight.shape().slice(1, 4).numel() + (bias.defined() ? 1 : 0);
    return record(
        {"conv2d", y.numel() * products}, y, {x, weight, bias},
        [sizes, x_shape = x.shape(), w_shape = weight.shape(), x = Saved(x, weight.requires_grad()),
         w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
            Grad &dx = d[0], &dw = d[1], &db = d[2];
            if (dx.wanted()) {
                Tensor grad = empty(x_shape);
                kernels::conv2d_backward_input(sizes, w->data(), dy.data(), grad.mutable_data());
                dx.add(grad);
            }
            if (dw.wanted()) {
                Tensor grad = empty(w_shape);
                kernels::conv2d_backward_weight(sizes, x->data(), dy.data(), grad.mutable_data());
                dw.add(grad);
            }
            if (db.wanted()) db.add(sum_per_channel(dy));
        });
}

}  // namespace primer

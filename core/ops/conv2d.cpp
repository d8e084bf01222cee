#include "../kernels/conv.h"

#include <algorithm>

#include "../error.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../tape.h"

namespace primer {
namespace {

kernels::ConvSizes sizes_of(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
    check(weight.rank() == 4, "conv2d: expected a weight [C_out, C_in / groups, kh, kw], got ",
          weight);
    check_at_least(1, {weight[2], weight[3]}, "conv2d", "kernel");
    check_at_least(1, options.stride, "conv2d", "stride");
    check_at_least(0, options.padding, "conv2d", "padding");
    check_at_least(1, options.dilation, "conv2d", "dilation");
    const Index groups = options.groups, out = weight[0];
    check(out >= 1, "conv2d: expected at least one output channel, got the weight ", weight);
    check(1 <= groups && groups <= out && out % groups == 0, "conv2d: the ", out,
          " output channels of the weight ", weight, " can not be cut into ", groups, " groups");
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
          " is smaller than the kernel, which covers ", Size2(sizes.h.reach(), sizes.w.reach()));
    // The kernels copy an image with the padding around it, of which the shapes here say nothing.
    const auto padded = [](const kernels::Window& window) {
        return static_cast<double>(window.in + 2 * window.padding);
    };
    check(static_cast<double>(std::max(in, Index{1})) * padded(sizes.h) * padded(sizes.w) < 0x1p48,
          "conv2d: x ", x, " padded by ", options.padding, " has more elements than memory");
    return sizes;
}

// The sum over all of dy [N, C, H, W] but its channels.
Tensor sum_per_channel(const Tensor& dy) {
    const Shape& shape = dy.shape();
    const Index planes = shape[0] * shape[1];
    const Tensor sums = empty({planes}), db = empty({shape[1]});
    kernels::sum({Shape{planes, shape[2] * shape[3]}, 1}, dy.data(), sums.mutable_data());
    kernels::sum({Shape{shape[0], shape[1]}, 0}, sums.data(), db.mutable_data());
    return db;
}

}  // namespace

// y[o] is bias + a sum of products weight[k] x[i]. A product adds weight[k] dy[o] to dL/dx[i] and
// x[i] dy[o] to dL/dweight[k], and the bias is added to every output of its channel. So, with the
// sums over those outputs that saw the x or used the weight:
//     dx[i] = sum_o weight[k] dy[o]    dw[k] = sum_o x[i] dy[o]    db = sum_o dy[o]
// where o, k and i = o stride - padding + k dilation stand for the position in both directions.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Conv2dOptions& options) {
    const kernels::ConvSizes sizes = sizes_of(x.shape(), weight.shape(), options);
    check(!bias.defined() || bias.shape() == Shape{sizes.out_channels}, "conv2d: expected a bias [",
          sizes.out_channels, "] for the weight ", weight.shape(), ", got ",
          bias.defined() ? bias.shape() : Shape{});

    Tensor y = empty({sizes.batch, sizes.out_channels, sizes.h.out, sizes.w.out});
    kernels::conv2d(sizes, x.data(), weight.data(), bias.defined() ? bias.data() : nullptr,
                    y.mutable_data());

    auto backward = [sizes, x_shape = x.shape(), w_shape = weight.shape(),
                     x = Saved(x, weight.requires_grad()),
                     w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
        if (d[0].wanted()) {
            Tensor dx = empty(x_shape);
            kernels::conv2d_backward_input(sizes, w->data(), dy.data(), dx.mutable_data());
            d[0].add(dx);
        }
        if (d[1].wanted()) {
            Tensor dw = empty(w_shape);
            kernels::conv2d_backward_weight(sizes, x->data(), dy.data(), dw.mutable_data());
            d[1].add(dw);
        }
        if (d.size() == 3 && d[2].wanted()) d[2].add(sum_per_channel(dy));
    };
    return bias.defined() ? record("conv2d", y, {x, weight, bias}, std::move(backward))
                          : record("conv2d", y, {x, weight}, std::move(backward));
}

}  // namespace primer

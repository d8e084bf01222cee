#include "conv2d.h"

#include "../core/error.h"
#include "../core/init.h"
#include "window.h"

namespace primer {
namespace {

std::string name_of(Index in_channels, Index out_channels, Size2 kernel) {
    TextStream name;
    name << "Conv2d(" << in_channels << " -> " << out_channels << ", kernel " << kernel << ')';
    return name.str();
}

SlidingWindow window_of(Size2 kernel, const Conv2dOptions& options) {
    return {.kernel = kernel,
            .stride = options.stride,
            .padding = options.padding,
            .dilation = options.dilation};
}

}  // namespace

Conv2d::Conv2d(Only<Index> in_channels, Only<Index> out_channels, const Conv2dLayerOptions& options,
               Rng& rng)
    : name_(name_of(in_channels, out_channels, options.kernel)),
      options_{.stride = options.stride,
               .padding = options.padding,
               .dilation = options.dilation,
               .groups = options.groups} {
    check(in_channels >= 1 && out_channels >= 1, name_,
          ": expected at least one channel on either side");
    window_of(options.kernel, options_).check_options(name_);
    const Index groups = options.groups;
    check(groups >= 1 && in_channels % groups == 0 && out_channels % groups == 0, name_,
          ": expected a number of groups that divides both channel counts, got ", groups);

    weight = Parameter(kaiming_normal_(
        empty({out_channels, in_channels / groups, options.kernel.h, options.kernel.w}), rng));
    if (options.bias) bias = Parameter(full({out_channels}, static_cast<Real>(options.bias_value)));
}

Tensor Conv2d::forward(const Tensor& x) {
    const Index in = weight.shape()[1] * options_.groups;
    check(x.rank() == 4 && x.shape()[1] == in, name_, ": expected input [N, ", in, ", H, W], got ",
          x.shape(), x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    check(x.shape()[2] >= 1 && x.shape()[3] >= 1, name_, ": expected input [N, ", in,
          ", H, W] with H and W of at least 1, got ", x.shape());
    window_of({weight.shape()[2], weight.shape()[3]}, options_).check_fits(name_, x.shape());
    return conv2d(x, weight, bias, options_);
}

void Conv2d::visit(Visitor& visitor) {
    visitor("weight", weight);
    if (bias.defined()) visitor("bias", bias);
}

std::string Conv2d::describe() const {
    std::string text = "Conv2d(" + std::to_string(weight.shape()[1] * options_.groups) + ", " +
                       std::to_string(weight.shape()[0]) +
                       ", kernel_size=" + tuple({weight.shape()[2], weight.shape()[3]}) +
                       ", stride=" + tuple(options_.stride);
    if (options_.padding != 0) text += ", padding=" + tuple(options_.padding);
    if (options_.dilation != 1) text += ", dilation=" + tuple(options_.dilation);
    if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
    if (!bias.defined()) text += ", bias=False";
    return text + ')';
}

}  // namespace primer

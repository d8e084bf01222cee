#include "primer/layers/conv2d.h"

#include <sstream>

#include "primer/core/error.h"
#include "primer/core/init.h"

namespace primer {
namespace {

std::string name_of(Index in_channels, Index out_channels, Size2 kernel) {
    std::ostringstream name;
    name << "Conv2d(" << in_channels << " -> " << out_channels << ", kernel " << kernel << ')';
    return name.str();
}

std::string tuple(Size2 size) {
    return '(' + std::to_string(size.h) + ", " + std::to_string(size.w) + ')';
}

}  // namespace

Conv2d::Conv2d(Index in_channels, Index out_channels, const Conv2dLayerOptions& options, Rng& rng)
    : options_{.stride = options.stride,
               .padding = options.padding,
               .dilation = options.dilation,
               .groups = options.groups} {
    const std::string name = name_of(in_channels, out_channels, options.kernel);
    check(in_channels >= 1 && out_channels >= 1, name,
          ": expected at least one channel on either side");
    check_at_least(1, options.kernel, name, "kernel");
    check_at_least(1, options.stride, name, "stride");
    check_at_least(0, options.padding, name, "padding");
    check_at_least(1, options.dilation, name, "dilation");
    const Index groups = options.groups;
    check(groups >= 1 && in_channels % groups == 0 && out_channels % groups == 0, name,
          ": expected a number of groups that divides both channel counts, got ", groups);

    weight = Parameter(kaiming_normal_(
        empty({out_channels, in_channels / groups, options.kernel.h, options.kernel.w}), rng));
    if (options.bias) bias = Parameter(full({out_channels}, static_cast<Real>(options.bias_value)));
}

Tensor Conv2d::forward(const Tensor& x) {
    const Index out = weight.shape()[0], in = weight.shape()[1] * options_.groups;
    const Size2 kernel{weight.shape()[2], weight.shape()[3]};
    if (x.rank() != 4 || x.shape()[1] != in) {
        fail(name_of(in, out, kernel), ": expected input [N, ", in, ", H, W], got ", x.shape(),
             x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    }
    const Size2 padding = options_.padding, dilation = options_.dilation;
    const Size2 padded{x.shape()[2] + 2 * padding.h, x.shape()[3] + 2 * padding.w};
    const Size2 covered{dilation.h * (kernel.h - 1) + 1, dilation.w * (kernel.w - 1) + 1};
    if (padded.h < covered.h || padded.w < covered.w) {
        fail(name_of(in, out, kernel), ": the input ", x.shape(), ", padded to ", padded,
             ", is smaller than the kernel, which covers ", covered, "; is the network too deep ",
             "for images of this size?");
    }
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

#include "conv2d.h"

#include "../core/error.h"
#include "../core/init.h"
#include "python_text.h"

namespace primer {
namespace {

std::string name_of(Index in_channels, Index out_channels, Size2 kernel) {
    TextStream name;
    name << "Conv2d(" << in_channels << " -> " << out_channels << ", kernel " << kernel << ')';
    return name.str();
}

}  // namespace

Conv2d::Conv2d(Only<Index> in_channels, Only<Index> out_channels, const Conv2dLayerOptions& options,
               Rng& rng)
    : options_{.stride = options.stride,
               .padding = options.padding,
               .dilation = options.dilation,
               .groups = options.groups} {
    const std::string name = name_of(in_channels, out_channels, options.kernel);
    check(in_channels >= 1 && out_channels >= 1, name,
          ": expected at least one channel on either side");
    check_window(name, options.kernel, options.stride, options.padding, options.dilation);
    const Index groups = options.groups;
    check(groups >= 1 && in_channels % groups == 0 && out_channels % groups == 0, name,
          ": expected a number of groups that divides both channel counts, got ", groups);

    weight = Parameter(kaiming_normal_(
        empty({out_channels, in_channels / groups, options.kernel.h, options.kernel.w}), rng));
    if (options.bias) bias = Parameter(full({out_channels}, static_cast<Real>(options.bias_value)));
}

Tensor Conv2d::forward(const Tensor& x) { return conv2d(x, weight, bias, options_); }

void Conv2d::visit(Visitor& visitor) {
    visitor("weight", weight);
    if (bias.defined()) visitor("bias", bias);
}

void Conv2d::reset_parameters(Rng& rng) { uniform_by_fan_in_(weight, bias, rng); }

std::string Conv2d::describe() const {
    std::string text = "Conv2d(" + std::to_string(weight.shape()[1] * options_.groups) + ", " +
                       std::to_string(weight.shape()[0]) +
                       ", kernel_size=" + python_tuple({weight.shape()[2], weight.shape()[3]}) +
                       ", stride=" + python_tuple(options_.stride);
    if (options_.padding != 0) text += ", padding=" + python_tuple(options_.padding);
    if (options_.dilation != 1) text += ", dilation=" + python_tuple(options_.dilation);
    if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
    if (!bias.defined()) text += ", bias=False";
    return text + ')';
}

}  // namespace primer

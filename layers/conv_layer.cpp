#include "conv_layer.h"

#include "../core/error.h"
#include "../core/init.h"
#include "python_text.h"

namespace primer {

ConvLayer::ConvLayer(const Setup& setup) : setup_(setup) {
    TextStream stream;
    stream << setup.type << '(' << setup.in_channels << " -> " << setup.out_channels << ", kernel "
           << setup.kernel_size << ')';
    const std::string name = stream.str();
    const Index groups = setup.options.groups;
    check(setup.in_channels >= 1 && setup.out_channels >= 1, name,
          ": expected at least one channel on either side");
    check_at_least(1, setup.kernel_size, name, "kernel");
    check(groups >= 1 && setup.in_channels % groups == 0 && setup.out_channels % groups == 0, name,
          ": expected a number of groups that divides both channel counts, got ", groups);
    if (setup.bias) {
        bias = Parameter(full({setup.out_channels}, static_cast<Real>(setup.bias_value)));
    }
}

void ConvLayer::visit(Visitor& visitor) {
    visitor("weight", weight);
    if (bias.defined()) visitor("bias", bias);
}

void ConvLayer::reset_parameters(Rng& rng) { uniform_by_fan_in_(weight, bias, rng); }

std::string ConvLayer::describe() const {
    const auto& [stride, padding, dilation, groups] = setup_.options;
    std::string text = std::string(setup_.type) + '(' + std::to_string(setup_.in_channels) + ", " +
                       std::to_string(setup_.out_channels) +
                       ", kernel_size=" + python_tuple(setup_.kernel_size) +
                       ", stride=" + python_tuple(stride);
    if (!padding.word.empty()) text += ", padding=" + std::string(padding.word);
    if (padding.size != 0) text += ", padding=" + python_tuple(padding.size);
    if (dilation != 1) text += ", dilation=" + python_tuple(dilation);
    if (setup_.output_padding != 0)
        text += ", output_padding=" + python_tuple(setup_.output_padding);
    if (groups != 1) text += ", groups=" + std::to_string(groups);
    if (!setup_.bias) text += ", bias=False";
    return text + ')';
}

}  // namespace primer
// SPDX-License-Identifier: MIT

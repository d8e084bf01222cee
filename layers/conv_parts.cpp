#include "conv_parts.h"

#include "../core/error.h"
#include "python_text.h"

namespace primer {

void ConvParts::check_options() const {
    TextStream stream;
    stream << type << '(' << in_channels << " -> " << out_channels << ", kernel " << kernel_size
           << ')';
    const std::string name = stream.str();
    const auto& [stride, padding, dilation, groups] = options;
    check(in_channels >= 1 && out_channels >= 1, name,
          ": expected at least one channel on either side");
    check_window(name, kernel_size, stride, padding.size, dilation);
    check(padding.word != "same" || stride == 1, name,
          ": padding \"same\" needs a stride of 1, got ", stride);
    check(groups >= 1 && in_channels % groups == 0 && out_channels % groups == 0, name,
          ": expected a number of groups that divides both channel counts, got ", groups);
}

std::string ConvParts::describe() const {
    const auto& [stride, padding, dilation, groups] = options;
    std::string text = std::string(type) + '(' + std::to_string(in_channels) + ", " +
                       std::to_string(out_channels) + ", kernel_size=" + python_tuple(kernel_size) +
                       ", stride=" + python_tuple(stride);
    if (!padding.word.empty()) text += ", padding=" + std::string(padding.word);
    if (padding.size != 0) text += ", padding=" + python_tuple(padding.size);
    if (dilation != 1) text += ", dilation=" + python_tuple(dilation);
    if (output_padding != 0) text += ", output_padding=" + python_tuple(output_padding);
    if (groups != 1) text += ", groups=" + std::to_string(groups);
    if (!bias) text += ", bias=False";
    return text + ')';
}

}  // namespace primer
// SPDX-License-Identifier: MIT

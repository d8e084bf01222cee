#include "pooling.h"

#include "../core/error.h"
#include "python_text.h"

namespace primer {
namespace {

std::string name_of(const char* type, Size2 kernel) {
    TextStream name;
    name << type << "(kernel " << kernel << ')';
    return name.str();
}

void check_options(const std::string& name, Size2 kernel, Size2 stride, Size2 padding,
                   Size2 dilation) {
    check_window(name, kernel, stride, padding, dilation);
    check(2 * padding.h <= kernel.h && 2 * padding.w <= kernel.w, name,
          ": expected a padding of at most half the kernel, got ", padding);
}

std::string window_text(Size2 kernel, Size2 stride, Size2 padding) {
    return "kernel_size=" + python_number_or_tuple(kernel) +
           ", stride=" + python_number_or_tuple(stride) +
           ", padding=" + python_number_or_tuple(padding);
}

}  // namespace

MaxPool2d::MaxPool2d(Size2 kernel_size, Size2 stride, Size2 padding)
    : MaxPool2d(
          MaxPool2dOptions{.kernel_size = kernel_size, .stride = stride, .padding = padding}) {}

MaxPool2d::MaxPool2d(const MaxPool2dOptions& options) : options_(options) {
    if (options_.stride == 0) options_.stride = options_.kernel_size;
    check_options(name_of("MaxPool2d", options_.kernel_size), options_.kernel_size, options_.stride,
                  options_.padding, options_.dilation);
}

Tensor MaxPool2d::forward(const Tensor& x) { return max_pool2d(x, options_); }

std::string MaxPool2d::describe() const {
    return "MaxPool2d(" + window_text(options_.kernel_size, options_.stride, options_.padding) +
           ", dilation=" + python_number_or_tuple(options_.dilation) +
           ", ceil_mode=" + python_bool(options_.ceil_mode) + ')';
}

AvgPool2d::AvgPool2d(Size2 kernel_size, Size2 stride, Size2 padding)
    : AvgPool2d(
          AvgPool2dOptions{.kernel_size = kernel_size, .stride = stride, .padding = padding}) {}

AvgPool2d::AvgPool2d(const AvgPool2dOptions& options) : options_(options) {
    if (options_.stride == 0) options_.stride = options_.kernel_size;
    check(options_.divisor_override != 0, "AvgPool2d: expected a divisor_override other than 0");
    check_options(name_of("AvgPool2d", options_.kernel_size), options_.kernel_size, options_.stride,
                  options_.padding, 1);
}

Tensor AvgPool2d::forward(const Tensor& x) { return avg_pool2d(x, options_); }

std::string AvgPool2d::describe() const {
    return "AvgPool2d(" + window_text(options_.kernel_size, options_.stride, options_.padding) +
           ')';
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(Size2 output) : output_(output) {
    check_at_least(1, output, "AdaptiveAvgPool2d", "size of the output");
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& x) { return adaptive_avg_pool2d(x, output_); }

std::string AdaptiveAvgPool2d::describe() const {
    return "AdaptiveAvgPool2d(output_size=" + python_number_or_tuple(output_) + ')';
}

AdaptiveMaxPool2d::AdaptiveMaxPool2d(Size2 output) : output_(output) {
    check_at_least(1, output, "AdaptiveMaxPool2d", "size of the output");
}

Tensor AdaptiveMaxPool2d::forward(const Tensor& x) { return adaptive_max_pool2d(x, output_); }

std::string AdaptiveMaxPool2d::describe() const {
    return "AdaptiveMaxPool2d(output_size=" + python_number_or_tuple(output_) + ')';
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "pooling.h"

#include "python_text.h"

namespace primer {
namespace {

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
}

Tensor AvgPool2d::forward(const Tensor& x) { return avg_pool2d(x, options_); }

std::string AvgPool2d::describe() const {
    return "AvgPool2d(" + window_text(options_.kernel_size, options_.stride, options_.padding) +
           ')';
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& x) { return adaptive_avg_pool2d(x, output_); }

std::string AdaptiveAvgPool2d::describe() const {
    return "AdaptiveAvgPool2d(output_size=" + python_number_or_tuple(output_) + ')';
}

Tensor AdaptiveMaxPool2d::forward(const Tensor& x) { return adaptive_max_pool2d(x, output_); }

std::string AdaptiveMaxPool2d::describe() const {
    return "AdaptiveMaxPool2d(output_size=" + python_number_or_tuple(output_) + ')';
}

}  // namespace primer
// SPDX-License-Identifier: MIT

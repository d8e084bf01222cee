#include "primer/layers/pooling.h"

namespace primer {
namespace {

// As Python would write what was given: 2, or (3, 2).
std::string number_or_tuple(Size2 size) {
    if (size.h == size.w) return std::to_string(size.h);
    return '(' + std::to_string(size.h) + ", " + std::to_string(size.w) + ')';
}

// What the two windows have in common; a stride of 0 stands for the kernel.
std::string window_text(Size2 kernel, Size2 stride, Size2 padding) {
    return "kernel_size=" + number_or_tuple(kernel) +
           ", stride=" + number_or_tuple(stride == 0 ? kernel : stride) +
           ", padding=" + number_or_tuple(padding);
}

}  // namespace

Tensor MaxPool2d::forward(const Tensor& x) { return max_pool2d(x, options_); }

std::string MaxPool2d::describe() const {
    return "MaxPool2d(" + window_text(options_.kernel, options_.stride, options_.padding) +
           ", dilation=" + number_or_tuple(options_.dilation) +
           ", ceil_mode=" + (options_.ceil_mode ? "True" : "False") + ')';
}

Tensor AvgPool2d::forward(const Tensor& x) { return avg_pool2d(x, options_); }

std::string AvgPool2d::describe() const {
    return "AvgPool2d(" + window_text(options_.kernel, options_.stride, options_.padding) + ')';
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& x) { return adaptive_avg_pool2d(x, output_); }

std::string AdaptiveAvgPool2d::describe() const {
    return "AdaptiveAvgPool2d(output_size=" + number_or_tuple(output_) + ')';
}

}  // namespace primer

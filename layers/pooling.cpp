#include "pooling.h"

#include "../core/error.h"
#include "python_text.h"
#include "window.h"

namespace primer {
namespace {

std::string name_of(const char* type, Size2 kernel) {
    TextStream name;
    name << type << "(kernel " << kernel << ')';
    return name.str();
}

SlidingWindow window_of(const MaxPool2dOptions& options) {
    return {.kernel = options.kernel,
            .stride = options.stride == 0 ? options.kernel : options.stride,
            .padding = options.padding,
            .dilation = options.dilation,
            .ceil_mode = options.ceil_mode};
}

SlidingWindow window_of(const AvgPool2dOptions& options) {
    return {.kernel = options.kernel,
            .stride = options.stride == 0 ? options.kernel : options.stride,
            .padding = options.padding,
            .dilation = 1,
            .ceil_mode = options.ceil_mode};
}

void check_options(const std::string& name, const SlidingWindow& window) {
    window.check_options(name);
    check(2 * window.padding.h <= window.kernel.h && 2 * window.padding.w <= window.kernel.w, name,
          ": expected a padding of at most half the kernel, got ", window.padding);
}

void check_images(const std::string& name, const Shape& x) {
    check(x.rank() == 4, name, ": expected input [N, C, H, W], got ", x,
          x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    check(x[2] >= 1 && x[3] >= 1, name,
          ": expected input [N, C, H, W] with H and W of at least 1, got ", x);
}

// As Python would write what was given: 2, or (3, 2).
std::string number_or_tuple(Size2 size) {
    return size.h == size.w ? std::to_string(size.h) : tuple(size);
}

std::string window_text(const SlidingWindow& window) {
    return "kernel_size=" + number_or_tuple(window.kernel) +
           ", stride=" + number_or_tuple(window.stride) +
           ", padding=" + number_or_tuple(window.padding);
}

}  // namespace

MaxPool2d::MaxPool2d(const MaxPool2dOptions& options)
    : name_(name_of("MaxPool2d", options.kernel)), options_(options) {
    check_options(name_, window_of(options));
}

Tensor MaxPool2d::forward(const Tensor& x) {
    check_images(name_, x.shape());
    window_of(options_).check_fits(name_, x.shape());
    return max_pool2d(x, options_);
}

std::string MaxPool2d::describe() const {
    return "MaxPool2d(" + window_text(window_of(options_)) +
           ", dilation=" + number_or_tuple(options_.dilation) +
           ", ceil_mode=" + python_bool(options_.ceil_mode) + ')';
}

AvgPool2d::AvgPool2d(const AvgPool2dOptions& options)
    : name_(name_of("AvgPool2d", options.kernel)), options_(options) {
    check_options(name_, window_of(options));
}

Tensor AvgPool2d::forward(const Tensor& x) {
    check_images(name_, x.shape());
    window_of(options_).check_fits(name_, x.shape());
    return avg_pool2d(x, options_);
}

std::string AvgPool2d::describe() const {
    return "AvgPool2d(" + window_text(window_of(options_)) + ')';
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(Size2 output) : output_(output) {
    check_at_least(1, output, "AdaptiveAvgPool2d", "size of the output");
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& x) {
    check_images("AdaptiveAvgPool2d", x.shape());
    return adaptive_avg_pool2d(x, output_);
}

std::string AdaptiveAvgPool2d::describe() const {
    return "AdaptiveAvgPool2d(output_size=" + number_or_tuple(output_) + ')';
}

}  // namespace primer

#pragma once

#include <concepts>

#include "../core/ops.h"
#include "module.h"

// Pooling as layers, for Sequential: [N, C, H, W] -> [N, C, OH, OW], or one image without N, each
// channel for itself. The formulas and the options are in core/ops.h. Options out of range are an
// Error of the op, when the layer is called.

namespace primer {

/// The largest value in each window: MaxPool2d(2), or MaxPool2d({.kernel_size = 3, .padding = 1}).
class MaxPool2d : public Module {
  public:
    /// Without a stride it is the kernel size. A single pair could be two options: write its type.
    explicit MaxPool2d(Size2 kernel_size, Size2 stride = 0, Size2 padding = 0);  // Size2{2, 3}
    explicit MaxPool2d(const MaxPool2dOptions& options);
    template <std::same_as<MaxPool2dOptions> Options = MaxPool2dOptions>
    MaxPool2d(Size2, const Options&) = delete;  // {.kernel_size = 3, .stride = 2}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;
    /// Those that the op is called with.
    const MaxPool2dOptions& options() const { return options_; }

  private:
    MaxPool2dOptions options_;
};

/// The mean of each window: AvgPool2d(2), or AvgPool2d({.kernel_size = 3, .padding = 1}).
class AvgPool2d : public Module {
  public:
    /// Without a stride it is the kernel size. A single pair could be two options: write its type.
    explicit AvgPool2d(Size2 kernel_size, Size2 stride = 0, Size2 padding = 0);  // Size2{2, 3}
    explicit AvgPool2d(const AvgPool2dOptions& options);
    template <std::same_as<AvgPool2dOptions> Options = AvgPool2dOptions>
    AvgPool2d(Size2, const Options&) = delete;  // {.kernel_size = 3, .stride = 2}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    AvgPool2dOptions options_;
};

/// The means of as many windows as the output has cells: AdaptiveAvgPool2d(1) is each channel's
/// mean, whatever the size of the images.
class AdaptiveAvgPool2d : public Module {
  public:
    /// `output` is the height and width of the output; the op checks it.
    explicit AdaptiveAvgPool2d(Size2 output) : output_(output) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    Size2 output_;
};

/// The largest value in each of these windows.
class AdaptiveMaxPool2d : public Module {
  public:
    /// `output` is the height and width of the output; the op checks it.
    explicit AdaptiveMaxPool2d(Size2 output) : output_(output) {}
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    Size2 output_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

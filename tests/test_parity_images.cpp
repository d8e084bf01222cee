// The ops and layers of image networks compared with PyTorch's; the inputs are in
// tests/parity/cases/.

#include <optional>

#include <primer/core/ops.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/conv_transpose2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/pooling.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: conv2d") {
    const auto conv2d_ = [](const Conv2dOptions& options) {
        return [=](const In& in) { return conv2d(in["x"], in["weight"], in["bias"], options); };
    };
    const auto layer = [](const Conv2dLayerOptions& options) {
        return [=](const In& in) {
            const Tensor& weight = in["weight"];
            Rng rng(0);
            Conv2d conv(in["x"].shape()[1], weight.shape()[0], options, rng);
            conv.weight = Parameter(weight);
            if (options.bias) conv.bias = Parameter(in["bias"]);
            return conv(in["x"]);
        };
    };
    check_parity(
        "conv2d",
        {
            {"3x3", conv2d_({})},
            {"3x3, without bias", [](const In& in) { return conv2d(in["x"], in["weight"], {}); }},
            {"3x3, padded, one example", conv2d_({.padding = 1})},
            {"1x1", conv2d_({})},
            {"1x1, stride 2", conv2d_({.stride = 2})},
            {"1x1 image", conv2d_({.padding = 1})},
            {"as large as the image", conv2d_({})},
            {"stride 2, odd image", conv2d_({.stride = 2})},
            {"stride 2, padded", conv2d_({.stride = 2, .padding = 1})},
            {"stride 3, pixels left over", conv2d_({.stride = 3})},
            {"dilation 2", conv2d_({.dilation = 2})},
            {"dilation 2, padded, stride 2", conv2d_({.stride = 2, .padding = 2, .dilation = 2})},
            {"groups", conv2d_({.groups = 2})},
            {"groups, stride 2, padded", conv2d_({.stride = 2, .padding = 1, .groups = 3})},
            {"depthwise", conv2d_({.padding = 1, .groups = 3})},
            {"depthwise, two kernels a channel", conv2d_({.padding = 1, .groups = 3})},
            {"unlike in height and width",
             conv2d_({.stride = {2, 1}, .padding = {0, 1}, .dilation = {1, 3}})},
            {"a column", conv2d_({.padding = {2, 0}})},
            {"padding beyond the kernel", conv2d_({.padding = 3})},
            {"kernel beyond the image", conv2d_({.padding = 2})},
            {"many channels", conv2d_({.padding = 1})},
            {"no examples", conv2d_({})},
            {"same", conv2d_({.padding = "same"})},
            {"same, even kernel", conv2d_({.padding = "same"})},
            {"same, dilation", conv2d_({.padding = "same", .dilation = {3, 1}})},
            {"valid", conv2d_({.padding = "valid"})},
            {"one image", conv2d_({.padding = 1})},
            {"same, even kernel", layer({.kernel_size = {2, 4}, .padding = "same"})},
            {"3x3, without bias", layer({.kernel_size = 3, .bias = false})},
            {"dilation 2, padded, stride 2",
             layer({.kernel_size = 3, .stride = 2, .padding = 2, .dilation = 2})},
            {"depthwise", layer({.kernel_size = 3, .padding = 1, .groups = 3})},
            {"a column", layer({.kernel_size = {5, 1}, .padding = {2, 0}})},
        });
}

TEST_CASE("parity: conv_transpose2d") {
    const auto transposed = [](const ConvTranspose2dOptions& options) {
        return [=](const In& in) {
            return conv_transpose2d(in["x"], in["weight"], in["bias"], options);
        };
    };
    const auto layer = [](const ConvTranspose2dLayerOptions& options) {
        return [=](const In& in) {
            const Shape& weight = in["weight"].shape();
            Rng rng(0);
            ConvTranspose2d conv(weight[0], weight[1] * options.groups, options, rng);
            conv.weight = Parameter(in["weight"]);
            if (options.bias) conv.bias = Parameter(in["bias"]);
            return conv(in["x"]);
        };
    };
    check_parity(
        "conv_transpose2d",
        {
            {"3x3", transposed({})},
            {"3x3, without bias",
             [](const In& in) { return conv_transpose2d(in["x"], in["weight"], {}); }},
            {"1x1", transposed({})},
            {"4x4, doubling", transposed({.stride = 2, .padding = 1})},
            {"output_padding", transposed({.stride = 2, .padding = 1, .output_padding = 1})},
            {"stride beyond the kernel", transposed({.stride = 3, .output_padding = 2})},
            {"padding beyond the kernel", transposed({.padding = 2})},
            {"dilation 2", transposed({.dilation = 2})},
            {"output_padding by dilation", transposed({.output_padding = 2, .dilation = 3})},
            {"groups", transposed({.padding = 1, .groups = 2})},
            {"depthwise", transposed({.stride = 2, .groups = 3})},
            {"unlike in height and width", transposed({.stride = {3, 1},
                                                       .padding = {0, 2},
                                                       .output_padding = {1, 0},
                                                       .dilation = {1, 2}})},
            {"one image", transposed({.stride = 2})},
            {"no examples", transposed({})},
            {"3x3, without bias", layer({.kernel_size = 3, .bias = false})},
            {"output_padding",
             layer({.kernel_size = 3, .stride = 2, .padding = 1, .output_padding = 1})},
            {"groups", layer({.kernel_size = 3, .padding = 1, .groups = 2})},
            {"unlike in height and width", layer({.kernel_size = {2, 3},
                                                  .stride = {3, 1},
                                                  .padding = {0, 2},
                                                  .output_padding = {1, 0},
                                                  .dilation = {1, 2}})},
        });
}

TEST_CASE("parity: pool2d") {
    const auto max_ = [](const MaxPool2dOptions& options) {
        return [=](const In& in) { return max_pool2d(in["x"], options); };
    };
    const auto avg_ = [](const AvgPool2dOptions& options) {
        return [=](const In& in) { return avg_pool2d(in["x"], options); };
    };
    const auto adaptive_ = [](Size2 out) {
        return [=](const In& in) { return adaptive_avg_pool2d(in["x"], out); };
    };
    const auto adaptive_max_ = [](Size2 out) {
        return [=](const In& in) { return adaptive_max_pool2d(in["x"], out); };
    };
    check_parity(
        "pool2d",
        {
            {"max: 2x2", max_({.kernel_size = 2})},
            {"max: 2x2, odd image", max_({.kernel_size = 2})},
            {"max: 2x2, ceil_mode", max_({.kernel_size = 2, .ceil_mode = true})},
            {"max: 3x3, stride 2, padded", max_({.kernel_size = 3, .stride = 2, .padding = 1})},
            {"max: 3x3, stride 1", max_({.kernel_size = 3, .stride = 1})},
            {"max: 3x3, padded, ceil_mode",
             max_({.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true})},
            {"max: ceil_mode, no window behind the edge",
             max_({.kernel_size = 2, .stride = 3, .padding = 1, .ceil_mode = true})},
            {"max: all negative, padded", max_({.kernel_size = 3, .stride = 2, .padding = 1})},
            {"max: all negative, ceil_mode", max_({.kernel_size = 2, .ceil_mode = true})},
            {"max: unlike in height and width",
             max_({.kernel_size = {3, 2}, .stride = {1, 2}, .padding = {1, 0}})},
            {"max: whole image", max_({.kernel_size = {3, 5}})},
            {"max: 1x1, stride 2", max_({.kernel_size = 1, .stride = 2})},
            {"max: several largest", max_({.kernel_size = 2, .stride = 1})},
            {"max: dilation 2", max_({.kernel_size = 3, .stride = 1, .dilation = 2})},
            {"max: dilation 2, padded, stride 2",
             max_({.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2})},
            {"max: dilation 2, ceil_mode",
             max_({.kernel_size = 2, .stride = 2, .dilation = 2, .ceil_mode = true})},
            {"avg: 2x2", avg_({.kernel_size = 2})},
            {"avg: 2x2, odd image", avg_({.kernel_size = 2})},
            {"avg: 2x2, ceil_mode", avg_({.kernel_size = 2, .ceil_mode = true})},
            {"avg: 3x3, stride 2, padded", avg_({.kernel_size = 3, .stride = 2, .padding = 1})},
            {"avg: 3x3, stride 1", avg_({.kernel_size = 3, .stride = 1})},
            {"avg: 3x3, padded, ceil_mode",
             avg_({.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true})},
            {"avg: ceil_mode, no window behind the edge",
             avg_({.kernel_size = 2, .stride = 3, .padding = 1, .ceil_mode = true})},
            {"avg: all negative, padded", avg_({.kernel_size = 3, .stride = 2, .padding = 1})},
            {"avg: all negative, ceil_mode", avg_({.kernel_size = 2, .ceil_mode = true})},
            {"avg: unlike in height and width",
             avg_({.kernel_size = {3, 2}, .stride = {1, 2}, .padding = {1, 0}})},
            {"avg: whole image", avg_({.kernel_size = {3, 5}})},
            {"avg: 1x1, stride 2", avg_({.kernel_size = 1, .stride = 2})},
            {"avg: padding not counted",
             avg_({.kernel_size = 3, .stride = 2, .padding = 1, .count_include_pad = false})},
            {"avg: padding not counted, ceil_mode", avg_({.kernel_size = 3,
                                                          .stride = 2,
                                                          .padding = 1,
                                                          .ceil_mode = true,
                                                          .count_include_pad = false})},
            {"avg: divisor_override",
             avg_({.kernel_size = 3, .stride = 2, .padding = 1, .divisor_override = 5})},
            {"max: one image", max_({.kernel_size = 2})},
            {"avg: one image", avg_({.kernel_size = 2})},
            {"adaptive avg: one image", adaptive_({2, 3})},
            {"adaptive max: one image", adaptive_max_({2, 3})},
            {"adaptive max: 5x7 to 1x1", adaptive_max_(1)},
            {"adaptive max: 5x7 to 3x2", adaptive_max_({3, 2})},
            {"adaptive max: 5x7 to 5x7", adaptive_max_({5, 7})},
            {"adaptive max: 5x7 to 8x3", adaptive_max_({8, 3})},
            {"adaptive max: several largest", adaptive_max_({1, 2})},
            {"adaptive max: 5x7 to 3x2",
             [](const In& in) {
                 return AdaptiveMaxPool2d({3, 2})(in["x"]);
             }},
            {"adaptive avg: 5x7 to 1x1", adaptive_(1)},
            {"adaptive avg: 5x7 to 3x2", adaptive_({3, 2})},
            {"adaptive avg: 5x7 to 2x3", adaptive_({2, 3})},
            {"adaptive avg: 5x7 to 5x7", adaptive_({5, 7})},
            {"adaptive avg: 5x7 to 7x9", adaptive_({7, 9})},
            {"adaptive avg: 5x7 to 8x12", adaptive_({8, 12})},
            {"max: 3x3, padded, ceil_mode",
             [](const In& in) {
                 return MaxPool2d({.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true})(
                     in["x"]);
             }},
            {"avg: padding not counted",
             [](const In& in) {
                 return AvgPool2d(
                     {.kernel_size = 3, .stride = 2, .padding = 1, .count_include_pad = false})(
                     in["x"]);
             }},
            {"adaptive avg: 5x7 to 3x2",
             [](const In& in) {
                 return AdaptiveAvgPool2d({3, 2})(in["x"]);
             }},
        });
}

// Trains a layer on two batches, then evaluates a third.
Tensor three_batches(BatchNorm&& norm, const In& in) {
    if (norm.running_mean.defined()) {
        norm.running_mean = Buffer(in["running_mean"]);
        norm.running_var = Buffer(in["running_var"]);
    }
    if (norm.weight.defined()) {
        norm.weight = Parameter(in["weight"]);
        norm.bias = Parameter(in["bias"]);
    }
    const Tensor a = norm(in["a"]), b = norm(in["b"]);
    norm.eval();
    return concat({a, b, norm(in["c"])});
}

TEST_CASE("parity: batchnorm") {
    const auto batch_norm_ = [](const BatchNormOptions& options) {
        return [=](const In& in) {
            return batch_norm(in["x"], in["running_mean"], in["running_var"], in["weight"],
                              in["bias"], options);
        };
    };
    const BatchNormOptions training{.training = true}, evaluation{};
    check_parity(
        "batchnorm",
        {
            {"training: images", batch_norm_(training)},
            {"training: rows", batch_norm_(training)},
            {"training: sequences", batch_norm_(training)},
            {"training: one image", batch_norm_(training)},
            {"training: one channel", batch_norm_(training)},
            {"training: eps", batch_norm_({.training = true, .eps = 0.5})},
            {"training: momentum", batch_norm_({.training = true, .momentum = 0.75})},
            {"training: momentum 0", batch_norm_({.training = true, .momentum = 0})},
            {"training: momentum 1", batch_norm_({.training = true, .momentum = 1})},
            {"training: x alone",
             [=](const In& in) { return batch_norm(in["x"], {}, {}, {}, {}, training); }},
            {"training: without bias",
             [=](const In& in) { return batch_norm(in["x"], {}, {}, in["weight"], {}, training); }},
            {"evaluation: images", batch_norm_(evaluation)},
            {"evaluation: rows", batch_norm_(evaluation)},
            {"evaluation: sequences", batch_norm_(evaluation)},
            {"evaluation: one image", batch_norm_(evaluation)},
            {"evaluation: one channel", batch_norm_(evaluation)},
            {"evaluation: one row", batch_norm_(evaluation)},
            {"evaluation: eps", batch_norm_({.eps = 0.5})},
            {"evaluation: momentum", batch_norm_({.momentum = 0.75})},
            {"evaluation: without weight and bias",
             [](const In& in) {
                 return batch_norm(in["x"], in["running_mean"], in["running_var"], {}, {});
             }},
            {"layer: momentum",
             [](const In& in) {
                 return three_batches(BatchNorm2d(3, {.momentum = 0.25, .affine = false}), in);
             }},
            {"layer: plain average",
             [](const In& in) {
                 return three_batches(BatchNorm2d(3, {.momentum = std::nullopt, .affine = false}),
                                      in);
             }},
            {"layer: nothing tracked",
             [](const In& in) {
                 return three_batches(
                     BatchNorm2d(3, {.affine = false, .track_running_stats = false}), in);
             }},
            {"layer: rows, eps",
             [](const In& in) {
                 return three_batches(BatchNorm1d(3, {.eps = 0.5, .affine = false}), in);
             }},
            {"layer: affine, images",
             [](const In& in) { return three_batches(BatchNorm2d(3), in); }},
            {"layer: affine, rows", [](const In& in) { return three_batches(BatchNorm1d(3), in); }},
            {"layer: affine, sequences",
             [](const In& in) { return three_batches(BatchNorm1d(3), in); }},
            {"layer: sequences",
             [](const In& in) { return three_batches(BatchNorm1d(3, {.affine = false}), in); }},
        });
}

TEST_CASE("parity: dropout") {
    const auto drop = [](double p) {
        return [p](const In& in) {
            Rng rng(0);
            return dropout(in["x"], p, rng);
        };
    };
    const auto drop2d = [](double p) {
        return [p](const In& in) {
            Rng rng(0);
            return dropout2d(in["x"], p, rng);
        };
    };
    check_parity("dropout", {
                                {"nothing dropped", drop(0)},
                                {"everything dropped", drop(1)},
                                {"evaluation",
                                 [](const In& in) {
                                     Rng rng(0);
                                     Dropout layer(0.5, rng);
                                     layer.eval();
                                     return layer(in["x"]);
                                 }},
                                {"channels: nothing dropped", drop2d(0)},
                                {"channels: everything dropped", drop2d(1)},
                                {"channels: evaluation",
                                 [](const In& in) {
                                     Rng rng(0);
                                     Dropout2d layer(0.5, rng);
                                     layer.eval();
                                     return layer(in["x"]);
                                 }},
                            });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

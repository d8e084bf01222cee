#include "../prepared.h"

#include "../error.h"
#include "../internal.h"
#include "../kernels/gemm.h"
#include "images.h"

namespace primer::internal {

PreparedWeight::PreparedWeight(Tensor weight, Tensor bias)
    : weight_(std::move(weight)), bias_(std::move(bias)) {}

std::shared_ptr<const kernels::ConvWeight> PreparedWeight::for_convolution(
    const kernels::ConvSizes& sizes) {
    const std::lock_guard lock(mutex_);
    if (conv_ == nullptr || !conv_->suits(sizes)) {
        conv_ = std::make_shared<kernels::ConvWeight>(sizes, weight_.data());
    }
    return conv_;
}

const Real* PreparedWeight::for_products() {
    const std::lock_guard lock(mutex_);
    if (packed_ == nullptr) {
        const Index out = weight_.shape()[0], in = weight_.shape()[1];
        packed_ = std::make_shared<Storage>(kernels::packed_right_size(out, in));
        kernels::pack_right(kernels::Trans::yes, out, in, weight_.data(), packed_->data());
    }
    return packed_->data();
}

std::optional<Tensor> PreparedWeight::conv2d(const Tensor& x, const Conv2dOptions& options,
                                             const Then& then) {
    if (x.rank() != 4) return std::nullopt;
    std::optional<kernels::ConvSizes> sizes;
    try {
        sizes = conv2d_sizes(x.shape(), weight_.shape(), options);
        check_bias("conv2d", bias_, weight_.shape());
    } catch (const Error&) {
        return std::nullopt;
    }
    const Index shrink = then.max_pool ? 2 : 1;
    if (sizes->h.out < shrink || sizes->w.out < shrink) return std::nullopt;
    const Tensor y =
        empty({sizes->batch, sizes->out_channels, sizes->h.out / shrink, sizes->w.out / shrink});
    for_convolution(*sizes)->convolve(
        *sizes, x.data(),
        {.bias = data_or_null(bias_), .relu = then.relu, .max_pool = then.max_pool},
        y.mutable_data());
    return y;
}

std::optional<Tensor> PreparedWeight::linear(const Tensor& x, bool then_relu) {
    const Shape w = weight_.shape();
    const bool fits = w.rank() == 2 && x.rank() >= 1 && x.shape()[-1] == w[1] &&
                      (!bias_.defined() || bias_.shape() == Shape{w[0]});
    if (!fits) return std::nullopt;
    const Index rows = x.shape().slice(0, x.rank() - 1).numel();
    const Tensor y = empty(x.shape().with(-1, w[0]));
    // A single row meets the weight as it is.
    kernels::gemm(kernels::Trans::no, kernels::Trans::yes, rows, w[0], w[1], x.data(),
                  weight_.data(), y.mutable_data(),
                  {.bias = data_or_null(bias_),
                   .relu = then_relu,
                   .packed = rows > 1 && w.numel() > 0 ? for_products() : nullptr});
    return y;
}

}  // namespace primer::internal
// SPDX-License-Identifier: MIT

#include "../kernels/batchnorm.h"

#include <vector>

#include "../error.h"
#include "../internal.h"
#include "../ops.h"
#include "../options.h"
#include "../tape.h"
#include "gradients.h"

namespace primer {
namespace {

void check_per_channel(const Tensor& values, const char* what, const Shape& x) {
    if (!values.defined()) return;
    check(values.shape() == Shape{x[1]}, "batch_norm: expected x [N, C, ...] and a ", what,
          " [C], got x ", x, " and a ", what, ' ', values.shape());
}

// The sizes of x. Throws Error unless all arguments fit.
kernels::BatchNormSizes sizes_of(const Tensor& x, const Tensor& running_mean,
                                 const Tensor& running_var, const Tensor& weight,
                                 const Tensor& bias, const BatchNormOptions& options) {
    const Shape& shape = x.shape();
    check(x.rank() >= 2, "batch_norm: expected x [N, C] or [N, C, ...], got ", shape);
    check_per_channel(running_mean, "running_mean", shape);
    check_per_channel(running_var, "running_var", shape);
    check_per_channel(weight, "weight", shape);
    check_per_channel(bias, "bias", shape);
    const bool running = running_mean.defined(), training = options.training;
    check(running == running_var.defined(),
          "batch_norm: expected both of running_mean and running_var, or neither");
    check(running || training,
          "batch_norm: without training, expected running_mean and running_var, got neither");
    check(options.momentum >= 0 && options.momentum <= 1,
          "batch_norm: expected a momentum from 0 to 1, got ", options.momentum);
    check_not_negative(options.eps, "batch_norm", "eps");
    check(!training || options.eps > 0,
          "batch_norm: training needs eps > 0, since the variance of a batch can be 0; got ",
          options.eps);
    const kernels::BatchNormSizes sizes{shape[0], shape[1], shape.slice(2, x.rank()).numel()};
    check(!training || sizes.count() != 1, "batch_norm: x ", shape,
          " has 1 value for each channel, and the variance of one value is 0: ",
          running ? "training needs more"
                  : "without running statistics it needs more, also in eval()",
          "; use a larger batch (a last one that is smaller than the others can be dropped)",
          running ? " or eval()" : "");
    return sizes;
}

std::vector<kernels::Moments> running_moments(const Tensor& mean, const Tensor& var) {
    std::vector<kernels::Moments> moments;
    for (Index c = 0; c < mean.numel(); ++c) {
        moments.push_back(
            {static_cast<double>(mean.data()[c]), static_cast<double>(var.data()[c])});
    }
    return moments;
}

// running = (1 - momentum) running + momentum batch. The running variance estimates that of all
// examples. The values of a batch lie closer to their own mean than to the true one, so on average
// their variance is too small by the factor (count - 1) / count. `unbiased` corrects this.
void update_running(const Tensor& mean, const Tensor& var, double momentum,
                    const std::vector<kernels::Moments>& moments, Index count) {
    const char* const writer = "BatchNorm's update of its running statistics";
    Real *to_mean = mean.mutable_data(writer), *to_var = var.mutable_data(writer);
    const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
    const auto blend = [&](Real running, double batch) {
        return static_cast<Real>((1 - momentum) * static_cast<double>(running) + momentum * batch);
    };
    for (const kernels::Moments& m : moments) {
        *to_mean = blend(*to_mean, m.mean);
        *to_var = blend(*to_var, m.variance * unbiased);
        ++to_mean, ++to_var;
    }
}

// Without values there is nothing to normalise and nothing to learn from.
Tensor without_values(const Op& op, const Tensor& y, const Tensor& x, const Tensor& weight,
                      const Tensor& bias) {
    const Shape shape = x.shape();
    return record(op, y, {x, weight, bias}, [shape](const Tensor&, std::span<Grad> d) {
        Grad &dx = d[0], &dw = d[1], &db = d[2];
        dx.add(zeros(shape));
        dw.add(zeros({shape[1]}));
        db.add(zeros({shape[1]}));
    });
}

}  // namespace

// Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
// Covariate Shift", 2015, algorithm 1. For the m values x_i of one channel, with their mean, their
// variance var, and rstd = 1 / sqrt(var + eps):
//
//     z_i = (x_i - mean) rstd,  y_i = weight z_i + bias
//     dw = sum_i dy_i z_i,      db = sum_i dy_i
//
// With running statistics, mean and rstd are constants: dx_i = weight rstd dy_i. In training they
// are the batch's own, and x_j acts on all the z_i through them. From mean = sum_i x_i / m and
// var = sum_i (x_i - mean)^2 / m follow
//
//     dmean/dx_j = 1/m
//     dvar/dx_j  = 2 (x_j - mean) / m   (the mean adds 0, since sum_i (x_i - mean) = 0)
//     drstd/dx_j = -rstd^3 / 2 dvar/dx_j = -rstd^3 (x_j - mean) / m = -rstd^2 z_j / m
//     dz_i/dx_j  = ([i = j] - 1/m) rstd + (x_i - mean) drstd/dx_j
//                = rstd ([i = j] - 1/m - z_i z_j / m)
//
// and dx_j = sum_i weight dy_i dz_i/dx_j = weight rstd (dy_j - db / m - z_j dw / m).
//
// With relu, y_i = max(a_i, 0) of a_i = weight z_i + bias, and da_i = dy_i where a_i > 0, else 0:
// all of the above holds with da in place of dy. a_i is computed again from x, which the backward
// reads for z_i anyway. Keeping y for its sign would cost another read, and a mask a write as well.
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const Tensor& weight, const Tensor& bias, const BatchNormOptions& options) {
    const kernels::BatchNormSizes sizes =
        sizes_of(x, running_mean, running_var, weight, bias, options);
    const Shape& shape = x.shape();
    const bool training = options.training;

    Tensor y = empty(shape);
    const Index parameters = (weight.defined() ? shape[1] : 0) + (bias.defined() ? shape[1] : 0);
    const Op op("batch_norm", shape[0] * parameters, weight.defined() ? 2 : 1);
    if (y.numel() == 0) return without_values(op, y, x, weight, bias);
    const kernels::BatchNormRule rule{options.eps, internal::data_or_null(weight),
                                      internal::data_or_null(bias), options.relu};
    std::vector<kernels::Moments> moments;
    if (training) {
        moments.resize(static_cast<std::size_t>(sizes.channels));
        kernels::batch_norm_training(sizes, rule, x.data(), moments.data(), y.mutable_data());
        if (running_mean.defined()) {
            update_running(running_mean, running_var, options.momentum, moments, sizes.count());
        }
    } else {
        moments = running_moments(running_mean, running_var);
        kernels::batch_norm(sizes, rule, x.data(), moments.data(), y.mutable_data());
    }

    const bool relu = options.relu;
    const bool needs_x =
        training || relu || internal::wants_grad(weight) || internal::wants_grad(bias);
    const bool needs_w = weight.defined() && (relu || x.requires_grad());
    const bool needs_b = bias.defined() && relu;
    return record(
        op, y, {x, weight, bias},
        [sizes, eps = options.eps, relu, training, moments = SavedList(moments),
         x = Saved(x, needs_x), w = Saved(weight, needs_w),
         b = Saved(bias, needs_b)](const Tensor& dy, std::span<Grad> d) {
            const auto compute = [&](Real* dx, Real* dw, Real* db) {
                kernels::batch_norm_backward(sizes,
                                             {.eps = eps,
                                              .weight = internal::data_or_null(w),
                                              .bias = internal::data_or_null(b),
                                              .relu = relu},
                                             {.x = internal::data_or_null(x),
                                              .dy = dy.data(),
                                              .moments = moments->data(),
                                              .moments_depend_on_x = training},
                                             dx, dw, db);
            };
            internal::add_gradients(d, {dy.shape(), {sizes.channels}, {sizes.channels}}, compute);
        });
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "batchnorm.h"

#include "../core/error.h"
#include "../core/ops.h"
#include "affine.h"
#include "python_text.h"

namespace primer {

BatchNorm::BatchNorm(const char* name, Index num_features, const BatchNormLayerOptions& options)
    : name_(name), num_features_(num_features), options_(options) {
    check(num_features >= 1, name, '(', num_features, "): expected at least one feature");
    if (options.affine) {
        weight = Parameter(ones({num_features}));
        bias = Parameter(zeros({num_features}));
    }
    if (options.track_running_stats) {
        running_mean = Buffer(zeros({num_features}));
        running_var = Buffer(ones({num_features}));
        num_batches_tracked = Buffer(zeros({}));
        num_batches_tracked.whole = true;
    }
}

Tensor BatchNorm::normalize(const Tensor& x) {
    const bool tracked = running_mean.defined(), track = training() && tracked;
    // The average over k batches is that over k - 1, moved 1/k of the way to the new value.
    const double batches = tracked ? static_cast<double>(num_batches_tracked.item()) : 0;
    Tensor y = batch_norm(x, running_mean, running_var, weight, bias,
                          {.training = training() || !tracked,
                           .momentum = options_.momentum.value_or(1 / (batches + 1)),
                           .eps = options_.eps,
                           .relu = options_.relu});
    if (track) ++*num_batches_tracked.mutable_data("BatchNorm's update of its running statistics");
    return y;
}

// The op cannot check this, because it takes any number of dimensions and, where nothing is learnt
// or kept, of channels.
Tensor BatchNorm1d::forward(const Tensor& x) {
    const Index c = num_features();
    check((x.rank() == 2 || x.rank() == 3) && x.shape()[1] == c, "expected x [N, ", c, "] or [N, ",
          c, ", L], got ", x.shape());
    return normalize(x);
}

Tensor BatchNorm2d::forward(const Tensor& x) {
    const Index c = num_features();
    check(x.rank() == 4 && x.shape()[1] == c, "expected x [N, ", c, ", H, W], got ", x.shape(),
          x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    return normalize(x);
}

void BatchNorm::visit(Visitor& visitor) {
    visit_affine(visitor, weight, bias);
    if (!running_mean.defined()) return;
    visitor("running_mean", running_mean);
    visitor("running_var", running_var);
    visitor("num_batches_tracked", num_batches_tracked);
}

void BatchNorm::reset_parameters(Rng&) {
    reset_affine(weight, bias);
    if (!running_mean.defined()) return;
    zeros_(running_mean);
    ones_(running_var);
    zeros_(num_batches_tracked);
}

std::string BatchNorm::describe() const {
    return std::string(name_) + '(' + std::to_string(num_features_) +
           ", eps=" + python_float(options_.eps) +
           ", momentum=" + (options_.momentum ? python_float(*options_.momentum) : "None") +
           ", affine=" + python_bool(options_.affine) + ", bias=" + python_bool(options_.affine) +
           ", track_running_stats=" + python_bool(options_.track_running_stats) +
           (options_.relu ? ", relu=True)" : ")");  // PyTorch's text unless it is more than that
}

}  // namespace primer
// SPDX-License-Identifier: MIT

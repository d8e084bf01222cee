#pragma once

#include <optional>

#include "module.h"

namespace primer {

/// The options of BatchNorm1d and BatchNorm2d.
struct BatchNormLayerOptions {
    Only<double> eps = 1e-5;  ///< added to the variance, so that a constant channel gives 0
    /// The weight of each batch in the running statistics; std::nullopt: they are the plain average
    /// over all batches so far.
    std::optional<Only<double>> momentum = 0.1;
    bool affine = true;               ///< learn a weight and a bias for each channel
    bool track_running_stats = true;  ///< without them, eval() uses the batch's statistics as well
    /// Apply ReLU to the result, as ReLU() after the layer would, but faster and without memory for
    /// the result before it.
    bool relu = false;
};

/// What BatchNorm1d and BatchNorm2d have in common. For each channel
///
///     y = (x - mean) / sqrt(variance + eps) * weight + bias
///
/// where mean and variance are those of the batch in training, and the running ones in eval(); with
/// `relu`, the larger of y and 0. For the formula's source see batch_norm in core/ops.h.
///
/// Training with one value for each channel (a batch of one example [1, C]) throws Error.
class BatchNorm : public Module {
  public:
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;
    bool is_activation() const override { return options_.relu; }
    /// What it was made with.
    const BatchNormLayerOptions& options() const { return options_; }

    Parameter weight;     ///< [num_features], 1 initially; undefined without affine
    Parameter bias;       ///< [num_features], 0 initially; undefined without affine
    Buffer running_mean;  ///< [num_features], 0 initially; undefined if not tracked
    /// [num_features], 1 initially; of the unbiased variances (divided by count - 1). Undefined
    /// if not tracked.
    Buffer running_var;
    Buffer num_batches_tracked;  ///< [], how many batches they cover; undefined if not tracked

  protected:
    /// Throws Error for fewer than one feature. The op checks the options, when the layer is
    /// called.
    BatchNorm(const char* name, Index num_features, const BatchNormLayerOptions& options);
    /// The number of channels.
    Index num_features() const { return num_features_; }
    /// The forward, once the shape of x has been checked.
    Tensor normalize(const Tensor& x);

  private:
    const char* name_;
    Index num_features_;
    BatchNormLayerOptions options_;
};

/// Batch normalisation of features [N, num_features], or of sequences [N, num_features, L].
class BatchNorm1d : public BatchNorm {
  public:
    /// Throws Error for fewer than one feature and for options out of range.
    explicit BatchNorm1d(Only<Index> num_features, const BatchNormLayerOptions& options = {})
        : BatchNorm("BatchNorm1d", num_features, options) {}
    Tensor forward(const Tensor& x) override;
};

/// Batch normalisation of images [N, num_features, H, W].
class BatchNorm2d : public BatchNorm {
  public:
    /// Throws Error for fewer than one feature and for options out of range.
    explicit BatchNorm2d(Only<Index> num_features, const BatchNormLayerOptions& options = {})
        : BatchNorm("BatchNorm2d", num_features, options) {}
    Tensor forward(const Tensor& x) override;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <functional>

#include "../../layers/module.h"
#include "../loader.h"

namespace primer {

/// How well a classifier does on a dataset.
struct Evaluation {
    double loss = 0;      ///< mean cross entropy; not finite if the model has diverged
    double accuracy = 0;  ///< share of the examples that are classified right, from 0 to 1
};

/// Called for each batch with the model's outputs for it. Returning false ends the evaluation.
using BatchWatcher = std::function<bool(const Batch& batch, const Tensor& logits)>;

/// Runs the model over one epoch of the loader, in eval mode, unrecorded and fused for prediction
/// (layers/fuse.h), and returns the means over its examples. Afterwards, even after an Error, every
/// module is back in its earlier mode. The model's outputs are logits, [N, classes], as
/// cross_entropy takes them. Throws Error if they have another shape, or no class for some label.
Evaluation evaluate(Module& model, DataLoader& loader, const BatchWatcher& watch = {});

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <memory>
#include <vector>

#include "module.h"

namespace primer {

/// Prepares a model for prediction: what is constant while its weights do not change is computed
/// once and kept. Call it when the model is complete, in either mode:
///
///     model.eval();
///     fuse_for_prediction(model);
///     const Tensor logits = model(x);  // without a Tape, or under NoGrad
///
/// Then every Conv2d and Linear keeps its weight in the form that its kernel reads, and in a
/// Sequential it takes over the modules after it, computing them while its result is in the cache:
///
///     Conv2d, BatchNorm2d, ReLU, MaxPool2d(2)         Linear, BatchNorm1d, ReLU
///
/// Each of these may be missing, ReLU may come after MaxPool2d, and a Dropout between does nothing.
/// The results are those of the layers one by one, to rounding.
///
/// The model stays as it is, and can be trained, saved and changed as before. The layers run one by
/// one, as if nothing had been fused, while any of them is in training mode, a Tape records, or a
/// ForwardHook or OpHook watches; so do layers of a class of the user's own, derived from these. At
/// each call, the weights, biases and running statistics are compared with those that were
/// prepared, by the count of writes that a Tape uses, too. If any has changed, it is prepared
/// again. Only a write through a pointer that mutable_data() gave before the last prediction goes
/// unseen: ask for the pointer again.
///
/// Several threads may predict with one model at once. The memory: up to five times that of the
/// weights of 3x3 convolutions, twice that of the others.
void fuse_for_prediction(Module& model);

/// While it exists, a model is prepared for prediction. When it ends, what it has prepared is
/// dropped; layers that were prepared before remain so.
class FusedForPrediction {
  public:
    /// `model` must outlive it.
    [[nodiscard("name it: FusedForPrediction fused(model);")]] explicit FusedForPrediction(
        Module& model);
    ~FusedForPrediction();
    FusedForPrediction(const FusedForPrediction&) = delete;
    FusedForPrediction& operator=(const FusedForPrediction&) = delete;

  private:
    std::vector<Module*> fused_;  // by this
};

}  // namespace primer
// SPDX-License-Identifier: MIT

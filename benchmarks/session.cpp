#include "session.h"

#include <algorithm>
#include <cmath>

#include <primer/core/error.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/fuse.h>

namespace primer::benchmarks {
namespace {

// As many as in peers/worker.py, because memory is compared, too.
constexpr Index kExamples = 4096;

Index check_batch(Index batch) {
    check(batch <= kExamples, "bench: expected a batch of at most ", kExamples,
          ", the number of examples, got ", batch);
    return batch;
}

}  // namespace

RandomDataset::RandomDataset(Index count, const Shape& shape, Rng& rng)
    : values_(rand(Shape{count}.concat(shape), rng)), labels_(static_cast<std::size_t>(count)) {
    for (Index& label : labels_) label = rng.below(kClasses);
}

void RandomDataset::load(Index i, std::span<Real> out) const {
    const auto size = static_cast<Index>(out.size());
    std::copy_n(values_.data() + i * size, size, out.data());
}

Session::Session(const Workload& workload, Index batch)
    : inference_(workload.inference),
      data_(kExamples, workload.input, rng_),
      network_(workload.build(rng_)),
      optimizer_(network_.parameters(), {.lr = 0.01, .momentum = 0.9}),
      // A single forward is too short to prepare a batch behind it: we would only wait for the
      // thread.
      loader_(data_,
              {.batch_size = check_batch(batch),
               .shuffle = true,
               .drop_last = true,
               .prefetch = !workload.inference},
              rng_) {
    const Flops flops = count_flops(network_, workload.input);
    flops_ = inference_ ? flops.forward : flops.training;
    for (const Parameter& parameter : network_.parameters()) parameters_ += parameter.numel();
    network_.train(!inference_);
    if (inference_ && workload.fused) fuse_for_prediction(network_);
}

const Batch& Session::next_batch() {
    if (at_) ++*at_;
    if (!at_ || *at_ == loader_.end()) at_.emplace(loader_.begin());
    return **at_;
}

void Session::step() {
    const Batch& batch = next_batch();
    if (inference_) {
        network_(batch.inputs);
        return;
    }
    Tape tape;
    loss_ = cross_entropy(network_(batch.inputs), batch.labels);
    optimizer_.zero_grad();
    tape.backward(loss_);
    optimizer_.step();
}

bool Session::healthy() const { return !loss_.defined() || std::isfinite(loss_.item()); }

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

#pragma once

#include <optional>

#include <primer/core/rng.h>
#include <primer/datasets/loader.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "workloads.h"

namespace primer::benchmarks {

/// Examples in memory: uniform random numbers from 0 to 1, and random labels.
class RandomDataset : public Dataset {
  public:
    /// `shape` is the shape of one example.
    RandomDataset(Index count, const Shape& shape, Rng& rng);

    Index size() const override { return values_.shape()[0]; }
    Shape shape() const override { return values_.shape().without(0); }
    Index classes() const override { return kClasses; }
    Index label(Index i) const override { return labels_[static_cast<std::size_t>(i)]; }
    void load(Index i, std::span<Real> out) const override;

  private:
    Tensor values_;  // [count, shape]
    std::vector<Index> labels_;
};

/// A running workload. Each step begins by gathering the examples of a batch.
class Session {
  public:
    /// Throws Error if a batch is larger than the dataset.
    Session(const Workload& workload, Index batch);
    Session(const Session&) = delete;  // the loader holds a reference to the dataset
    Session& operator=(const Session&) = delete;

    /// One training step or, if the workload is inference, one forward.
    void step();

    /// The operations of step() per example.
    double flops() const { return flops_; }
    /// The elements of all parameters, to check that two networks are the same.
    Index parameters() const { return parameters_; }
    /// Whether all numbers have stayed finite; otherwise the speed means nothing.
    bool healthy() const;

  private:
    const Batch& next_batch();

    Rng rng_{1};
    bool inference_;
    RandomDataset data_;
    Sequential network_;
    SGD optimizer_;
    DataLoader loader_;
    std::optional<DataLoader::Iterator> at_;
    Tensor loss_;  // of the last step
    double flops_ = 0;
    Index parameters_ = 0;
};

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

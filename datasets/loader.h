#pragma once

#include <cstdint>
#include <iterator>
#include <vector>

#include "primer/core/rng.h"
#include "primer/core/tensor.h"
#include "primer/datasets/dataset.h"
#include "primer/datasets/transforms.h"

namespace primer {

/// N examples, ready for a network.
struct Batch {
    Tensor images;     ///< [N, channels, height, width]
    IntTensor labels;  ///< [N]
};

struct DataLoaderOptions {
    Index batch_size = 64;
    bool shuffle = false;    ///< a new order in every epoch; otherwise the dataset's own
    bool drop_last = false;  ///< leaves out the last batch if it would be smaller than the others
    std::vector<Transform> transforms = {};  ///< done to each picture, in this order
};

/// Cuts a dataset into batches:
///
///     for (const Batch& batch : loader) { ... }
///
/// is one epoch: it takes each example once. What an epoch delivers follows from the loader's
/// generator as it was at the epoch's beginning: its order, and for each position in that order the
/// generator that the transforms of that picture draw from. So it is the same bits for any number
/// of threads and for any batch size.
class DataLoader {
  public:
    /// Keeps a reference to `dataset`, which must outlive the loader, and takes one number from
    /// `rng`. Throws Error if batch_size < 1, for an empty dataset, for drop_last with fewer
    /// examples than a batch takes, and for an empty function among the transforms.
    DataLoader(const Dataset& dataset, DataLoaderOptions options, Rng& rng);
    /// A temporary would be gone before the first batch.
    DataLoader(const Dataset&& dataset, DataLoaderOptions options, Rng& rng) = delete;

    /// How many batches an epoch has.
    Index batches() const;
    /// How many examples an epoch delivers: all of them, unless drop_last leaves some out.
    Index size() const;

    /// The state that the next epoch follows from. Save it between two epochs, and a loader that
    /// it is given back to continues with the same epochs.
    Rng::State rng_state() const { return rng_.state(); }
    void set_rng_state(const Rng::State& state) { rng_.set_state(state); }

    class Iterator;
    /// Begins a new epoch.
    Iterator begin();
    std::default_sentinel_t end() const { return {}; }

  private:
    /// What chance decides in an epoch, all of it drawn when the epoch begins.
    struct Epoch {
        std::vector<Index> order;  ///< the example at each position
        std::uint64_t seed;        ///< of the pictures' generators
    };

    /// Batch number `number` of an epoch. Depends on nothing else, so batches can be prepared in
    /// any order and on any thread.
    Batch load(const Epoch& epoch, Index number) const;

    const Dataset& dataset_;
    DataLoaderOptions options_;
    Rng rng_;
};

/// Where a loop is in its epoch, which it has to itself: loops over one loader may be nested. Each
/// batch has a tensor of its own, so a batch may be kept.
class DataLoader::Iterator {
  public:
    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return number_ == loader_->batches(); }

    Iterator(Iterator&&) = default;
    Iterator& operator=(Iterator&&) = default;

  private:
    friend class DataLoader;
    Iterator(const DataLoader& loader, Epoch epoch);

    const DataLoader* loader_;
    Epoch epoch_;
    Index number_ = 0;  // of batch_
    Batch batch_;
};

}  // namespace primer

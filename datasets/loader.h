#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
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
    /// Prepares the next batch on a thread of its own while this one is used, provided that
    /// num_threads() is above 1 when the epoch begins. Takes the memory of one batch more; what is
    /// delivered is the same without.
    bool prefetch = true;
};

/// Cuts a dataset into batches:
///
///     for (const Batch& batch : loader) { ... }
///
/// is one epoch: it takes each example once. What an epoch delivers follows from the loader's
/// generator as it was at the epoch's beginning: its order, and for each position in that order the
/// generator that the transforms of that picture draw from. So it is the same bits for any number
/// of threads, for any batch size, and with prefetch or without.
///
/// What the dataset or a transform throws comes out of the loop when it reaches the batch
/// concerned.
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

    /// The state that the epoch begun last follows from. With it an epoch can be taken up again
    /// after the batches that have been delivered:
    ///
    ///     loader.set_rng_state(epoch_state);
    ///     loader.skip(delivered);
    Rng::State epoch_state() const { return epoch_state_; }
    /// The next epoch, and only that, begins with batch number `batches`: those before are neither
    /// delivered nor loaded, and the others are what they would have been. Throws Error unless
    /// 0 <= batches <= batches().
    void skip(Only<Index> batches);

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

    /// A batch in the making. Its pictures can be prepared in any order and on any threads, for
    /// each depends on nothing but the epoch and its position there.
    struct Draft {
        Index first = 0;  ///< position of its first picture
        Batch batch;
        Real* images = nullptr;  ///< the memory of batch.images
    };
    Draft draft(Index number) const;
    /// Prepares the batch's pictures begin ... end - 1.
    void prepare(const Epoch& epoch, Draft& draft, Index begin, Index end) const;
    /// How many pictures are worth handing to another thread.
    Index grain() const;

    /// The batches of one epoch, and the thread that is ahead of the loop.
    class Run;

    const Dataset& dataset_;
    DataLoaderOptions options_;
    Rng rng_;
    Rng::State epoch_state_ = rng_.state();
    Index skip_ = 0;  // what the next epoch leaves out
};

/// Where a loop is in its epoch, which it has to itself: loops over one loader may be nested. Each
/// batch has a tensor of its own, so a batch may be kept.
class DataLoader::Iterator {
  public:
    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return number_ == loader_->batches(); }

    Iterator(Iterator&&) noexcept;
    Iterator& operator=(Iterator&&) noexcept;
    /// Breaking out of the loop is no trouble: what is being prepared is dropped.
    ~Iterator();

  private:
    friend class DataLoader;
    /// At batch number `number`, which may be the end.
    Iterator(const DataLoader& loader, Epoch epoch, Index number);

    const DataLoader* loader_;
    std::unique_ptr<Run> run_;
    Index number_;  // of batch_
    Batch batch_;
};

}  // namespace primer

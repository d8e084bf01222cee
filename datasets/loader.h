#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "../core/rng.h"
#include "../core/tensor.h"
#include "dataset.h"
#include "transforms.h"

namespace primer {

/// N examples, ready for a network.
struct Batch {
    Tensor images;     ///< [N, channels, height, width]
    IntTensor labels;  ///< [N]
};

struct DataLoaderOptions {
    Only<Index> batch_size = 64;
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
/// concerned. A loader that has been moved from, and one whose dataset is gone or has changed its
/// size or shape, throws Error when a batch is asked for.
class DataLoader {
  public:
    /// Keeps a reference to `dataset`, which must outlive the loader and its epochs, and takes one
    /// number from `rng`. Throws Error if batch_size < 1, for an empty dataset, for drop_last with
    /// fewer examples than a batch takes, and for an empty function among the transforms.
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

    /// The dataset and what is done to its pictures; shared with the epochs, which may outlive the
    /// loader.
    class Source;
    /// The batches of one epoch, and the thread that is ahead of the loop.
    class Run;

    /// Throws Error if the loader has been moved from.
    const Source& source() const;

    std::shared_ptr<const Source> source_;
    Rng rng_;
    Rng::State epoch_state_ = rng_.state();
    Index skip_ = 0;  // what the next epoch leaves out
};

/// Where a loop is in its epoch, which it has to itself: loops over one loader may be nested, and
/// go on when the loader is gone. Each batch has a tensor of its own, so a batch may be kept.
class DataLoader::Iterator {
  public:
    /// These three throw Error at the end of the epoch and if the iterator has been moved from.
    /// When a batch could not be loaded, ++ throws what the dataset did and stands at that batch:
    /// it has no value, and the next ++ goes on after it.
    const Batch& operator*() const;
    const Batch* operator->() const { return &**this; }
    /// In a process that fork() has made since the epoch began it throws Error, too: the thread
    /// that prepares the batches has stayed in the other process.
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return at_end_; }

    Iterator(Iterator&&) noexcept;
    Iterator& operator=(Iterator&&) noexcept;
    /// Breaking out of the loop is no trouble: what is being prepared is dropped.
    ~Iterator();

  private:
    friend class DataLoader;
    /// At batch number `number`, which may be the end.
    Iterator(std::shared_ptr<const Source> source, Epoch epoch, Index number);
    void load();

    std::unique_ptr<Run> run_;
    Index number_ = 0;    // of batch_
    bool at_end_ = true;  // or moved from
    Batch batch_;
};

}  // namespace primer

#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "../core/int_tensor.h"
#include "../core/rng.h"
#include "../core/tensor.h"
#include "dataset.h"
#include "transforms.h"

namespace primer {

/// N examples, ready for a network, and what it should answer: labels or, from a dataset whose
/// targets are values, these.
struct Batch {
    Tensor inputs;        ///< [N, ...]; of pictures [N, channels, height, width]
    IntTensor labels;     ///< [N]; without elements if there are targets
    Tensor targets = {};  ///< [N, ...]; undefined if there are labels
};

/// The options of DataLoader.
struct DataLoaderOptions {
    Only<Index> batch_size = 64;  ///< examples in a batch
    bool shuffle = false;         ///< a new order in every epoch; otherwise the dataset's own
    bool drop_last = false;  ///< leaves out the last batch if it would be smaller than the others
    std::vector<Transform> transforms = {};  ///< applied to each example, in this order
    /// Prepares the next batch on another thread while this one is used, if num_threads() is above
    /// 1 when the epoch begins. Takes the memory of one more batch. The batches are the same with
    /// or without it.
    bool prefetch = true;
};

/// Cuts a dataset into batches:
///
///     for (const Batch& batch : loader) { ... }
///
/// is one epoch: each example comes once. The state of the loader's generator at the beginning of
/// an epoch determines the order and, for each position in that order, the generator for the
/// transforms of that picture. So an epoch has the same bits for any number of threads, for any
/// batch size, and with or without prefetch.
///
/// If the dataset or a transform throws, the loop throws the same when it reaches that batch. A
/// loader that has been moved from, or whose dataset is gone or has changed its size or shape,
/// throws Error at the next batch.
class DataLoader {
  public:
    /// Keeps a reference to `dataset`, which must outlive the loader and its epochs, and takes one
    /// number from `rng`. Throws Error if batch_size < 1, for an empty dataset, for drop_last with
    /// fewer examples than one batch, and for an empty function among the transforms.
    explicit DataLoader(const Dataset& dataset, DataLoaderOptions options = {},
                        Rng& rng = default_rng());
    /// The same, with the default options.
    DataLoader(const Dataset& dataset, Rng& rng) : DataLoader(dataset, DataLoaderOptions(), rng) {}
    /// Deleted, because a temporary dataset would be gone before the first batch.
    explicit DataLoader(const Dataset&& dataset, DataLoaderOptions options = {},
                        Rng& rng = default_rng()) = delete;
    DataLoader(const Dataset&& dataset, Rng& rng) = delete;

    /// The number of batches in an epoch.
    Index batches() const;
    /// The number of examples in an epoch: all, unless drop_last leaves some out.
    Index examples() const;
    Index size() const = delete;  // batches(), which is PyTorch's len(loader), or examples()

    /// The state that determines the next epoch. Save it between two epochs; a loader with this
    /// state continues with the same epochs.
    Rng::State rng_state() const { return rng_.state(); }
    /// Continues with the epochs that belong to this state.
    void set_rng_state(const Rng::State& state) { rng_.set_state(state); }

    /// The state that determines the latest epoch. It lets you resume an epoch after the batches
    /// delivered so far:
    ///
    ///     loader.set_rng_state(epoch_state);
    ///     loader.skip(delivered);
    Rng::State epoch_state() const { return epoch_state_; }
    /// Makes the next epoch, and only that, begin with batch number `batches`. Earlier batches are
    /// neither loaded nor delivered; the others do not change. Throws Error unless 0 <= batches <=
    /// batches().
    void skip(Only<Index> batches);

    class Iterator;
    /// Begins a new epoch.
    Iterator begin();
    /// The end of every epoch.
    std::default_sentinel_t end() const { return {}; }

  private:
    /// All random choices of an epoch, drawn when it begins.
    struct Epoch {
        std::vector<Index> order;  ///< the example at each position
        std::uint64_t seed;        ///< of the pictures' generators
    };

    /// The dataset and the options; shared with the epochs, which may outlive the loader.
    class Source;
    /// The batches of one epoch, and the thread that prepares them ahead of the loop.
    class Run;

    /// Throws Error if the loader has been moved from.
    const Source& source() const;

    std::shared_ptr<const Source> source_;
    Rng rng_;
    Rng::State epoch_state_ = rng_.state();
    Index skip_ = 0;  // batches that the next epoch leaves out
};

/// A position in an epoch. Each loop has its own epoch, so loops over one loader may be nested, and
/// continue when the loader is gone. Each batch has its own tensors, so you may keep it.
class DataLoader::Iterator {
  public:
    /// These three throw Error at the end of the epoch and if the iterator has been moved from. If
    /// a batch cannot be loaded, ++ throws the dataset's exception and stays at that batch, which
    /// has no value; the next ++ continues after it.
    const Batch& operator*() const;
    const Batch* operator->() const { return &**this; }
    /// Also throws Error in a process forked since the epoch began, because the thread that
    /// prepares the batches has stayed in the other process.
    Iterator& operator++();
    /// Whether the epoch is over.
    bool operator==(std::default_sentinel_t) const { return at_end_; }

    /// The epoch moves along; what is left behind is at its end.
    Iterator(Iterator&&) noexcept;
    Iterator& operator=(Iterator&&) noexcept;
    /// Leaving the loop early is fine; batches in preparation are dropped.
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
// SPDX-License-Identifier: MIT

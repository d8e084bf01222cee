#include "loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "../core/creation.h"
#include "../core/error.h"
#include "../core/kernels/parallel.h"
#include "../core/kernels/system.h"

namespace primer {

class DataLoader::Source {
  public:
    Source(const Dataset& dataset, DataLoaderOptions options)
        : dataset_(dataset),
          alive_(dataset.lifetime().watch()),
          shape_(dataset.shape()),
          size_(dataset.size()),
          labels_(dataset.classes() > 0),
          target_shape_(labels_ ? Shape() : dataset.target_shape()),
          options_(std::move(options)) {
        check(options_.batch_size >= 1, "DataLoader: expected a batch_size of 1 or more, got ",
              options_.batch_size);
        check(size_ >= 1, "DataLoader: the dataset is empty");
        check(batches() >= 1, "DataLoader: drop_last leaves no batch at all: expected at least ",
              options_.batch_size, " examples, the batch_size, got ", size_);
        check(std::ranges::all_of(options_.transforms,
                                  [](const Transform& t) { return t != nullptr; }),
              "DataLoader: one of the transforms is an empty function");
    }

    const DataLoaderOptions& options() const { return options_; }
    Index examples() const { return size_; }

    Index batches() const {
        const bool rest = size_ % options_.batch_size != 0;
        return size_ / options_.batch_size + (rest && !options_.drop_last ? 1 : 0);
    }

    /// A batch in the making. Its pictures can be prepared in any order and on any thread, because
    /// each depends only on the epoch and its position there.
    struct Draft {
        Index first = 0;  ///< position of its first picture
        Batch batch;
        Real* inputs = nullptr;   ///< the memory of batch.inputs
        Real* targets = nullptr;  ///< of batch.targets
    };

    /// Also checks that the dataset still exists and has its old size and shape, because its
    /// pictures will be written to memory of that size.
    Draft draft(Index number) const {
        check(!alive_.expired(),
              "DataLoader: its dataset is gone; keep the dataset as long as the loader is used");
        check(dataset_.size() == size_ && dataset_.shape() == shape_,
              "DataLoader: its dataset had ", size_, " examples of shape ", shape_, " and now has ",
              dataset_.size(), " of shape ", dataset_.shape(),
              "; make a new loader after such a change");
        Draft draft;
        draft.first = number * options_.batch_size;
        const Index count = std::min<Index>(options_.batch_size, size_ - draft.first);
        draft.batch.inputs = empty(Shape{count}.concat(shape_));
        draft.inputs = draft.batch.inputs.mutable_data();
        if (labels_) {
            draft.batch.labels = IntTensor(std::vector<Index>(static_cast<std::size_t>(count)));
        } else {
            draft.batch.targets = empty(Shape{count}.concat(target_shape_));
            draft.targets = draft.batch.targets.mutable_data();
        }
        return draft;
    }

    /// Prepares the batch's pictures begin ... end - 1.
    void prepare(const Epoch& epoch, Draft& draft, Index begin, Index end) const {
        const auto size = static_cast<std::size_t>(shape_.numel());
        const auto target_size = static_cast<std::size_t>(target_shape_.numel());
        for (Index k = begin; k < end; ++k) {
            const Index position = draft.first + k;
            const Index i = epoch.order[static_cast<std::size_t>(position)];
            const std::span<Real> input(draft.inputs + k * shape_.numel(), size);
            dataset_.load(i, input);
            Rng rng(epoch.seed + static_cast<std::uint64_t>(position));
            for (const Transform& transform : options_.transforms) transform(input, shape_, rng);
            if (labels_) {
                draft.batch.labels.values[static_cast<std::size_t>(k)] = dataset_.label(i);
            } else {
                dataset_.load_target(i, {draft.targets + k * target_shape_.numel(), target_size});
            }
        }
    }

    /// This many pictures are worth handing to another thread.
    Index grain() const { return std::max<Index>(1, 32768 / std::max<Index>(1, shape_.numel())); }

  private:
    const Dataset& dataset_;
    const std::weak_ptr<const char> alive_;
    const Shape shape_;
    const Index size_;
    const bool labels_;         // else targets, of this shape:
    const Shape target_shape_;  // the scalar's, with labels
    const DataLoaderOptions options_;
};

DataLoader::DataLoader(const Dataset& dataset, DataLoaderOptions options, Rng& rng)
    : source_(std::make_shared<const Source>(dataset, std::move(options))), rng_(rng.split()) {}

const DataLoader::Source& DataLoader::source() const {
    check(source_ != nullptr,
          "DataLoader: this loader has been moved from; use the one that it "
          "was moved to");
    return *source_;
}

Index DataLoader::batches() const { return source().batches(); }

Index DataLoader::examples() const {
    const DataLoaderOptions& options = source().options();
    return options.drop_last ? batches() * options.batch_size : source().examples();
}

void DataLoader::skip(Only<Index> batches) {
    check(batches >= 0 && batches <= this->batches(), "DataLoader::skip: expected 0 to ",
          this->batches(), " batches, as many as an epoch has, got ", batches);
    skip_ = batches;
}

DataLoader::Iterator DataLoader::begin() {
    const Source& from = source();
    epoch_state_ = rng_.state();
    // Every epoch takes one number from rng_, whatever the options. So epoch number k is the same
    // for a loader that has run k epochs and for one that was set to its state.
    Rng rng = rng_.split();
    Epoch epoch;
    epoch.seed = rng.next();
    epoch.order.resize(static_cast<std::size_t>(from.examples()));
    std::iota(epoch.order.begin(), epoch.order.end(), Index{0});
    if (from.options().shuffle) rng.shuffle(epoch.order);
    return Iterator(source_, std::move(epoch), std::exchange(skip_, 0));
}

class DataLoader::Run {
  public:
    Run(std::shared_ptr<const Source> source, Epoch epoch)
        : source_(std::move(source)), epoch_(std::move(epoch)), process_(process_number()) {
        const bool ahead = source_->options().prefetch && source_->batches() > 1;
        if (!ahead || num_threads() == 1) return;
        try {
            thread_ = std::thread([this] { serve(); });
        } catch (const std::system_error&) {
            // The system grants no more threads, so prepare every batch when it is needed.
        }
    }

    ~Run() {
        if (!thread_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    const Source& source() const { return *source_; }

    /// Whether fork() has left the thread in the other process. The thread may hold locks, so
    /// nothing here may be touched then.
    bool lost_thread() const { return thread_.joinable() && process_ != process_number(); }

    /// Returns batch number `number` and lets the thread begin the next one.
    Batch take(Index number) {
        check(!lost_thread(),
              "DataLoader: this epoch was begun before fork(), and the thread that prepares its "
              "batches is in the other process; begin a new epoch here");
        if (number_ != number) start(number);
        finish();
        Batch batch = std::move(draft_.batch);
        if (thread_.joinable() && number + 1 < source_->batches()) start(number + 1);
        return batch;
    }

  private:
    /// Allocates here, on the loop's thread between two steps, never during one. So the memory of a
    /// training run does not depend on which thread is faster.
    void start(Index number) {
        Source::Draft draft = source_->draft(number);
        {
            const std::lock_guard lock(mutex_);
            draft_ = std::move(draft);
            number_ = number;
            next_ = 0;
            count_ = draft_.batch.inputs.shape()[0];
        }
        changed_.notify_one();
    }

    /// Prepares the remaining pictures on all threads, which is faster than waiting for one.
    void finish() {
        std::unique_lock lock(mutex_);
        const Index done = std::exchange(next_, count_);
        lock.unlock();
        parallel_for(count_ - done, source_->grain(),
                     [&](Index begin, Index end) { prepare(done + begin, done + end); });
        lock.lock();
        changed_.wait(lock, [&] { return !busy_; });
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }

    /// The thread's loop. It takes a few pictures at a time, so that finish() never waits long.
    void serve() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return stop_ || next_ < count_; });
            if (stop_) return;
            const Index begin = next_;
            next_ = std::min(count_, begin + source_->grain());
            const Index end = next_;
            busy_ = true;
            lock.unlock();
            prepare(begin, end);
            lock.lock();
            busy_ = false;
            changed_.notify_one();
        }
    }

    void prepare(Index begin, Index end) {
        try {
            source_->prepare(epoch_, draft_, begin, end);
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!error_) error_ = std::current_exception();
        }
    }

    const std::shared_ptr<const Source> source_;
    const Epoch epoch_;
    const long process_;
    Source::Draft draft_;
    Index number_ = -1;  // of draft_; -1 before the first

    std::mutex mutex_;  // guards the members below
    std::condition_variable changed_;
    Index next_ = 0, count_ = 0;  // pictures next_ ... count_ - 1 of draft_ are not yet begun
    bool busy_ = false;           // the thread is at work
    bool stop_ = false;
    std::exception_ptr error_;
    std::thread thread_;  // last: it uses everything above
};

DataLoader::Iterator::Iterator(std::shared_ptr<const Source> source, Epoch epoch, Index number)
    : run_(std::make_unique<Run>(std::move(source), std::move(epoch))), number_(number) {
    load();
}

DataLoader::Iterator::Iterator(Iterator&& other) noexcept { *this = std::move(other); }

DataLoader::Iterator& DataLoader::Iterator::operator=(Iterator&& other) noexcept {
    std::swap(run_, other.run_);
    number_ = other.number_;
    at_end_ = std::exchange(other.at_end_, true);
    batch_ = std::exchange(other.batch_, {});
    return *this;
}

DataLoader::Iterator::~Iterator() {
    // Joining a thread that is in another process would never end.
    if (run_ != nullptr && run_->lost_thread()) [[maybe_unused]]
        Run* const left = run_.release();
}

const Batch& DataLoader::Iterator::operator*() const {
    check(!at_end_, "DataLoader: this iterator is at the end of its epoch, or moved from");
    check(batch_.inputs.defined(), "DataLoader: this batch could not be loaded");
    return batch_;
}

DataLoader::Iterator& DataLoader::Iterator::operator++() {
    check(!at_end_, "DataLoader: this iterator is at the end of its epoch, or moved from");
    ++number_;
    load();
    return *this;
}

void DataLoader::Iterator::load() {
    batch_ = {};  // first, so that the next batch can reuse its memory
    at_end_ = number_ >= run_->source().batches();
    if (!at_end_) batch_ = run_->take(number_);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

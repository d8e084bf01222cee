#include "primer/datasets/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "primer/core/error.h"
#include "primer/core/kernels/parallel.h"

namespace primer {

DataLoader::DataLoader(const Dataset& dataset, DataLoaderOptions options, Rng& rng)
    : dataset_(dataset), options_(std::move(options)), rng_(rng.split()) {
    check(options_.batch_size >= 1, "DataLoader: expected a batch_size of 1 or more, got ",
          options_.batch_size);
    check(dataset.size() >= 1, "DataLoader: the dataset is empty");
    check(batches() >= 1, "DataLoader: drop_last leaves no batch at all: expected at least ",
          options_.batch_size, " examples, the batch_size, got ", dataset.size());
    check(std::ranges::all_of(options_.transforms, [](const Transform& t) { return t != nullptr; }),
          "DataLoader: one of the transforms is an empty function");
}

Index DataLoader::batches() const {
    const Index full = dataset_.size() / options_.batch_size;
    const bool rest = dataset_.size() % options_.batch_size != 0;
    return rest && !options_.drop_last ? full + 1 : full;
}

Index DataLoader::size() const {
    return options_.drop_last ? batches() * options_.batch_size : dataset_.size();
}

void DataLoader::skip(Only<Index> batches) {
    check(batches >= 0 && batches <= this->batches(), "DataLoader::skip: expected 0 to ",
          this->batches(), " batches, as many as an epoch has, got ", batches);
    skip_ = batches;
}

DataLoader::Iterator DataLoader::begin() {
    epoch_state_ = rng_.state();
    // Every epoch takes one number from rng_, whatever the options make of it: epoch number k is
    // then the same for a loader that has run k epochs and for one that was set to its state.
    Rng rng = rng_.split();
    Epoch epoch;
    epoch.seed = rng.next();
    epoch.order.resize(static_cast<std::size_t>(dataset_.size()));
    std::iota(epoch.order.begin(), epoch.order.end(), Index{0});
    if (options_.shuffle) rng.shuffle(epoch.order);
    return Iterator(*this, std::move(epoch), std::exchange(skip_, 0));
}

DataLoader::Draft DataLoader::draft(Index number) const {
    Draft draft;
    draft.first = number * options_.batch_size;
    const Index count = std::min(options_.batch_size, dataset_.size() - draft.first);
    draft.batch.images = empty(Shape{count}.concat(dataset_.shape()));
    draft.batch.labels = IntTensor(std::vector<Index>(static_cast<std::size_t>(count)));
    draft.images = draft.batch.images.mutable_data();
    return draft;
}

void DataLoader::prepare(const Epoch& epoch, Draft& draft, Index begin, Index end) const {
    const Shape shape = dataset_.shape();
    const auto size = static_cast<std::size_t>(shape.numel());
    for (Index k = begin; k < end; ++k) {
        const Index position = draft.first + k;
        const Index i = epoch.order[static_cast<std::size_t>(position)];
        const std::span<Real> image(draft.images + k * shape.numel(), size);
        dataset_.load(i, image);
        Rng rng(epoch.seed + static_cast<std::uint64_t>(position));
        for (const Transform& transform : options_.transforms) transform(image, shape, rng);
        draft.batch.labels.values[static_cast<std::size_t>(k)] = dataset_.label(i);
    }
}

Index DataLoader::grain() const {
    return std::max<Index>(1, 32768 / std::max<Index>(1, dataset_.shape().numel()));
}

class DataLoader::Run {
  public:
    Run(const DataLoader& loader, Epoch epoch) : loader_(loader), epoch_(std::move(epoch)) {
        if (!loader.options_.prefetch || num_threads() == 1 || loader.batches() == 1) return;
        try {
            thread_ = std::thread([this] { serve(); });
        } catch (const std::system_error&) {
            // The system has no more threads: then every batch is made when it is asked for.
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

    /// Batch number `number`; leaves the one after it to the thread.
    Batch take(Index number) {
        if (number_ != number) start(number);
        finish();
        Batch batch = std::move(draft_.batch);
        if (thread_.joinable() && number + 1 < loader_.batches()) start(number + 1);
        return batch;
    }

  private:
    /// Memory is asked for here, by the loop's thread between two steps, never in the middle of
    /// one: so how much a training run takes does not depend on which thread is faster.
    void start(Index number) {
        Draft draft = loader_.draft(number);
        {
            const std::lock_guard lock(mutex_);
            draft_ = std::move(draft);
            number_ = number;
            next_ = 0;
            count_ = draft_.batch.labels.shape[0];
        }
        changed_.notify_one();
    }

    /// Prepares what the thread has not come to yet, on all threads: better than to wait for one.
    void finish() {
        std::unique_lock lock(mutex_);
        const Index done = std::exchange(next_, count_);
        lock.unlock();
        parallel_for(count_ - done, loader_.grain(),
                     [&](Index begin, Index end) { prepare(done + begin, done + end); });
        lock.lock();
        changed_.wait(lock, [&] { return !busy_; });
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }

    /// The thread: takes a few pictures at a time, so that finish() never waits for long.
    void serve() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return stop_ || next_ < count_; });
            if (stop_) return;
            const Index begin = next_;
            next_ = std::min(count_, begin + loader_.grain());
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
            loader_.prepare(epoch_, draft_, begin, end);
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!error_) error_ = std::current_exception();
        }
    }

    const DataLoader& loader_;
    const Epoch epoch_;
    Draft draft_;
    Index number_ = -1;  // of draft_; -1 before the first

    std::mutex mutex_;  // for what follows
    std::condition_variable changed_;
    Index next_ = 0, count_ = 0;  // nobody has taken on the pictures next_ ... count_ - 1 of draft_
    bool busy_ = false;           // the thread is at work
    bool stop_ = false;
    std::exception_ptr error_;
    std::thread thread_;  // last: it uses everything above
};

DataLoader::Iterator::Iterator(const DataLoader& loader, Epoch epoch, Index number)
    : loader_(&loader), run_(std::make_unique<Run>(loader, std::move(epoch))), number_(number) {
    if (number_ < loader.batches()) batch_ = run_->take(number_);
}

DataLoader::Iterator::Iterator(Iterator&&) noexcept = default;
DataLoader::Iterator& DataLoader::Iterator::operator=(Iterator&&) noexcept = default;
DataLoader::Iterator::~Iterator() = default;

DataLoader::Iterator& DataLoader::Iterator::operator++() {
    batch_ = {};  // first, so that the next batch can have this one's memory
    if (++number_ < loader_->batches()) batch_ = run_->take(number_);
    return *this;
}

}  // namespace primer

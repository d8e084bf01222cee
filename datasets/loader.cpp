#include "primer/datasets/loader.h"

#include <algorithm>
#include <numeric>
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

DataLoader::Iterator DataLoader::begin() {
    // Every epoch takes one number from rng_, whatever the options make of it: epoch number k is
    // then the same for a loader that has run k epochs and for one that was set to its state.
    Rng rng = rng_.split();
    Epoch epoch;
    epoch.seed = rng.next();
    epoch.order.resize(static_cast<std::size_t>(dataset_.size()));
    std::iota(epoch.order.begin(), epoch.order.end(), Index{0});
    if (options_.shuffle) rng.shuffle(epoch.order);
    return Iterator(*this, std::move(epoch));
}

Batch DataLoader::load(const Epoch& epoch, Index number) const {
    const Index first = number * options_.batch_size;
    const Index count = std::min(options_.batch_size, dataset_.size() - first);
    const Shape shape = dataset_.shape();

    Batch batch{empty(Shape{count}.concat(shape)),
                IntTensor(std::vector<Index>(static_cast<std::size_t>(count)))};
    Real* const images = batch.images.mutable_data();
    const Index grain = std::max<Index>(1, 32768 / std::max<Index>(1, shape.numel()));
    parallel_for(count, grain, [&](Index begin, Index end) {
        for (Index k = begin; k < end; ++k) {
            const Index position = first + k;
            const Index i = epoch.order[static_cast<std::size_t>(position)];
            const std::span<Real> image(images + k * shape.numel(),
                                        static_cast<std::size_t>(shape.numel()));
            dataset_.load(i, image);
            Rng rng(epoch.seed + static_cast<std::uint64_t>(position));
            for (const Transform& transform : options_.transforms) transform(image, shape, rng);
            batch.labels.values[static_cast<std::size_t>(k)] = dataset_.label(i);
        }
    });
    return batch;
}

DataLoader::Iterator::Iterator(const DataLoader& loader, Epoch epoch)
    : loader_(&loader), epoch_(std::move(epoch)), batch_(loader.load(epoch_, 0)) {}

DataLoader::Iterator& DataLoader::Iterator::operator++() {
    batch_ = {};  // first, so that the next batch can have this one's memory
    if (++number_ < loader_->batches()) batch_ = loader_->load(epoch_, number_);
    return *this;
}

}  // namespace primer

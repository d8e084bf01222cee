#include <primer/datasets/loader.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "support.h"
#include "system.h"

namespace primer {
namespace {

// Example i is the picture (i, -i) with the label i % 3.
class Numbers : public Dataset {
  public:
    explicit Numbers(Index size) : size_(size) {}
    Index size() const override { return size_; }
    Shape shape() const override { return {1, 1, 2}; }
    Index classes() const override { return 3; }
    Index label(Index i) const override { return i % 3; }
    void load(Index i, std::span<Real> out) const override {
        out[0] = static_cast<Real>(i);
        out[1] = static_cast<Real>(-i);
    }

  private:
    Index size_;
};

// Counts how many examples have been asked for, and refuses one of them.
class Watched : public Numbers {
  public:
    explicit Watched(Index size, Index refused = -1) : Numbers(size), refused_(refused) {}
    void load(Index i, std::span<Real> out) const override {
        if (i == refused_) throw std::out_of_range("example " + std::to_string(i));
        Numbers::load(i, out);
        ++loads_;
    }
    Index loads() const { return loads_; }
    // Waits until that many have been asked for. False if it takes longer than anything here
    // should.
    bool wait_for(Index loads) const {
        for (int i = 0; i < 120000 && loads_ < loads; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return loads_ >= loads;
    }

  private:
    Index refused_;
    mutable std::atomic<Index> loads_{0};
};

// The number of threads belongs to the process: the test restores it.
class WithThreads {
  public:
    explicit WithThreads(int count) : before_(num_threads()) { set_num_threads(count); }
    ~WithThreads() { set_num_threads(before_); }

  private:
    int before_;
};

// Adds a random number to each value.
void add_noise(std::span<Real> image, const Shape& /*shape*/, Rng& rng) {
    for (Real& x : image) x += rng.uniform();
}

// One epoch, all values one after another.
std::vector<Real> epoch(DataLoader& loader) {
    std::vector<Real> values;
    for (const Batch& batch : loader) {
        const std::span<const Real> x = batch.inputs.values();
        values.insert(values.end(), x.begin(), x.end());
    }
    return values;
}

// The numbers of the examples in the order in which an epoch without transforms delivers them.
std::vector<Index> order(DataLoader& loader) {
    std::vector<Index> numbers;
    for (const Batch& batch : loader) {
        for (Index k = 0; k < batch.inputs.shape()[0]; ++k) {
            const auto number = static_cast<Index>(batch.inputs.at({k, 0, 0, 0}));
            CHECK(batch.inputs.at({k, 0, 0, 1}) == static_cast<Real>(-number));
            CHECK(batch.labels.values[static_cast<std::size_t>(k)] == number % 3);
            numbers.push_back(number);
        }
    }
    return numbers;
}

std::vector<Index> sorted(std::vector<Index> numbers) {
    std::ranges::sort(numbers);
    return numbers;
}

TEST_CASE("DataLoader: with a generator and no options") {
    const Numbers numbers(5);
    Rng a(4), b(4);
    const DataLoader loader(numbers, a);
    CHECK(loader.batches() == 1);
    CHECK(loader.rng_state() == DataLoader(numbers, {}, b).rng_state());
}

TEST_CASE("DataLoader: batches in the dataset's order, the last one smaller") {
    const Numbers numbers(5);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 2}, rng);
    CHECK(loader.batches() == 3);
    CHECK(loader.examples() == 5);

    std::vector<Batch> batches;
    for (const Batch& batch : loader) batches.push_back(batch);
    REQUIRE(batches.size() == 3);
    check_values(batches[0].inputs, {2, 1, 1, 2}, {0, 0, 1, -1});
    check_values(batches[1].inputs, {2, 1, 1, 2}, {2, -2, 3, -3});
    check_values(batches[2].inputs, {1, 1, 1, 2}, {4, -4});
    CHECK(batches[0].labels.values == std::vector<Index>{0, 1});
    CHECK(batches[1].labels.values == std::vector<Index>{2, 0});
    CHECK(batches[2].labels.values == std::vector<Index>{1});
    CHECK(batches[2].labels.shape == Shape{1});
}

TEST_CASE("DataLoader: drop_last leaves out a smaller last batch, and only that") {
    const Numbers five(5), six(6);
    Rng rng(1);
    DataLoader of_five(five, {.batch_size = 2, .drop_last = true}, rng);
    CHECK(of_five.batches() == 2);
    CHECK(of_five.examples() == 4);
    CHECK(order(of_five) == std::vector<Index>{0, 1, 2, 3});

    DataLoader of_six(six, {.batch_size = 2, .drop_last = true}, rng);
    CHECK(of_six.batches() == 3);
    CHECK(of_six.examples() == 6);
    CHECK(order(of_six) == std::vector<Index>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("DataLoader: a batch size above the number of examples") {
    const Numbers numbers(3);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = std::numeric_limits<Index>::max()}, rng);
    CHECK(loader.batches() == 1);
    CHECK(order(loader) == std::vector<Index>{0, 1, 2});
}

TEST_CASE("DataLoader: shuffling takes every example once, each epoch in a new order") {
    const Numbers numbers(100);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 7, .shuffle = true}, rng);
    const std::vector<Index> first = order(loader), second = order(loader);
    std::vector<Index> all(100);
    for (Index i = 0; i < 100; ++i) all[static_cast<std::size_t>(i)] = i;
    CHECK(sorted(first) == all);
    CHECK(sorted(second) == all);
    CHECK(first != all);
    CHECK(second != all);
    CHECK(first != second);
}

TEST_CASE("DataLoader: the order follows from the generator") {
    const Numbers numbers(100);
    Rng rng(1), same(1), other(2);
    DataLoader loader(numbers, {.shuffle = true}, rng);
    DataLoader loader_same(numbers, {.shuffle = true}, same);
    DataLoader loader_other(numbers, {.shuffle = true}, other);
    const std::vector<Index> first = order(loader);
    CHECK(order(loader_same) == first);
    CHECK(order(loader_other) != first);

    // A second loader from the same generator has numbers of its own.
    DataLoader next(numbers, {.shuffle = true}, rng);
    CHECK(order(next) != first);
}

TEST_CASE("DataLoader: transforms run in their order, on a picture of the dataset's shape") {
    const Numbers numbers(2);
    Rng rng(1);
    const Transform add_one = [](std::span<Real> image, const Shape& shape, Rng&) {
        check(shape == Shape{1, 1, 2} && image.size() == 2, "the wrong shape");
        for (Real& x : image) x += 1;
    };
    const Transform times_ten = [](std::span<Real> image, const Shape&, Rng&) {
        for (Real& x : image) x *= 10;
    };
    DataLoader loader(numbers, {.transforms = {add_one, times_ten}}, rng);
    check_values((*loader.begin()).inputs, {2, 1, 1, 2}, {10, 10, 20, 0});
}

TEST_CASE("DataLoader: the same bits for any number of threads, batch size and with prefetch") {
    // Enough pictures that a batch of 30000 is cut into chunks.
    const Numbers numbers(30000);
    const auto two_epochs = [&](int threads, Index batch_size, bool prefetch) {
        const WithThreads with(threads);
        Rng rng(3);
        DataLoader loader(numbers,
                          {.batch_size = batch_size,
                           .shuffle = true,
                           .transforms = {add_noise, RandomHorizontalFlip()},
                           .prefetch = prefetch},
                          rng);
        std::vector<Real> values = epoch(loader);
        const std::vector<Real> second = epoch(loader);
        CHECK(second != values);
        values.insert(values.end(), second.begin(), second.end());
        return values;
    };
    const std::vector<Real> expected = two_epochs(1, 30000, false);
    for (bool prefetch : {false, true}) {
        CHECK(two_epochs(4, 30000, prefetch) == expected);
        CHECK(two_epochs(4, 29000, prefetch) == expected);
        CHECK(two_epochs(2, 999, prefetch) == expected);
        CHECK(two_epochs(1, 4000, prefetch) == expected);
    }
}

TEST_CASE("DataLoader: every picture in every epoch has its own random numbers") {
    const Numbers numbers(100);
    const Transform only_noise = [](std::span<Real> image, const Shape&, Rng& rng) {
        for (Real& x : image) x = rng.uniform();
    };
    Rng rng(3);
    DataLoader loader(numbers, {.batch_size = 8, .transforms = {only_noise}}, rng);
    std::set<Real> noise;
    for (int i = 0; i < 2; ++i) {
        const std::vector<Real> values = epoch(loader);
        noise.insert(values.begin(), values.end());
    }
    CHECK(noise.size() == 2 * 100 * 2);
}

TEST_CASE("DataLoader: continues from a saved state") {
    const Numbers numbers(50);
    const DataLoaderOptions options{.batch_size = 8, .shuffle = true, .transforms = {add_noise}};
    Rng rng(4), other(5);
    DataLoader loader(numbers, options, rng);
    epoch(loader);
    const Rng::State state = loader.rng_state();
    const std::vector<Real> second = epoch(loader), third = epoch(loader);

    DataLoader resumed(numbers, options, other);
    resumed.set_rng_state(state);
    CHECK(epoch(resumed) == second);
    CHECK(epoch(resumed) == third);
}

TEST_CASE("DataLoader: an epoch is taken up again after any batch, for any number of threads") {
    const Numbers numbers(50);  // 7 batches, the last of 2
    const DataLoaderOptions options{.batch_size = 8, .shuffle = true, .transforms = {add_noise}};
    const auto take_up = [&](Index delivered, int threads, bool prefetch) {
        const WithThreads with(1);
        Rng rng(4), other(5);
        DataLoader loader(numbers, options, rng);
        epoch(loader);
        std::vector<Real> rest;
        Index number = 0;
        for (const Batch& batch : loader) {
            if (number++ < delivered) continue;
            const std::span<const Real> x = batch.inputs.values();
            rest.insert(rest.end(), x.begin(), x.end());
        }
        const Rng::State state = loader.epoch_state();
        const std::vector<Real> next = epoch(loader);

        const WithThreads with_these(threads);
        DataLoaderOptions same = options;
        same.prefetch = prefetch;
        DataLoader resumed(numbers, same, other);
        resumed.set_rng_state(state);
        resumed.skip(delivered);
        CHECK(epoch(resumed) == rest);
        CHECK(resumed.epoch_state() == state);
        CHECK(epoch(resumed) == next);  // whole: the skip is over
    };
    for (Index delivered = 0; delivered <= 7; ++delivered) {
        CAPTURE(delivered);
        take_up(delivered, 1, true);
        take_up(delivered, 3, true);
        take_up(delivered, 3, false);
    }
}

TEST_CASE("DataLoader: skipped batches are not loaded") {
    for (int threads : {1, 2}) {
        const WithThreads with(threads);
        const Watched numbers(10, 2);  // number 2 cannot even be loaded
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 4}, rng);
        loader.skip(1);
        CHECK(epoch(loader).size() == 12);
        CHECK(numbers.loads() == 6);
        loader.skip(3);
        CHECK(epoch(loader).empty());
        CHECK(numbers.loads() == 6);
    }
}

TEST_CASE("DataLoader: at most a whole epoch can be skipped") {
    const Numbers numbers(10);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 4}, rng);
    check_error([&] { loader.skip(4); },
                {"DataLoader::skip: expected 0 to 3 batches, as many as an epoch has, got 4"});
    check_error([&] { loader.skip(-1); }, {"got -1"});
    CHECK(epoch(loader).size() == 20);
}

TEST_CASE("DataLoader: an epoch that is broken off changes none that follow") {
    const Numbers numbers(50);
    const DataLoaderOptions options{.batch_size = 8, .shuffle = true, .transforms = {add_noise}};
    Rng rng(4), same(4);
    DataLoader whole(numbers, options, rng), broken(numbers, options, same);
    epoch(whole);
    for ([[maybe_unused]] const Batch& batch : broken) break;
    CHECK(epoch(whole) == epoch(broken));
}

TEST_CASE("DataLoader: loops over one loader may be nested") {
    const Numbers numbers(6);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 2, .shuffle = true}, rng);
    std::vector<Index> outer, inner;
    for (const Batch& batch : loader) {
        for (const Batch& other : loader) {
            inner.push_back(static_cast<Index>(other.inputs.at({0, 0, 0, 0})));
            inner.push_back(static_cast<Index>(other.inputs.at({1, 0, 0, 0})));
        }
        outer.push_back(static_cast<Index>(batch.inputs.at({0, 0, 0, 0})));
        outer.push_back(static_cast<Index>(batch.inputs.at({1, 0, 0, 0})));
    }
    CHECK(sorted(outer) == std::vector<Index>{0, 1, 2, 3, 4, 5});
    REQUIRE(inner.size() == 18);
    CHECK(sorted({inner.begin() + 6, inner.begin() + 12}) == sorted(outer));
}

TEST_CASE("DataLoader: a thread prepares the next batch, and only that, while one is used") {
    const WithThreads with(2);
    const Watched numbers(10);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 4}, rng);
    std::vector<Index> ahead;
    for (const Batch& batch : loader) {
        ahead.push_back(batch.labels.shape[0]);
        const Index delivered = 4 * static_cast<Index>(ahead.size());
        const Index expected = std::min<Index>(10, delivered + 4);
        CHECK(numbers.wait_for(expected));
        CHECK(numbers.loads() == expected);
    }
    CHECK(ahead == std::vector<Index>{4, 4, 2});
    CHECK(numbers.loads() == 10);
}

TEST_CASE("DataLoader: no batch is prepared ahead with one thread, or without prefetch") {
    for (const auto& [threads, prefetch] : {std::pair(1, true), std::pair(2, false)}) {
        const WithThreads with(threads);
        const Watched numbers(10);
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 4, .prefetch = prefetch}, rng);
        Index delivered = 0;
        for (const Batch& batch : loader) {
            delivered += batch.labels.shape[0];
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            CHECK(numbers.loads() == delivered);
        }
    }
}

// Pictures so large that a few of them justify a thread: every value of example i is i.
class Large : public Watched {
  public:
    using Watched::Watched;
    Shape shape() const override { return {1, 128, 128}; }
    void load(Index i, std::span<Real> out) const override {
        Watched::load(i, out);
        std::ranges::fill(out, static_cast<Real>(i));
    }
};

TEST_CASE("DataLoader: what the thread has begun is finished by all") {
    const WithThreads with(3);
    const Large pictures(50);
    const Transform slow = [](std::span<Real>, const Shape&, Rng&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    Rng rng(1);
    DataLoader loader(pictures, {.batch_size = 10, .transforms = {slow}}, rng);
    Index next = 0;
    for (const Batch& batch : loader) {
        for (Index k = 0; k < 10; ++k) {
            CHECK(batch.inputs.at({k, 0, 0, 0}) == static_cast<Real>(next));
            CHECK(batch.inputs.at({k, 0, 127, 127}) == static_cast<Real>(next));
            CHECK(batch.labels.values[static_cast<std::size_t>(k)] == next % 3);
            ++next;
        }
        if (next < 50) CHECK(pictures.wait_for(next + 3));
    }
    CHECK(next == 50);
    CHECK(pictures.loads() == 50);  // none of them twice
}

TEST_CASE("DataLoader: the thread does not touch a batch that has been delivered") {
    const WithThreads with(2);
    const Numbers numbers(1000);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 10}, rng);
    std::vector<Batch> batches;
    for (const Batch& batch : loader) batches.push_back(batch);
    REQUIRE(batches.size() == 100);
    for (Index b = 0; b < 100; ++b) {
        const Batch& batch = batches[static_cast<std::size_t>(b)];
        for (Index k = 0; k < 10; ++k) {
            CHECK(batch.inputs.at({k, 0, 0, 0}) == static_cast<Real>(10 * b + k));
            CHECK(batch.labels.values[static_cast<std::size_t>(k)] == (10 * b + k) % 3);
        }
    }
}

TEST_CASE("DataLoader: the thread ends with the loop, wherever that is left") {
    const WithThreads with(2);
    const Transform slow = [](std::span<Real>, const Shape&, Rng&) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    };
    for (Index leave_after = 1; leave_after <= 5; ++leave_after) {
        const Watched numbers(40);
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 8, .transforms = {slow}}, rng);
        Index delivered = 0;
        for ([[maybe_unused]] const Batch& batch : loader) {
            if (++delivered == leave_after) break;
        }
        const Index loads = numbers.loads();
        CHECK(loads >= 8 * leave_after);
        CHECK(loads <= 8 * (leave_after + 1));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(numbers.loads() == loads);
    }
    // Left before the first batch.
    const Numbers numbers(40);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 8}, rng);
    { const DataLoader::Iterator unused = loader.begin(); }
}

TEST_CASE("DataLoader: nested loops, each with a thread of its own") {
    const Numbers numbers(30);
    const auto nested = [&](int threads) {
        const WithThreads with(threads);
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 4, .shuffle = true, .transforms = {add_noise}},
                          rng);
        std::vector<Real> values;
        for (const Batch& batch : loader) {
            const std::vector<Real> inner = epoch(loader);
            values.insert(values.end(), inner.begin(), inner.end());
            values.insert(values.end(), batch.inputs.values().begin(), batch.inputs.values().end());
        }
        return values;
    };
    CHECK(nested(2) == nested(1));
}

TEST_CASE("DataLoader: an iterator may be moved while its thread is at work") {
    const WithThreads with(2);
    const Numbers numbers(100);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 5}, rng);
    DataLoader::Iterator it = loader.begin();
    for (Index number = 0; number < 20; ++number) {
        CHECK(it != loader.end());
        CHECK(it->inputs.at({4, 0, 0, 0}) == static_cast<Real>(5 * number + 4));
        DataLoader::Iterator other = std::move(it);
        ++other;
        if (number % 3 == 0) it = loader.begin();  // another thread, which the next line ends
        it = std::move(other);
    }
    CHECK(it == loader.end());
}

TEST_CASE("DataLoader: batches are made in the memory of those before, for any thread") {
    for (const auto& [threads, prefetch] :
         {std::pair(1, true), std::pair(2, false), std::pair(2, true)}) {
        const WithThreads with(threads);
        const Numbers numbers(640);
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 64, .shuffle = true, .prefetch = prefetch}, rng);
        release_cached_storage();
        const Index before = storage_stats().system_allocations;
        std::set<Index> allocations;
        for (int i = 0; i < 2; ++i) {
            for ([[maybe_unused]] const Batch& batch : loader) {
                allocations.insert(storage_stats().system_allocations - before);
            }
        }
        // As many as batches alive at a time, and no new ones after the first batch.
        CHECK(allocations == std::set<Index>{threads == 2 && prefetch ? 2 : 1});
    }
}

TEST_CASE(
    "DataLoader: a training loop in steady state requests no memory, with or without a thread") {
    for (int threads : {1, 2}) {
        const WithThreads with(threads);
        const Numbers numbers(6400);
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 640, .transforms = {ToTensor()}}, rng);
        const Tensor weight = randn({5, 2}, rng).requires_grad_();
        release_cached_storage();
        std::vector<Index> allocations;
        for (int i = 0; i < 5; ++i) {
            for (const Batch& batch : loader) {
                Tape tape;
                const Tensor y = linear(reshape(batch.inputs, {-1, 2}), weight, {});
                tape.backward(cross_entropy(y, batch.labels));
                weight.set_grad({});
                allocations.push_back(storage_stats().system_allocations);
            }
        }
        // The second step needs a little more than the first, which begins without gradients.
        CHECK(allocations[1] == allocations.back());
    }
}

TEST_CASE("DataLoader: targets in place of labels, in the same order, for any number of threads") {
    const Tensor x = tensor({0, 1, 2, 3, 4}, {5, 1}), y = x * 10 + 1;
    const TensorDataset data(x, reshape(y, {5}));
    for (const int threads : {1, 2}) {
        const WithThreads with(threads);
        Rng rng(5);
        DataLoader loader(data, {.batch_size = 2, .shuffle = true}, rng);
        std::vector<Index> seen;
        for (const Batch& batch : loader) {
            const Index size = batch.inputs.shape()[0];
            CHECK(batch.targets.shape() == Shape{size});
            CHECK(batch.labels.values.empty());
            for (Index k = 0; k < size; ++k) {
                CHECK(batch.targets.at({k}) == batch.inputs.at({k, 0}) * 10 + 1);
                seen.push_back(static_cast<Index>(batch.inputs.at({k, 0})));
            }
        }
        CHECK(sorted(seen) == std::vector<Index>{0, 1, 2, 3, 4});
    }
}

TEST_CASE("DataLoader: a dataset that has neither labels nor targets") {
    class Neither : public Dataset {
        Index size() const override { return 2; }
        Shape shape() const override { return {1}; }
        void load(Index, std::span<Real>) const override {}
    };
    const Neither data;
    Rng rng(1);
    check_error([&] { DataLoader(data, {}, rng); }, {"override target_shape() and load_target()"});
}

TEST_CASE("DataLoader: options that cannot be") {
    const Numbers none(0), three(3);
    Rng rng(1);
    check_error([&] { DataLoader(three, {.batch_size = 0}, rng); },
                {"DataLoader", "expected a batch_size of 1 or more, got 0"});
    check_error([&] { DataLoader(three, {.batch_size = -4}, rng); }, {"got -4"});
    check_error([&] { DataLoader(none, {}, rng); }, {"DataLoader", "the dataset is empty"});
    check_error([&] { DataLoader(three, {.batch_size = 4, .drop_last = true}, rng); },
                {"DataLoader", "drop_last", "expected at least 4 examples", "got 3"});
    check_error([&] { DataLoader(three, {.transforms = {Transform()}}, rng); },
                {"DataLoader", "one of the transforms is an empty function"});
}

TEST_CASE("DataLoader: a transform's error reaches the loop") {
    const Numbers numbers(3);
    Rng rng(1);
    DataLoader loader(numbers, {.transforms = {Normalize({0, 0, 0}, {1, 1, 1})}}, rng);
    check_error([&] { epoch(loader); }, {"Normalize", "got [1, 1, 2]"});
}

TEST_CASE("DataLoader: an error reaches the loop on its own thread, at the batch concerned") {
    for (const auto& [threads, prefetch] :
         {std::pair(1, true), std::pair(2, false), std::pair(2, true), std::pair(4, true)}) {
        const WithThreads with(threads);
        const Watched numbers(8, 5);  // in the third of four batches
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 2, .prefetch = prefetch}, rng);
        std::vector<Real> seen;
        const auto loop = [&](Index most) {
            seen.clear();
            for (const Batch& batch : loader) {
                seen.insert(seen.end(), batch.inputs.values().begin(), batch.inputs.values().end());
                if (static_cast<Index>(seen.size()) == 4 * most) break;
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        };
        CHECK_THROWS_WITH_AS(loop(4), "example 5", std::out_of_range);
        CHECK(seen == std::vector<Real>{0, 0, 1, -1, 2, -2, 3, -3});
        // A loop that ends before that never sees the error, though it may have happened.
        CHECK_NOTHROW(loop(2));

        // A loop that goes on after it gets the next batch.
        DataLoader::Iterator it = loader.begin();
        ++it;
        CHECK_THROWS_AS(++it, std::out_of_range);
        CHECK(it != loader.end());
        ++it;
        CHECK(it->inputs.at({0, 0, 0, 0}) == 6);
        ++it;
        CHECK(it == loader.end());
    }
}

TEST_CASE("DataLoader: an error in the first batch, on any thread") {
    for (int threads : {1, 2}) {
        const WithThreads with(threads);
        const Watched numbers(8, 1);
        Rng rng(1);
        DataLoader loader(numbers, {.batch_size = 2}, rng);
        CHECK_THROWS_AS(loader.begin(), std::out_of_range);
        CHECK_THROWS_AS(epoch(loader), std::out_of_range);
    }
}

TEST_CASE("DataLoader: of the errors of many threads, one reaches the loop") {
    const WithThreads with(4);
    const Large pictures(40);
    std::atomic<int> thrown{0};
    const Transform refuse = [&](std::span<Real>, const Shape&, Rng&) {
        ++thrown;
        throw std::out_of_range("all of them");
    };
    Rng rng(1);
    DataLoader loader(pictures, {.batch_size = 20, .transforms = {refuse}}, rng);
    CHECK_THROWS_WITH_AS(epoch(loader), "all of them", std::out_of_range);
    CHECK(thrown > 1);
}

TEST_CASE("DataLoader: threads, several loaders at once") {
    const WithThreads with(3);
    const Numbers numbers(3000);
    const DataLoaderOptions options{.batch_size = 700, .shuffle = true, .transforms = {add_noise}};
    Rng rng(1), same(1);
    DataLoader loader(numbers, options, rng), expected(numbers, options, same);
    const std::vector<Real> first = epoch(expected);
    std::vector<Real> a, b;
    std::thread other([&] {
        Rng third(1);
        DataLoader own(numbers, options, third);
        a = epoch(own);
    });
    b = epoch(loader);
    other.join();
    CHECK(a == first);
    CHECK(b == first);
}

TEST_CASE("DataLoader: an epoch goes on when its loader is gone or moved") {
    const Numbers numbers(20);
    for (const int threads : {1, 2}) {
        const WithThreads with(threads);
        Rng rng(1);
        auto loader = std::make_unique<DataLoader>(
            numbers, DataLoaderOptions{.batch_size = 4, .transforms = {add_noise}}, rng);
        const Rng::State state = loader->rng_state();
        const std::vector<Real> expected = epoch(*loader);
        loader->set_rng_state(state);
        DataLoader::Iterator it = loader->begin();
        std::vector<Real> values;
        for (Index number = 0; it != std::default_sentinel; ++it, ++number) {
            values.insert(values.end(), it->inputs.values().begin(), it->inputs.values().end());
            if (number == 1) loader = std::make_unique<DataLoader>(std::move(*loader));
            if (number == 2) loader.reset();
        }
        CHECK(values == expected);
    }
}

TEST_CASE("DataLoader: a moved-from loader or iterator, or one at its end, says so") {
    const WithThreads with(2);
    const Numbers numbers(8);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 4}, rng);
    DataLoader::Iterator it = loader.begin(), other = std::move(it);
    CHECK(it == loader.end());  // NOLINT(bugprone-use-after-move)
    check_error([&] { ++it; }, {"DataLoader: this iterator is at the end of its epoch, or moved"});
    check_error([&] { *it; }, {"moved from"});
    ++other;
    ++other;
    CHECK(other == loader.end());
    check_error([&] { ++other; }, {"DataLoader: this iterator is at the end of its epoch"});
    check_error([&] { static_cast<void>(other->inputs); }, {"at the end of its epoch"});

    DataLoader moved = std::move(loader);
    CHECK(order(moved).size() == 8);
    // NOLINTBEGIN(bugprone-use-after-move)
    check_error([&] { loader.begin(); }, {"DataLoader: this loader has been moved from"});
    check_error([&] { static_cast<void>(loader.batches()); }, {"has been moved from"});
    check_error([&] { static_cast<void>(loader.examples()); }, {"has been moved from"});
    // NOLINTEND(bugprone-use-after-move)
}

namespace {

// A dataset whose size and shape can change.
class Changing : public Numbers {
  public:
    Changing() : Numbers(8) {}
    Index size() const override { return size_now; }
    Shape shape() const override { return shape_now; }
    Index size_now = 8;
    Shape shape_now{1, 1, 2};
};

}  // namespace

TEST_CASE("DataLoader: a dataset that is gone, or not what it was") {
    Rng rng(1);
    auto numbers = std::make_unique<Numbers>(8);
    DataLoader loader(*numbers, {.batch_size = 4, .prefetch = false}, rng);
    DataLoader::Iterator it = loader.begin();
    numbers.reset();
    check_error([&] { ++it; }, {"DataLoader: its dataset is gone"});
    check_error([&] { loader.begin(); }, {"DataLoader: its dataset is gone"});

    Changing changing;
    DataLoader other(changing, {.batch_size = 4}, rng);
    changing.shape_now = {1, 1, 200};
    check_error(
        [&] { other.begin(); },
        {"its dataset had 8 examples of shape [1, 1, 2] and now has 8 of shape [1, 1, 200]"});
    changing.shape_now = {1, 1, 2};
    changing.size_now = 3;
    check_error([&] { other.begin(); }, {"and now has 3 of shape [1, 1, 2]"});
    changing.size_now = 8;
    CHECK(order(other).size() == 8);
}

TEST_CASE("DataLoader: an epoch that was begun before fork" * doctest::skip(!kForksWithThreads)) {
    const WithThreads with(2);
    const Numbers numbers(100);
    Rng rng(1);
    DataLoader loader(numbers, {.batch_size = 5}, rng);
    auto it = std::make_unique<DataLoader::Iterator>(loader.begin());
    CHECK(holds_in_child([&] {
        bool refused = false;
        try {
            ++*it;
        } catch (const Error&) {
            refused = true;
        }
        it.reset();
        return refused && order(loader).size() == 100;
    }));
    ++*it;
    CHECK((*it)->inputs.at({0, 0, 0, 0}) == 5);
}

TEST_CASE("DataLoader: a temporary dataset is refused when the program is compiled") {
    using Options = DataLoaderOptions;
    static_assert(std::is_constructible_v<DataLoader, Numbers&, Options, Rng&>);
    static_assert(std::is_constructible_v<DataLoader, const Numbers&, Options, Rng&>);
    static_assert(!std::is_constructible_v<DataLoader, Numbers, Options, Rng&>);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

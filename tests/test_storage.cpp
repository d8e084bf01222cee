#include <primer/core/kernels/storage.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PRIMER_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PRIMER_SANITIZED
#endif
#endif

// The sanitizers end a program that asks for more memory than can exist, unless they are told to
// let the request fail as usual.
#ifdef PRIMER_SANITIZED
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace primer {
namespace {

// The real size of a block of `count` Reals.
Index in_use(Index count) {
    const Index before = storage_stats().bytes_in_use;
    const Storage storage(count);
    return storage_stats().bytes_in_use - before;
}

Index reals(Index bytes) { return bytes / Index{sizeof(Real)}; }

}  // namespace

TEST_CASE("storage: aligned to 64 bytes, whatever the size") {
    for (Index count : {0, 1, 3, 16, 17, 100, 1000, 12345, 1 << 20}) {
        CAPTURE(count);
        Storage storage(count);
        CHECK(storage.size() == count);
        CHECK(reinterpret_cast<std::uintptr_t>(storage.data()) % 64 == 0);
        for (Index i = 0; i < count; ++i) storage.data()[i] = Real(i);  // all of it is usable
    }
}

TEST_CASE("storage: sizes are rounded up to an eighth of a power of two, at least 64 bytes") {
    CHECK(in_use(0) == 64);
    CHECK(in_use(1) == 64);
    CHECK(in_use(reals(64)) == 64);
    CHECK(in_use(reals(64) + 1) == 128);
    CHECK(in_use(reals(512)) == 512);
    CHECK(in_use(reals(512) + 1) == 576);
    CHECK(in_use(reals(1024)) == 1024);
    CHECK(in_use(reals(1024) + 1) == 1024 + 128);
    CHECK(in_use(reals(2048) - 1) == 2048);
    CHECK(in_use(reals(1 << 20) + 1) == (1 << 20) + (1 << 17));
    for (Index count = 200; count < 5000; count += 7) {
        const Index bytes = count * Index{sizeof(Real)};
        CAPTURE(bytes);
        CHECK(in_use(count) >= bytes);
        CHECK(in_use(count) <= bytes + std::max<Index>(64, bytes / 8));
    }
}

TEST_CASE("storage: a block is used again for the next request of its class") {
    release_cached_storage();
    const void* first = nullptr;
    {
        Storage storage(5000);
        first = storage.data();
    }
    const Index asked = storage_stats().system_allocations;
    {
        Storage storage(4990);  // the same class
        CHECK(storage.data() == first);
    }
    CHECK(storage_stats().system_allocations == asked);
    const Storage larger(50000);
    CHECK(storage_stats().system_allocations == asked + 1);
}

TEST_CASE("storage: two that live at once do not share a block") {
    Storage a(100), b(100);
    CHECK(a.data() != b.data());
}

TEST_CASE("storage: the statistics add up") {
    release_cached_storage();
    const StorageStats start = storage_stats();
    CHECK(start.bytes_cached == 0);
    auto a = std::make_unique<Storage>(reals(1024));
    auto b = std::make_unique<Storage>(reals(4096));
    CHECK(storage_stats().system_allocations == start.system_allocations + 2);
    CHECK(storage_stats().bytes_in_use == start.bytes_in_use + 1024 + 4096);
    CHECK(storage_stats().bytes_cached == 0);
    a.reset();
    CHECK(storage_stats().bytes_in_use == start.bytes_in_use + 4096);
    CHECK(storage_stats().bytes_cached == 1024);
    b.reset();
    CHECK(storage_stats().bytes_in_use == start.bytes_in_use);
    CHECK(storage_stats().bytes_cached == 1024 + 4096);
    release_cached_storage();
    CHECK(storage_stats().bytes_cached == 0);
    CHECK(storage_stats().bytes_in_use == start.bytes_in_use);
    // A released block must be requested again.
    a = std::make_unique<Storage>(reals(1024));
    CHECK(storage_stats().system_allocations == start.system_allocations + 3);
}

TEST_CASE("storage: releasing leaves living blocks alone") {
    const Tensor x = arange(1000);
    release_cached_storage();
    for (Index i = 0; i < 1000; ++i) CHECK(x.data()[i] == Real(i));
}

TEST_CASE("storage: more memory than the system has is an Error" *
          doctest::skip(sizeof(void*) < 8)) {
    constexpr Index absurd = (Index{1} << 60) / Index{sizeof(Real)};
    const StorageStats before = storage_stats();
    check_error([=] { zeros({absurd}); },
                {"out of memory: the system has no block of 1152921504606846976 bytes for a tensor",
                 "bytes are in use", "try a smaller batch"});
    CHECK(storage_stats().bytes_in_use == before.bytes_in_use);
    // The attempt released the cache, and everything still works.
    CHECK(storage_stats().bytes_cached == 0);
    check_values(zeros({2}), {2}, {0, 0});
}

TEST_CASE("storage: sizes that cannot be are an Error") {
    check_error([] { Storage(-1); }, {"Storage: expected a size of 0 or more, got -1"});
    for (const Index count : {Index{1} << 61, std::numeric_limits<Index>::max()}) {
        check_error([=] { Storage storage(count); }, {"out of memory: no system has a block of"});
    }
}

TEST_CASE("storage: with blocks of many sizes, the cache keeps a share of what was in use") {
    // Requests enough that what other tests had in use is no longer recent.
    for (int i = 0; i < 2 * 32768; ++i) Storage storage(1);
    release_cached_storage();
    const Index before = storage_stats().bytes_in_use;
    constexpr Index megabyte = 1 << 20, most = 50 * megabyte;
    for (Index bytes = megabyte; bytes <= most; bytes += megabyte) Storage storage(reals(bytes));
    // The largest was in use alone; a size class may be an eighth larger.
    CHECK(storage_stats().bytes_cached <= 2 * (before + most + most / 8));
    set_storage_cache(0);
    CHECK(storage_stats().bytes_cached == 0);
    { const Storage storage(reals(megabyte)); }
    CHECK(storage_stats().bytes_cached == 0);
    set_storage_cache(2);
    for (const double share : {-1.0, std::nan("")}) {
        check_error([=] { set_storage_cache(share); },
                    {"set_storage_cache: expected a share of 0"});
    }
}

TEST_CASE("storage: the blocks that have waited longest are given back first") {
    release_cached_storage();
    set_storage_cache(std::numeric_limits<double>::infinity());
    const Index sizes[] = {reals(1 << 20), reals(1 << 21), reals(1 << 22)};
    for (const Index size : sizes) Storage storage(size);
    CHECK(storage_stats().bytes_cached == 7 << 20);
    // More than is kept in any case: the limit is now 16 MB or less than the three and this one.
    { const Storage storage(reals(13 << 20)); }
    set_storage_cache(1e-9);
    CHECK(storage_stats().bytes_cached == 13 << 20);
    set_storage_cache(2);
}

TEST_CASE("storage: counts the writes and names the last writer") {
    const Tensor x = zeros({3});
    const Storage& storage = *x.impl().storage;
    const Index before = storage.version();
    x.mutable_data("somebody");
    CHECK(storage.version() == before + 1);
    CHECK(std::string(storage.writer()) == "somebody");
    x.fill_(1);
    CHECK(storage.version() == before + 2);
    CHECK(std::string(storage.writer()) == "fill_");
    x.data();
    CHECK(storage.version() == before + 2);
    slice(x, 0, 1).fill_(2);  // a view writes to the same block
    CHECK(storage.version() == before + 3);
}

TEST_CASE("storage: blocks come and go on several threads at once" * doctest::skip(kOneThread)) {
    const Index in_use_before = storage_stats().bytes_in_use;
    const auto work = [](Index seed) {
        Rng rng(static_cast<std::uint64_t>(seed));
        std::vector<std::unique_ptr<Storage>> held(8);
        for (int i = 0; i < 2000; ++i) {
            auto& slot = held[static_cast<std::size_t>(rng.below(8))];
            slot = std::make_unique<Storage>(rng.below(2000));
            if (slot->size() > 0) slot->data()[slot->size() - 1] = Real(i);
        }
    };
    std::vector<std::thread> threads;
    for (Index i = 0; i < 4; ++i) threads.emplace_back(work, i);
    for (int i = 0; i < 20; ++i) release_cached_storage();
    for (std::thread& thread : threads) thread.join();
    CHECK(storage_stats().bytes_in_use == in_use_before);
}

TEST_CASE("storage: after its second step, training requests no memory from the system") {
    Rng rng(1);
    const auto parameter = [&](const Shape& shape) {
        return mul(randn(shape, rng), 0.1).requires_grad_();
    };
    const std::vector<Tensor> parameters{parameter({32, 20}), parameter({32}), parameter({5, 32}),
                                         parameter({5})};
    const Tensor x = randn({16, 20}, rng);
    IntTensor labels;
    labels.shape = {16};
    for (Index i = 0; i < 16; ++i) labels.values.push_back(i % 5);

    release_cached_storage();
    Index after_second_step = 0;
    Real first_loss = 0, loss_value = 0;
    for (int step = 1; step <= 20; ++step) {
        Tape tape;
        const Tensor hidden = relu(linear(x, parameters[0], parameters[1]));
        const Tensor loss = cross_entropy(linear(hidden, parameters[2], parameters[3]), labels);
        tape.backward(loss);
        for (const Tensor& p : parameters) {
            Real* value = p.mutable_data("sgd");
            const Tensor grad = p.grad();
            for (Index i = 0; i < p.numel(); ++i) value[i] -= Real(0.5) * grad.data()[i];
            p.set_grad({});
        }
        loss_value = loss.item();
        if (step == 1) first_loss = loss_value;
        if (step == 2) after_second_step = storage_stats().system_allocations;
    }
    CHECK(storage_stats().system_allocations == after_second_step);
    CHECK(loss_value < first_loss);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/core/kernels/parallel.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <primer/core/kernels/gemm.h>
#include <primer/core/kernels/processors.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "support.h"
#include "system.h"

namespace primer {
namespace {

// Sets the number of threads for one test.
class Threads {
  public:
    explicit Threads(int count) : before_(num_threads()) { set_num_threads(count); }
    ~Threads() { set_num_threads(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

  private:
    int before_;
};

using Chunk = std::pair<Index, Index>;

std::vector<Chunk> chunks_of(Index n, Index grain) {
    std::vector<Chunk> chunks;
    std::mutex mutex;
    parallel_for(n, grain, [&](Index begin, Index end) {
        const std::lock_guard lock(mutex);
        chunks.emplace_back(begin, end);
    });
    std::ranges::sort(chunks);
    return chunks;
}

std::vector<Real> values_of(const Tensor& x) { return {x.values().begin(), x.values().end()}; }

}  // namespace

TEST_CASE("parallel: every element once, in chunks that depend only on n and grain") {
    for (int threads : {1, 2, 3, 8}) {
        const Threads set(threads);
        for (Index n : {0, 1, 2, 7, 64, 1000, 1001}) {
            for (Index grain : {1, 2, 3, 10, 999, 1000, 5000}) {
                CAPTURE(threads);
                CAPTURE(n);
                CAPTURE(grain);
                std::vector<Chunk> expected;
                for (Index i = 0; i < n; i += grain) {
                    expected.emplace_back(i, std::min(i + grain, n));
                }
                CHECK(chunks_of(n, grain) == expected);
            }
        }
    }
}

TEST_CASE("parallel: ends of the range of Index") {
    for (int threads : {1, 3}) {
        const Threads set(threads);
        CHECK(chunks_of(-1, 1).empty());
        CHECK(chunks_of(std::numeric_limits<Index>::min(), 1).empty());
        constexpr Index most = std::numeric_limits<Index>::max();
        CHECK(chunks_of(most, most) == std::vector<Chunk>{{0, most}});
        CHECK(chunks_of(most, most - 1) == std::vector<Chunk>{{0, most - 1}, {most - 1, most}});
        check_error([] { parallel_for(5, 0, [](Index, Index) {}); },
                    {"parallel_for: expected a grain of 1 or more, got 0"});
        check_error([] { parallel_for(5, -2, [](Index, Index) {}); }, {"got -2"});
    }
}

TEST_CASE("parallel: several threads take part, and the caller waits for all of them") {
    const Threads set(4);
    const std::thread::id caller = std::this_thread::get_id();
    std::set<std::thread::id> seen;
    std::mutex mutex;
    std::atomic<int> arrived{0}, done{0};
    parallel_for(4, 1, [&](Index, Index) {
        // Each of the four chunks waits for the other three: one thread alone could not.
        ++arrived;
        while (arrived < 4) std::this_thread::yield();
        // The others take so long that the caller falls asleep.
        if (std::this_thread::get_id() != caller) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
        ++done;
    });
    CHECK(done == 4);
    CHECK(seen.size() == 4);
    CHECK(seen.count(caller) == 1);
}

TEST_CASE("parallel: two or three chunks are all done, whether or not they are shared out") {
    for (int threads : {2, 3, 8}) {
        const Threads set(threads);
        for (Index n : {2, 3}) {
            std::vector<int> hits(static_cast<std::size_t>(n));
            for (int job = 0; job < 300; ++job) {
                // Now and then long enough for the distance to be measured again, or for the others
                // to fall asleep.
                if (job % 60 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(11));
                parallel_for(n, 1,
                             [&](Index begin, Index) { ++hits[static_cast<std::size_t>(begin)]; });
            }
            CHECK(hits == std::vector<int>(static_cast<std::size_t>(n), 300));
        }
    }
}

TEST_CASE("parallel: many short jobs one after another") {
    for (int threads : {2, 3, 8}) {
        const Threads set(threads);
        std::vector<int> hits(50);
        for (int job = 0; job < 500; ++job) {
            parallel_for(50, 1,
                         [&](Index begin, Index) { ++hits[static_cast<std::size_t>(begin)]; });
        }
        CHECK(hits == std::vector<int>(50, 500));
    }
}

TEST_CASE("parallel: all threads come to a job, awake or asleep") {
    for (int threads : {2, 3, 8}) {
        const Threads set(threads);
        const Index chunks = std::max(4, threads);  // fewer are not always shared out
        for (int job = 0; job < 100; ++job) {
            // Long enough for all of them to fall asleep; in between, one job after another.
            if (job % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            std::atomic<int> arrived{0};
            parallel_for(chunks, 1, [&](Index, Index) {
                ++arrived;
                while (arrived < threads) std::this_thread::yield();
            });
            CHECK(arrived == chunks);
        }
    }
}

TEST_CASE("parallel: a job is over when the call is, even for threads that come late") {
    for (int threads : {2, 8, 40}) {
        const Threads set(threads);
        Index sum = 0, expected = 0;
        for (Index job = 0; job < 1000; ++job) {
            // Each job's data are freed at once; a thread that still used them would corrupt the
            // next job's, or be caught by a sanitizer.
            if (job % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            std::vector<Index> squares(static_cast<std::size_t>(2 + job % 5));
            parallel_for(static_cast<Index>(squares.size()), 1, [&squares, job](Index i, Index) {
                squares[static_cast<std::size_t>(i)] = job * job;
            });
            for (Index square : squares) sum += square;
            expected += (2 + job % 5) * job * job;
        }
        CHECK(sum == expected);
    }
}

TEST_CASE("parallel: a call from inside a body runs on the same thread") {
    const Threads set(3);
    std::atomic<int> count{0}, elsewhere{0};
    parallel_for(6, 1, [&](Index, Index) {
        const auto outer = std::this_thread::get_id();
        parallel_for(10, 1, [&](Index begin, Index end) {
            count += static_cast<int>(end - begin);
            if (std::this_thread::get_id() != outer) ++elsewhere;
        });
    });
    CHECK(count == 60);
    CHECK(elsewhere == 0);
}

TEST_CASE("parallel: a call from inside the body of a second caller runs on the same thread") {
    const Threads set(2);
    std::atomic<bool> first_in{false}, second_in{false}, first_out{false};
    std::atomic<int> elsewhere{0};
    std::thread second([&] {
        while (!first_in) std::this_thread::yield();
        parallel_for(2, 1, [&](Index, Index) {
            second_in = true;
            check_error([] { set_num_threads(3); },
                        {"set_num_threads: called from inside parallel_for"});
            // By now the pool is free again.
            while (!first_out) std::this_thread::yield();
            const auto outer = std::this_thread::get_id();
            parallel_for(50, 1, [&](Index, Index) {
                if (std::this_thread::get_id() != outer) ++elsewhere;
                std::this_thread::sleep_for(std::chrono::microseconds(100));
            });
        });
    });
    parallel_for(2, 1, [&](Index, Index) {
        first_in = true;
        while (!second_in) std::this_thread::yield();
    });
    first_out = true;
    second.join();
    CHECK(elsewhere == 0);
}

TEST_CASE("parallel: a single chunk leaves the threads to the calls inside it") {
    const Threads set(4);
    std::atomic<int> arrived{0};
    parallel_for(1, 1, [&](Index, Index) {
        // Each of the four waits for the others: one thread alone could not.
        parallel_for(4, 1, [&](Index, Index) {
            ++arrived;
            while (arrived < 4) std::this_thread::yield();
        });
        set_num_threads(3);
    });
    CHECK(arrived == 4);
    CHECK(num_threads() == 3);
    // But in a chunk of several, it is still one of several.
    const auto inside = [] {
        parallel_for(2, 1, [](Index, Index) {
            parallel_for(1, 1, [](Index, Index) { set_num_threads(4); });
        });
    };
    check_error(inside, {"set_num_threads: called from inside parallel_for"});
    CHECK(num_threads() == 3);
}

TEST_CASE("parallel: an exception reaches the caller, and the pool goes on working") {
    for (int threads : {1, 2, 8}) {
        CAPTURE(threads);
        const Threads set(threads);
        for (Index bad : {0, 57, 99}) {
            std::atomic<int> after{0};
            const auto run = [&] {
                parallel_for(100, 1, [&](Index begin, Index) {
                    if (begin == bad) throw std::out_of_range("chunk");
                    ++after;
                });
            };
            CHECK_THROWS_WITH_AS(run(), "chunk", std::out_of_range);
            CHECK(after < 100);
            CHECK(chunks_of(100, 10).size() == 10);
        }
        // Every chunk throws: one exception arrives, the others are dropped.
        CHECK_THROWS_AS(parallel_for(100, 1, [](Index, Index) { fail("from every chunk"); }),
                        Error);
        // From a nested call, through both.
        const auto nested = [] {
            parallel_for(4, 1, [](Index, Index) {
                parallel_for(4, 1, [](Index, Index) { fail("from inside"); });
            });
        };
        CHECK_THROWS_WITH_AS(nested(), "from inside", Error);
        CHECK(chunks_of(100, 10).size() == 10);
    }
}

TEST_CASE("parallel: what follows an exception is dropped") {
    for (int threads : {1, 2}) {
        const Threads set(threads);
        constexpr Index n = 1'000'000;
        std::atomic<Index> count{0};
        CHECK_THROWS_AS(parallel_for(n, 1,
                                     [&](Index, Index) {
                                         ++count;
                                         fail("at once");
                                     }),
                        Error);
        CHECK(count <= threads);
    }
}

TEST_CASE("parallel: set_num_threads") {
    const Threads set(3);
    CHECK(num_threads() == 3);
    set_num_threads(1);
    CHECK(num_threads() == 1);
    set_num_threads(2);
    set_num_threads(2);
    CHECK(num_threads() == 2);
    check_error([] { set_num_threads(0); }, {"set_num_threads: expected 1 to 1024, got 0"});
    check_error([] { set_num_threads(-1); }, {"got -1"});
    check_error([] { set_num_threads(1025); }, {"got 1025"});
    CHECK(num_threads() == 2);
    // With one thread or two, a call inside a body is an error, and one after it is not.
    for (int threads : {2, 1}) {
        set_num_threads(threads);
        const auto inside = [] { parallel_for(4, 1, [](Index, Index) { set_num_threads(4); }); };
        check_error(inside, {"set_num_threads: called from inside parallel_for"});
        CHECK(num_threads() == threads);
    }
    // Threads that are at every stage of waiting can be sent home.
    for (int i = 0; i < 100; ++i) {
        set_num_threads(1 + i % 9);
        CHECK(chunks_of(10, 3).size() == 4);
        if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

// The variable is read once per process: scripts/threads_env_test.sh runs this case repeatedly,
// with the expected outcome in PRIMER_TEST_THREADS.
TEST_CASE("parallel: PRIMER_NUM_THREADS") {
    const char* const expected = std::getenv("PRIMER_TEST_THREADS");
    if (expected != nullptr && std::string(expected) == "error") {
        check_error([] { num_threads(); },
                    {"PRIMER_NUM_THREADS: expected a whole number from 1 to 1024, got '",
                     std::getenv("PRIMER_NUM_THREADS")});
        check_error([] { set_num_threads(2); }, {"PRIMER_NUM_THREADS: "});
        check_error([] { parallel_for(100, 1, [](Index, Index) {}); }, {"PRIMER_NUM_THREADS: "});
        return;
    }
    CHECK(num_threads() >= 1);
    if (expected != nullptr && std::string(expected) == "available") {
        CHECK(num_threads() == available_processors());
    } else if (expected != nullptr) {
        CHECK(std::to_string(num_threads()) == expected);
    }
    CHECK(chunks_of(5000, 10).size() == 500);
}

TEST_CASE("parallel: a child process made by fork" * doctest::skip(!kForksWithThreads)) {
    const Threads set(4);
    Rng rng(1);
    const Tensor a = rand({300, 300}, rng);
    const std::vector<Real> expected = values_of(matmul(a, a));  // the pool exists now
    const auto same = [&] { return values_of(matmul(a, a)) == expected; };
    CHECK(holds_in_child(same));
    CHECK(holds_in_child([&] {
        set_num_threads(2);
        return num_threads() == 2 && same();
    }));
    CHECK(holds_in_child([&] { return holds_in_child(same) && same(); }));
    CHECK(same());  // the parent's own pool goes on
}

TEST_CASE("parallel: fork while other threads have jobs running" *
          doctest::skip(!kForksWithThreads)) {
    const Threads set(3);
    // It allocates nothing: AddressSanitizer's allocator does not survive a fork while another
    // thread is in it.
    std::atomic<bool> stop{false};
    std::atomic<Index> sum{0};
    std::thread worker([&] {
        while (!stop) parallel_for(100, 1, [&](Index begin, Index) { sum += begin; });
    });
    for (int i = 0; i < 20; ++i)
        CHECK(holds_in_child([] { return chunks_of(100, 1).size() == 100; }));
    stop = true;
    worker.join();
}

TEST_CASE("parallel: two threads may call at once") {
    const Threads set(3);
    const auto work = [](std::vector<int>& hits) {
        for (int job = 0; job < 300; ++job) {
            parallel_for(64, 2, [&](Index begin, Index end) {
                for (Index i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
            });
        }
    };
    std::vector<int> a(64), b(64), c(64);
    std::thread first([&] { work(a); }), second([&] { work(b); });
    work(c);
    first.join();
    second.join();
    CHECK(a == std::vector<int>(64, 300));
    CHECK(b == std::vector<int>(64, 300));
    CHECK(c == std::vector<int>(64, 300));
}

TEST_CASE("parallel: the number of threads may change while another thread calls") {
    const Threads set(2);
    std::atomic<bool> stop{false};
    std::atomic<Index> wrong{0};
    std::thread caller([&] {
        while (!stop) {
            std::atomic<Index> sum{0};
            parallel_for(100, 3, [&](Index begin, Index end) { sum += end - begin; });
            if (sum != 100) ++wrong;
        }
    });
    for (int i = 0; i < 50; ++i) set_num_threads(1 + i % 4);
    stop = true;
    caller.join();
    CHECK(wrong == 0);
}

TEST_CASE("parallel: results are the same bits for any number of threads") {
    Rng rng(1);
    const Tensor a = randn({150, 90}, rng), b = randn({90, 170}, rng), row = randn({170}, rng);
    const Tensor big = randn({90000}, rng), tall = randn({5000, 40}, rng);
    IntTensor labels;
    labels.shape = {5000};
    for (Index i = 0; i < 5000; ++i) labels.values.push_back(i % 40);

    const auto everything = [&] {
        const Tensor x = a.clone().requires_grad_(), z = tall.clone().requires_grad_();
        Tape tape;
        const Tensor product = matmul(x, b);
        const Tensor y = relu(add(product, row));
        const Tensor loss = add(add(mean(mul(y, y)), cross_entropy(z, labels)),
                                mean(mul(softmax(z, 0), log_softmax(z, -1))));
        tape.backward(loss);
        std::vector<std::vector<Real>> results;
        for (const Tensor& t :
             {product, y, loss, x.grad(), z.grad(), sum(big), sum(tall, 0), sum(tall, 1),
              max(tall, 0), exp(big), transpose(tall, 0, 1), mul(tall, slice(big, 0, 40))}) {
            results.push_back(values_of(t));
        }
        return results;
    };

    std::vector<std::vector<Real>> expected;
    {
        const Threads one(1);
        expected = everything();
    }
    for (int threads : {2, 3, 8}) {
        CAPTURE(threads);
        const Threads set(threads);
        CHECK(everything() == expected);
    }
}

TEST_CASE("parallel: gemm, every transposition, the same bits for any number of threads") {
    using kernels::Trans;
    Rng rng(2);
    constexpr Index m = 131, n = 260, k = 129;
    const Tensor a = randn({m * k}, rng), b = randn({k * n}, rng), start = randn({m, n}, rng);
    for (Trans trans_a : {Trans::no, Trans::yes}) {
        for (Trans trans_b : {Trans::no, Trans::yes}) {
            for (bool accumulate : {false, true}) {
                const auto product = [&](int threads) {
                    const Threads set(threads);
                    const Tensor c = start.clone();
                    kernels::gemm(trans_a, trans_b, m, n, k, a.data(), b.data(), c.mutable_data(),
                                  {.accumulate = accumulate});
                    return values_of(c);
                };
                const std::vector<Real> expected = product(1);
                for (int threads : {2, 3, 8}) CHECK(product(threads) == expected);
            }
        }
    }
}

// Each layer has enough work to be shared out: the first convolution by Winograd's algorithm, then
// one with a kernel for each channel, and the others as products of matrices.
TEST_CASE("parallel: a network's training step, the same bits for any number of threads") {
    const auto step = [](int threads) {
        const Threads set(threads);
        Rng rng(3);
        Sequential trunk{Conv2d(32, 32, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                         BatchNorm2d(32, {.relu = true}),
                         Conv2d(32, 32, {.kernel_size = 3, .padding = 1, .groups = 32}, rng),
                         Dropout(rng),
                         MaxPool2d({.kernel_size = 3, .stride = 1, .padding = 1}),
                         AvgPool2d({.kernel_size = 3, .stride = 1, .padding = 1})};
        Sequential head{Conv2d(32, 48, {.kernel_size = 3, .stride = 2, .padding = 1}, rng),
                        Conv2d(48, 64, {.kernel_size = 1}, rng), Flatten(),
                        Linear(64 * 6 * 6, 1000, rng)};
        std::vector<Parameter> parameters = trunk.parameters();
        for (const Parameter& parameter : head.parameters()) parameters.push_back(parameter);
        SGD optimizer(parameters, {.lr = 0.01, .momentum = 0.9});
        IntTensor labels;
        labels.shape = {16};
        for (Index i = 0; i < 16; ++i) labels.values.push_back(61 * i);

        const Tensor x = randn({16, 32, 12, 12}, rng).requires_grad_();
        Tape tape;
        const Tensor middle = trunk(x);
        const Tensor loss =
            cross_entropy(head(middle), labels) + mean(max_pool2d(middle, {.kernel_size = 2}));
        tape.backward(loss);
        optimizer.step();
        std::vector<std::vector<Real>> results{values_of(loss), values_of(x.grad())};
        for (const Parameter& parameter : parameters) {
            results.push_back(values_of(parameter.grad()));
            results.push_back(values_of(parameter));
        }
        return results;
    };
    const auto expected = step(1);
    for (int threads : {2, 3, 8}) {
        CAPTURE(threads);
        CHECK(step(threads) == expected);
    }
}

TEST_CASE("parallel: tapes on two threads at once") {
    const Threads set(2);
    const auto train = [](std::uint64_t seed) {
        Rng rng(seed);
        const Tensor w = randn({30, 20}, rng).requires_grad_();
        for (int step = 0; step < 20; ++step) {
            Tape tape;
            const Tensor y = linear(randn({64, 20}, rng), w, {});
            tape.backward(mean(mul(y, y)));
        }
        return values_of(w.grad());
    };
    const std::vector<Real> one = train(1), two = train(2);
    std::vector<Real> a, b;
    std::thread first([&] { a = train(1); }), second([&] { b = train(2); });
    first.join();
    second.join();
    CHECK(a == one);
    CHECK(b == two);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

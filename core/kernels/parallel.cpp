// Only speed: the thread pool.

#include "parallel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "../error.h"
#include "processors.h"
#include "system.h"

// One caller at a time has the pool. Its job is on its stack, and the pool's helpers join in:
//
//     caller   puts out seats       works    takes the free seats back    waits for the seated
//     helper   ... takes a seat     works    reports that it is done ...
//
// A helper touches the job only while it has a seat. So the caller never waits for a helper that
// has not begun. If the helpers are slow to wake up, the caller does everything itself and leaves,
// and they find no seat. One training step is hundreds of jobs of a few microseconds each, and
// waking a thread takes longer than that. So a waiting thread spins for a short while before it
// sleeps.

namespace primer {
namespace {

/// How long to spin before sleeping: longer than most serial stretches between the jobs of a step,
/// but short enough not to disturb other threads that need the core, such as one that loads data.
constexpr std::chrono::microseconds kWatch{30};

/// A job of at most this many chunks is shared only between cores that are close to each other. On
/// distant cores, one thread finishes the job before another has fetched the data for its part, so
/// a step of a small network would take twice as long with two threads as with one.
constexpr Index kFewChunks = 3;

/// The longest round trip of a cache line between cores that count as close. Cores that share a
/// cache take about 100 ns, others 400 and more.
constexpr std::chrono::nanoseconds kNear{250};
/// How long a measurement is valid. Virtual processors move.
constexpr std::chrono::milliseconds kNearFor{10};

using Clock = std::chrono::steady_clock;

thread_local bool inside_parallel_for = false;

/// One call of parallel_for. Its chunks are handed out one at a time, to the next thread that asks.
///
/// The chunks are divided into one share per thread. A thread begins with its own share and then
/// helps with the unfinished ones. So from job to job the same thread mostly works on the same part
/// of a tensor, which its core still has in its cache. This matters as much as the work itself,
/// because moving a cache line between cores takes some hundred nanoseconds.
class Job {
  public:
    Job(Index n, Index grain, int threads, const std::function<void(Index, Index)>& body)
        : n_(n), grain_(grain), body_(body) {
        shares_ = static_cast<int>(std::min({chunks(), Index{threads}, Index{kMostShares}}));
        for (int s = 0; s < shares_; ++s) next_[static_cast<std::size_t>(s)].chunk = begin_of(s);
    }

    Index chunks() const { return (n_ - 1) / grain_ + 1; }

    /// Runs chunks until none is left, beginning with share number `first`.
    void work(int first) {
        const bool outside = !std::exchange(inside_parallel_for, true);
        for (int i = 0; i < shares_; ++i) work_on((first + i) % shares_);
        if (outside) inside_parallel_for = false;
    }

    void rethrow() {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    static constexpr int kMostShares = 16;  // further threads begin with a share in progress

    Index begin_of(int share) const { return chunks() * share / shares_; }

    void work_on(int share) {
        std::atomic<Index>& next = next_[static_cast<std::size_t>(share)].chunk;
        const Index end = begin_of(share + 1);
        for (Index chunk = next++; chunk < end && !failed_; chunk = next++) {
            try {
                const Index begin = chunk * grain_;
                body_(begin, begin + std::min(grain_, n_ - begin));
            } catch (...) {
                const std::lock_guard lock(mutex_);
                if (!error_) error_ = std::current_exception();
                failed_ = true;
            }
        }
    }

    struct alignas(64) Next {
        std::atomic<Index> chunk;  // the next one of a share
    };

    const Index n_;
    const Index grain_;
    const std::function<void(Index, Index)>& body_;
    int shares_;
    std::array<Next, kMostShares> next_;
    std::mutex mutex_;
    std::exception_ptr error_;
    std::atomic<bool> failed_{false};
};

/// Tells the processor that this loop only waits. That saves power, and a thread on the same core
/// runs faster.
void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Threads that wait for a job and then help with it.
///
/// All atomics are sequentially consistent. For most of them acquire and release would do, because
/// a thread that takes a seat sees the job, and the caller sees what was done in the seats. But
/// notifying is cheap only because it first checks whether any thread sleeps, and this check must
/// not overtake the change that it announces.
class Pool {
  public:
    explicit Pool(int helpers)
        // With more threads than cores, a spinning thread would take a core from a working one.
        : watch_(helpers < available_processors()) {
        threads_.reserve(static_cast<std::size_t>(helpers));
        try {
            for (int i = 1; i <= helpers; ++i) threads_.emplace_back([this, i] { serve(i); });
        } catch (const std::system_error&) {
            // The system grants no more threads, so the existing ones do all the work.
        }
    }

    /// Must not run during run().
    ~Pool() {
        invite(nullptr, static_cast<int>(threads_.size()));
        for (std::thread& thread : threads_) thread.join();
    }

    void run(Job& job) {
        const auto helpers = static_cast<Index>(threads_.size());
        const auto seats = static_cast<int>(std::min(helpers, job.chunks() - 1));
        invite(&job, seats);
        job.work(0);
        working_ += seats - seats_.exchange(0);
        for (int now = working_; now != 0; now = working_) wait_while(working_, now);
    }

  private:
    /// Puts out seats and wakes as many helpers. Without a job, the helpers end.
    void invite(Job* job, int seats) {
        job_ = job;
        seats_ = seats;
        ++invitations_;
        for (int i = 0; i < seats; ++i) invitations_.notify_one();
    }

    void serve(int number) {
        // Waits for the next invitation, not for seats: a helper that is too late for a seat then
        // spins for a while, and is in time for the next job.
        int seen = 0;
        while (true) {
            wait_while(invitations_, seen);
            seen = invitations_;
            while (take_seat()) {
                if (job_ == nullptr) return;
                job_->work(number);
                if (--working_ == 0) working_.notify_one();
            }
        }
    }

    bool take_seat() {
        int seats = seats_;
        while (seats > 0 && !seats_.compare_exchange_weak(seats, seats - 1)) {
        }
        return seats > 0;
    }

    /// Returns soon after `value` has changed from `old`.
    void wait_while(const std::atomic<int>& value, int old) const {
        for (const auto start = Clock::now(); watch_ && Clock::now() - start < kWatch;) {
            for (int i = 0; i < 16; ++i) {  // reading the clock is slower than checking the value
                if (value != old) return;
                relax();
            }
        }
        value.wait(old);
    }

    // The values that the helpers watch and the one that the caller watches have cache lines of
    // their own, because every read takes the line away from the writer.
    alignas(64) std::atomic<int> invitations_{0};  // so far; may wrap, nobody misses 2^32 of them
    std::atomic<int> seats_{0};                    // that are free
    Job* job_ = nullptr;                           // changes only while no seat is free or taken
    const bool watch_;
    alignas(64) std::atomic<int> working_{0};  // helpers that the caller still waits for; below
                                               // zero, those that finished before it began to
    std::vector<std::thread> threads_;         // last: they use everything above
};

/// Measures the distance between the caller's core and a helper's: they pass a ball to and fro.
class Distance {
  public:
    /// Whether they are close. Measures again if the last measurement is old.
    bool near(Pool& pool) {
        const auto now = Clock::now();
        if (now < good_until_) return near_;
        good_until_ = now + kNearFor;
        state_ = kWaiting;
        ball_ = 0;
        shortest_ = Clock::duration::max();
        const std::thread::id caller = std::this_thread::get_id();
        const std::function<void(Index, Index)> play = [&](Index, Index) {
            std::this_thread::get_id() == caller ? serve() : receive();
        };
        Job job(2, 1, 2, play);
        pool.run(job);
        near_ = shortest_ < kNear;
        return near_;
    }

  private:
    enum State { kWaiting, kPlaying, kOver };
    static constexpr int kRounds = 8;  // at least one of them undisturbed

    // Does not wait for a sleeping helper, which counts as far away.
    void serve() {
        const auto patience = Clock::now() + kWatch;
        while (state_ == kWaiting && Clock::now() < patience) relax();
        int waiting = kWaiting;
        if (state_.compare_exchange_strong(waiting, kOver) || waiting == kOver) return;
        for (int i = 0; i < kRounds; ++i) {
            const auto start = Clock::now();
            ball_ = 2 * i + 1;
            while (ball_ != 2 * i + 2) relax();
            shortest_ = std::min(shortest_, Clock::now() - start);
        }
        state_ = kOver;
    }

    void receive() {
        int waiting = kWaiting;
        if (!state_.compare_exchange_strong(waiting, kPlaying)) return;
        for (int i = 0; i < kRounds; ++i) {
            while (ball_ != 2 * i + 1) relax();
            ball_ = 2 * i + 2;
        }
    }

    bool near_ = false;
    Clock::time_point good_until_{};
    Clock::duration shortest_{};
    alignas(64) std::atomic<int> state_{kOver};
    alignas(64) std::atomic<int> ball_{0};
};

int threads_from_environment() {
    const char* text = std::getenv("PRIMER_NUM_THREADS");
    if (text == nullptr || *text == '\0') {
        return std::min(available_processors(), kMaxThreads);
    }
    const std::string_view view(text);
    int count = 0;
    const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), count);
    check(error == std::errc() && end == view.data() + view.size() && count >= 1 &&
              count <= kMaxThreads,
          "PRIMER_NUM_THREADS: expected a whole number from 1 to ", kMaxThreads, ", got '", text,
          "'");
    return count;
}

std::mutex pool_mutex;  // held by the caller whose job the pool runs
// Created at the first use. Never destroyed, because the process may end in the middle of a job, by
// std::exit(), and destructors of static objects may use the pool after that.
Pool* pool = nullptr;
constinit Distance distance;  // to the pool's helpers; guarded by the same mutex

// fork() copies only the thread that called it. So it waits until no job is running; the child
// forgets the pool, which has no threads there, and makes its own when it needs one. (In a body of
// parallel_for, fork() cannot wait for that very job: such a child may only call exec or _exit, as
// after any fork from a program with threads.) Registered before main, because a fork may come
// while another thread creates the pool.
[[maybe_unused]] const int forks_handled = around_fork(
    [] {
        if (!inside_parallel_for) pool_mutex.lock();
    },
    [] {
        if (!inside_parallel_for) pool_mutex.unlock();
    },
    [] {
        if (inside_parallel_for) return;
        pool = nullptr;
        pool_mutex.unlock();
    });

std::atomic<int>& thread_count() {
    static std::atomic<int> count = threads_from_environment();
    return count;
}

}  // namespace

int num_threads() { return thread_count(); }

void set_num_threads(int count) {
    check(count >= 1 && count <= kMaxThreads, "set_num_threads: expected 1 to ", kMaxThreads,
          ", got ", count);
    check(!inside_parallel_for, "set_num_threads: called from inside parallel_for");
    const std::lock_guard lock(pool_mutex);
    if (count == num_threads()) return;
    delete std::exchange(pool, nullptr);
    thread_count() = count;
}

void detail::run_chunks(Index n, Index grain, const std::function<void(Index, Index)>& body) {
    check(grain >= 1, "parallel_for: expected a grain of 1 or more, got ", grain);
    Job job(n, grain, num_threads(), body);
    // A caller on another thread does not wait for a busy pool but works alone.
    std::unique_lock lock(pool_mutex, std::defer_lock);
    if (num_threads() > 1 && !inside_parallel_for && lock.try_lock()) {
        if (pool == nullptr) pool = new Pool(num_threads() - 1);
        const bool share = job.chunks() > kFewChunks || distance.near(*pool);
        share ? pool->run(job) : job.work(0);
    } else {
        job.work(0);
    }
    job.rethrow();
}

}  // namespace primer
// SPDX-License-Identifier: MIT

// Only speed: the threads.

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

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

// One caller at a time has the pool. Its job lies on its stack, and the pool's helpers join in:
//
//     caller   puts out seats       works    takes the free seats back    waits for who sat down
//     helper   ... takes a seat     works    tells that it has finished ...
//
// A helper touches the job only while it has a seat. So the caller waits for nobody who has not
// begun: if the helpers are slow to wake up, it does everything itself and goes, and they find no
// seat. A network's step is hundreds of jobs of some microseconds each, and to be woken up takes
// longer than that. Whoever waits, therefore, watches for a short while before it goes to sleep.

namespace primer {
namespace {

constexpr int kMaxThreads = 1024;

/// How long to watch before sleeping. Longer than most serial stretches between the jobs of a step,
/// and so short that who else needs the core, such as a thread that loads data, hardly feels it.
constexpr std::chrono::microseconds kWatch{30};

/// A job of so few chunks is shared out only between cores that are near one another. Otherwise one
/// thread has done it before another has fetched what it needs for its part: a step of a small
/// network would take twice as long with two threads as with one.
constexpr Index kFewChunks = 3;

/// What a cache line may take from one near core to another and back: those that share a cache need
/// about 100 ns, others 400 and more.
constexpr std::chrono::nanoseconds kNear{250};
/// How often that is measured. Where processors are virtual, they move.
constexpr std::chrono::milliseconds kNearFor{10};

using Clock = std::chrono::steady_clock;

thread_local bool inside_parallel_for = false;

/// One call of parallel_for: its chunks, handed out one at a time to whoever asks next.
///
/// They are cut into a share for each thread, which begins with its own and then helps with those
/// that are not done. So from one job to the next, the same thread mostly works on the same part of
/// a tensor, which its core's cache still has. That the others then have to fetch nothing matters
/// as much as the work itself: between cores a cache line takes some hundred nanoseconds.
class Job {
  public:
    Job(Index n, Index grain, int threads, const std::function<void(Index, Index)>& body)
        : n_(n), grain_(grain), body_(body) {
        shares_ = static_cast<int>(std::min({chunks(), Index{threads}, Index{kMostShares}}));
        for (int s = 0; s < shares_; ++s) next_[static_cast<std::size_t>(s)].chunk = begin_of(s);
    }

    Index chunks() const { return (n_ - 1) / grain_ + 1; }

    /// Runs chunks until none is left, those of share number `first` first.
    void work(int first) {
        const bool outside = !std::exchange(inside_parallel_for, true);
        for (int i = 0; i < shares_; ++i) work_on((first + i) % shares_);
        if (outside) inside_parallel_for = false;
    }

    void rethrow() {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    static constexpr int kMostShares = 16;  // more threads begin with one that has begun already

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
        std::atomic<Index> chunk;  // of a share, that nobody has taken yet
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

/// Tells the processor that this is a loop that waits: it then saves power, and a thread that
/// shares the core runs faster.
void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Threads that wait for a job and then help with it.
///
/// The atomics are sequentially consistent throughout. Of most of them no more is asked than what
/// acquire and release give: who takes a seat sees the job, and the caller sees what was done in
/// the seats. But to notify is free only because it first asks whether anybody sleeps, and that
/// question must not overtake the change that is notified.
class Pool {
  public:
    explicit Pool(int helpers)
        // With more threads than cores, who watches would keep a core from who works.
        : watch_(helpers < available_processors()) {
        threads_.reserve(static_cast<std::size_t>(helpers));
        try {
            for (int i = 1; i <= helpers; ++i) threads_.emplace_back([this, i] { serve(i); });
        } catch (const std::system_error&) {
            // The system has no more threads: those that there are do all the work.
        }
    }

    /// Not during run().
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
    /// Puts out seats and wakes up as many helpers. No job: they are to end.
    void invite(Job* job, int seats) {
        job_ = job;
        seats_ = seats;
        ++invitations_;
        for (int i = 0; i < seats; ++i) invitations_.notify_one();
    }

    void serve(int number) {
        // Not the seats are waited for, but the next invitation: who comes too late for the seats
        // then watches for a while, and is not too late for the next job as well.
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

    /// Returns soon after `value` has become another one than `old`.
    void wait_while(const std::atomic<int>& value, int old) const {
        for (const auto start = Clock::now(); watch_ && Clock::now() - start < kWatch;) {
            for (int i = 0; i < 16; ++i) {  // reading the clock takes longer than a look
                if (value != old) return;
                relax();
            }
        }
        value.wait(old);
    }

    // What helpers and what the caller watch are on cache lines of their own, for every look takes
    // the line away from who writes there.
    alignas(64) std::atomic<int> invitations_{0};  // so far; wraps round, as nobody misses 2^32
    std::atomic<int> seats_{0};                    // free ones
    Job* job_ = nullptr;                           // written only while no seat is free or taken
    const bool watch_;
    alignas(64) std::atomic<int> working_{0};  // helpers that the caller still waits for; below
                                               // zero, those that finished before it began to
    std::vector<std::thread> threads_;         // last: they use everything above
};

/// Finds out how far the caller's core is from a helper's: they throw a ball to and fro.
class Distance {
  public:
    /// Whether they are near. Measured anew if the last time is long ago.
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
    static constexpr int kRounds = 8;  // of which one will not be disturbed

    // A helper that sleeps is not waited for: it is as good as far away.
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

std::mutex pool_mutex;  // held by the one caller whose job the pool is doing
// Made when first needed. Not destroyed at the end of the process, which may come, by std::exit(),
// in the middle of a job, and after which destructors of other static objects may still want it.
Pool* pool = nullptr;
constinit Distance distance;  // of the pool's helpers; the mutex is also for this

// fork() copies a process, but of its threads only the one that called it. So it waits until no job
// is running, and the child forgets the pool, which has no threads there, and makes its own when it
// needs one. (In a body of parallel_for it can not wait for that very job: such a child may only
// call exec or _exit, as after any fork from the midst of things.) Registered before main, for a
// fork might come while another thread is about to make the pool.
#if defined(__unix__) || defined(__APPLE__)
[[maybe_unused]] const int forks_handled = pthread_atfork(
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
#endif

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
    // A second caller, on another thread, does not wait for the pool: it works alone.
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

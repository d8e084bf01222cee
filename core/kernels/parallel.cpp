#include "primer/core/kernels/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "primer/core/error.h"

namespace primer {
namespace {

constexpr int kMaxThreads = 1024;

thread_local bool inside_parallel_for = false;

/// One call of parallel_for: its chunks, handed out one at a time to whoever asks next.
class Job {
  public:
    Job(Index n, Index grain, const std::function<void(Index, Index)>& body)
        : n_(n), grain_(grain), body_(body) {}

    /// Runs chunks until none is left.
    void work() {
        inside_parallel_for = true;
        for (Index begin = take(); begin < n_; begin = take()) {
            try {
                body_(begin, begin + std::min(grain_, n_ - begin));
            } catch (...) {
                const std::lock_guard lock(mutex_);
                if (!error_) error_ = std::current_exception();
                next_ = n_;
            }
        }
        inside_parallel_for = false;
    }

    void rethrow() {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    Index take() {
        // Not past n: the counter must not run over while many threads find nothing left.
        Index begin = next_;
        while (begin < n_ &&
               !next_.compare_exchange_weak(begin, begin + std::min(grain_, n_ - begin))) {
        }
        return begin;
    }

    const Index n_;
    const Index grain_;
    const std::function<void(Index, Index)>& body_;
    std::atomic<Index> next_{0};
    std::mutex mutex_;
    std::exception_ptr error_;
};

/// Threads that sleep until there is a job and then help with it.
class Pool {
  public:
    explicit Pool(int helpers) {
        threads_.reserve(static_cast<std::size_t>(helpers));
        try {
            for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { serve(); });
        } catch (const std::system_error&) {
            // The system has no more threads: those that there are do all the work.
        }
    }

    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    void run(Job& job) {
        {
            const std::lock_guard lock(mutex_);
            job_ = &job;
            ++generation_;
            busy_ = threads_.size();
        }
        wake_.notify_all();
        job.work();
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return busy_ == 0; });
    }

  private:
    void serve() {
        Index seen = 0;
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
            if (stop_) return;
            seen = generation_;
            Job* job = job_;
            lock.unlock();
            job->work();
            lock.lock();
            if (--busy_ == 0) done_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_, done_;
    Job* job_ = nullptr;
    Index generation_ = 0;  // number of jobs so far: how a sleeper tells a new one from the last
    std::size_t busy_ = 0;  // helpers that have not yet finished with job_
    bool stop_ = false;
    std::vector<std::thread> threads_;  // last: they use everything above
};

int threads_from_environment() {
    const char* text = std::getenv("PRIMER_NUM_THREADS");
    if (text == nullptr || *text == '\0') {
        return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
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
std::unique_ptr<Pool> pool;

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
    pool.reset();
    thread_count() = count;
}

void detail::run_chunks(Index n, Index grain, const std::function<void(Index, Index)>& body) {
    check(grain >= 1, "parallel_for: expected a grain of 1 or more, got ", grain);
    // A second caller, on another thread, does not wait for the pool: it works alone.
    std::unique_lock lock(pool_mutex, std::defer_lock);
    if (inside_parallel_for || num_threads() == 1 || !lock.try_lock()) {
        for (Index begin = 0; begin < n; begin += std::min(grain, n - begin)) {
            body(begin, begin + std::min(grain, n - begin));
        }
        return;
    }
    if (!pool) pool = std::make_unique<Pool>(num_threads() - 1);
    Job job(n, grain, body);
    pool->run(job);
    job.rethrow();
}

}  // namespace primer

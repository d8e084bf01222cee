#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "../shape.h"

namespace primer {

/// The most threads that may be asked for.
inline constexpr int kMaxThreads = 1024;

/// How many threads parallel_for uses, the caller's included. The initial value is the environment
/// variable PRIMER_NUM_THREADS or, if it is not set, available_processors() (processors.h). If the
/// system grants fewer threads, these do the same work. Throws Error if the variable is not a whole
/// number from 1 to 1024. A child made by fork() starts threads of its own.
/// Always 1 in a build without PRIMER_SYSTEM.
int num_threads();

/// Throws Error unless 1 <= count <= 1024, and from inside a parallel_for of several chunks.
void set_num_threads(int count);

namespace detail {
void run_chunks(Index n, Index grain, const std::function<void(Index, Index)>& body);
}

/// Calls body(begin, end) for the chunks [0, grain), [grain, 2 grain), ... that cover [0, n), on
/// all threads, and returns when all are done. The chunks depend only on n and grain, never on the
/// number of threads. So a body whose chunks write to different places computes the same bits with
/// 1 thread and with 16. If a body throws, the remaining chunks are dropped and the exception
/// reaches the caller.
///
/// A nested call, from inside a body, runs on the calling thread. With a single chunk parallel_for
/// is just body(0, n), and calls from that body may use all threads.
///
/// Two or three chunks are shared only between cores that are close to each other; otherwise the
/// calling thread runs them all. Choose a grain of some ten thousand operations: starting and
/// ending a call with several chunks costs about a thousand operations, and ten times that if the
/// threads have been idle long enough to sleep.
template <class Body>
void parallel_for(Index n, Index grain, const Body& body) {
    if (n <= 0) return;
    if (n <= grain) return body(Index{0}, n);
    detail::run_chunks(n, grain, std::cref(body));
}

namespace kernels {

/// The grain for cheap loops: this many elements are worth handing to another thread.
inline constexpr Index kGrain = 16384;

/// Divides arrays of n elements each among the threads: calls loop(count, array + begin, ...) for
/// each chunk. An array may be nullptr and is passed on as nullptr.
template <class Loop, class... T>
void in_chunks(Index n, Index grain, const Loop& loop, T*... arrays) {
    parallel_for(n, grain, [&loop, arrays...](Index begin, Index end) {
        loop(end - begin, (arrays != nullptr ? arrays + begin : nullptr)...);
    });
}

/// Divides `count` rows of `size` elements among the threads: calls body(begin, end) for chunks of
/// whole rows, each of at most `grain` elements, but at least one row.
template <class Body>
void rows(Index count, Index size, Index grain, const Body& body) {
    parallel_for(count, std::max(Index{1}, grain / std::max(Index{1}, size)), body);
}

/// The sum of sum_of(begin, end) over chunks of `grain` elements. The chunks' sums are added in
/// order, so the result has the same bits for any number of threads.
template <class Sum>
double sum_of_chunks(Index n, Index grain, const Sum& sum_of) {
    std::vector<double> sums(static_cast<std::size_t>((n + grain - 1) / grain));
    parallel_for(n, grain, [&](Index begin, Index end) {
        sums[static_cast<std::size_t>(begin / grain)] = sum_of(begin, end);
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace kernels

}  // namespace primer
// SPDX-License-Identifier: MIT

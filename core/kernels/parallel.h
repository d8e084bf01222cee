#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "../shape.h"

namespace primer {

/// How many threads parallel_for uses, the caller's included. At the start this is the environment
/// variable PRIMER_NUM_THREADS or, without it, available_processors() (processors.h). If the system
/// refuses so many threads, the ones that it grants do the same work. Throws Error if that variable
/// holds anything but a whole number from 1 to 1024. A child that fork() has made starts threads of
/// its own.
int num_threads();

/// Throws Error unless 1 <= count <= 1024, and from inside a parallel_for of several chunks.
void set_num_threads(int count);

namespace detail {
void run_chunks(Index n, Index grain, const std::function<void(Index, Index)>& body);
}

/// Calls body(begin, end) for the chunks [0, grain), [grain, 2 grain), ... that cover [0, n), on
/// all threads, and returns when all are done. The chunks depend on n and grain alone, never on
/// the number of threads: a body whose chunks write to different places therefore computes the
/// same bits with 1 thread and with 16. If a body throws, the chunks not yet begun are dropped and
/// the exception reaches the caller.
///
/// A call from inside a body runs on the calling thread, unless there is only one chunk: then
/// parallel_for is body(0, n) and nothing more, and the body's own calls may use all threads.
///
/// Two or three chunks are shared only between cores that are near one another; else the calling
/// thread runs them all. Choose the grain such that a chunk is worth some ten thousand operations:
/// to begin and end a call with several chunks takes about as long as a thousand, and ten times
/// that if the threads have had nothing to do for so long that they sleep.
template <class Body>
void parallel_for(Index n, Index grain, const Body& body) {
    if (n <= 0) return;
    if (n <= grain) return body(Index{0}, n);
    detail::run_chunks(n, grain, std::cref(body));
}

namespace kernels {

/// A grain for cheap loops: elements that are worth handing to another thread.
inline constexpr Index kGrain = 16384;

/// Shares out the elements of arrays that all have n of them: calls loop(count, array + begin, ...)
/// for each chunk. An array may be nullptr, and stays so.
template <class Loop, class... T>
void elementwise(Index n, Index grain, const Loop& loop, T*... arrays) {
    parallel_for(n, grain, [&loop, arrays...](Index begin, Index end) {
        loop(end - begin, (arrays != nullptr ? arrays + begin : nullptr)...);
    });
}

/// Shares out `count` rows of `size` elements: calls body(begin, end) for chunks of whole rows with
/// about `grain` elements, at least one row.
template <class Body>
void rows(Index count, Index size, Index grain, const Body& body) {
    parallel_for(count, std::max(Index{1}, grain / std::max(Index{1}, size)), body);
}

/// The sum of sum_of(begin, end) over chunks of `grain` elements, added in their order: the same
/// bits for any number of threads.
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

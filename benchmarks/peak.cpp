#include "peak.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <primer/core/error.h>
#include <primer/core/kernels/isa.h>
#include <primer/core/kernels/processors.h>
#include "isa/fma.h"

namespace primer::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

FmaChains chains_for(kernels::Isa isa) {
    switch (isa) {
#ifdef __x86_64__
        case kernels::Isa::avx2:
            return avx2::fma_chains();
        case kernels::Isa::avx512:
            return avx512::fma_chains();
#endif
        default:
            return baseline::fma_chains();
    }
}

double peak_of_this_thread() {
    const FmaChains chains = chains_for(kernels::isa());
    constexpr std::int64_t rounds = 100'000;  // about a millisecond
    double best = 0;
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < 0.2) {
        const Clock::time_point begin = Clock::now();
        const float sum = chains.run(rounds, 0.5F, 1.0F);
        const double seconds = seconds_since(begin);
        // Each x goes to 2, the solution of x = x / 2 + 1.
        check(sum == static_cast<float>(chains.flops_per_round), "fma_peak: a wrong sum, ", sum);
        best = std::max(best, static_cast<double>(chains.flops_per_round * rounds) / seconds);
    }
    return best;
}

}  // namespace

double fma_peak(int threads) {
    std::vector<double> peaks(static_cast<std::size_t>(std::min(threads, available_processors())));
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < peaks.size(); ++i) {
        others.emplace_back([&peaks, i] { peaks[i] = peak_of_this_thread(); });
    }
    peaks[0] = peak_of_this_thread();
    for (std::thread& thread : others) thread.join();
    double sum = 0;
    for (double peak : peaks) sum += peak;
    return sum;
}

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

#include "primer/core/kernels/optimizer.h"

#include <numeric>
#include <vector>

#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kGrain = 16384;  // elements that are worth handing to another thread

}  // namespace

void sgd_update(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        // A copy that no write to w can reach, so that the compiler may keep it in registers.
        const SgdStep s = step;
        for (Index i = begin; i < end; ++i) {
            const Real g = (s.maximize ? -grad[i] : grad[i]) + s.weight_decay * w[i];
            Real d = g;
            if (velocity != nullptr) {
                const Real v = s.momentum * velocity[i] + s.gain * g;
                velocity[i] = v;
                d = s.nesterov ? g + s.momentum * v : v;
            }
            w[i] -= s.lr * d;
        }
    });
}

double sum_of_squares(Index n, const Real* x) {
    // Chunks of fixed length, then the chunks' sums: the same order for any number of threads.
    std::vector<double> sums(static_cast<std::size_t>((n + kGrain - 1) / kGrain));
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        double sum = 0;
        for (Index i = begin; i < end; ++i) {
            sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        }
        sums[static_cast<std::size_t>(begin / kGrain)] = sum;
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace primer::kernels

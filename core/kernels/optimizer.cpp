#include "primer/core/kernels/optimizer.h"

#include <algorithm>
#include <cmath>
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

void adam_update(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        const AdamStep s = step;
        for (Index i = begin; i < end; ++i) {
            const Real g = (s.maximize ? -grad[i] : grad[i]) + s.weight_decay * w[i];
            mean[i] = s.beta1 * mean[i] + s.one_minus_beta1 * g;
            Real v = s.beta2 * square[i] + s.one_minus_beta2 * g * g;
            square[i] = v;
            if (largest != nullptr) v = largest[i] = std::max(largest[i], v);
            w[i] = s.keep * w[i] - s.lr * mean[i] / (std::sqrt(v) / s.root_correction + s.eps);
        }
    });
}

void rmsprop_update(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                    Real* velocity, Real* w) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        const RmspropStep s = step;
        for (Index i = begin; i < end; ++i) {
            const Real g = (s.maximize ? -grad[i] : grad[i]) + s.weight_decay * w[i];
            Real v = s.alpha * square[i] + s.one_minus_alpha * g * g;
            square[i] = v;
            if (mean != nullptr) {
                const Real m = s.alpha * mean[i] + s.one_minus_alpha * g;
                mean[i] = m;
                v = std::max(v - m * m, Real(0));  // rounding may take it below 0
            }
            Real d = g / (std::sqrt(v) + s.eps);
            if (velocity != nullptr) d = velocity[i] = s.momentum * velocity[i] + d;
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

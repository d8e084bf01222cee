#include "primer/core/kernels/loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

Index row_grain(Index classes) { return std::max(Index{1}, 4096 / std::max(Index{1}, classes)); }

// -sum_c t_c log_softmax(x)_c = log S - sum_c t_c (x_c - max), where S = sum_c e^(x_c - max), since
// the targets add up to 1.
double row_loss(Index classes, const Real* x, Index label, double smoothing, Real* p) {
    const auto largest = static_cast<double>(*std::max_element(x, x + classes));
    double sum = 0, sum_x = 0;
    for (Index c = 0; c < classes; ++c) {
        const double shifted = static_cast<double>(x[c]) - largest;
        const double e = std::exp(shifted);
        p[c] = static_cast<Real>(e);
        sum += e;
        sum_x += shifted;
    }
    for (Index c = 0; c < classes; ++c) p[c] = static_cast<Real>(static_cast<double>(p[c]) / sum);
    const double mean_x = sum_x / static_cast<double>(classes);
    const double label_x = static_cast<double>(x[label]) - largest;
    return std::log(sum) - (1 - smoothing) * label_x - (smoothing == 0 ? 0 : smoothing * mean_x);
}

}  // namespace

double cross_entropy(Index rows, Index classes, const Real* x, const Index* labels,
                     double smoothing, Real* p) {
    std::vector<double> losses(static_cast<std::size_t>(rows));
    parallel_for(rows, row_grain(classes), [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            losses[static_cast<std::size_t>(r)] =
                row_loss(classes, x + r * classes, labels[r], smoothing, p + r * classes);
        }
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

void cross_entropy_backward(Index rows, Index classes, const Real* p, const Index* labels,
                            double smoothing, Real factor, Real* dx) {
    const auto share = static_cast<Real>(smoothing / static_cast<double>(classes));
    const auto label_share = static_cast<Real>(1 - smoothing);
    parallel_for(rows, row_grain(classes), [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const Real* row = p + r * classes;
            Real* out = dx + r * classes;
            for (Index c = 0; c < classes; ++c) out[c] = factor * (row[c] - share);
            out[labels[r]] -= factor * label_share;
        }
    });
}

}  // namespace primer::kernels

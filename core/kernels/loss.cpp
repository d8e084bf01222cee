// Only speed: core/ops/loss.cpp has the formulas. Here threads share the rows.

#include "loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kCostly = 4096;  // the grain of loops that take exp or log of each element

// -sum_c t_c log_softmax(x)_c = log S - sum_c t_c (x_c - max) with S = sum_c e^(x_c - max), because
// the targets add up to 1.
double row_loss(Index classes, const Real* x, Index label, double smoothing, double largest,
                double sum) {
    const double of_label = (1 - smoothing) * (static_cast<double>(x[label]) - largest);
    if (smoothing == 0) return std::log(sum) - of_label;
    double sum_x = 0;
    for (Index c = 0; c < classes; ++c) sum_x += static_cast<double>(x[c]) - largest;
    return std::log(sum) - of_label - smoothing * sum_x / static_cast<double>(classes);
}

}  // namespace

double cross_entropy(Index rows, Index classes, const Real* x, const Index* labels,
                     double smoothing, Real* p) {
    std::vector<double> losses(static_cast<std::size_t>(rows)), sums(losses.size());
    kernels::rows(rows, classes, kCostly, [&](Index begin, Index end) {
        const Real* from = x + begin * classes;
        Real* to = p + begin * classes;
        // `losses` holds the maxima first.
        table().softmax.exponentials(end - begin, classes, from, to, losses.data() + begin,
                                     sums.data() + begin);
        table().softmax.divide(end - begin, classes, sums.data() + begin, to);
        for (Index r = begin; r < end; ++r) {
            double& loss = losses[static_cast<std::size_t>(r)];
            loss = row_loss(classes, x + r * classes, labels[r], smoothing, loss,
                            sums[static_cast<std::size_t>(r)]);
        }
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

void cross_entropy_backward(Index rows, Index classes, const Real* p, const Index* labels,
                            double smoothing, Real factor, Real* dx) {
    const auto share = static_cast<Real>(smoothing / static_cast<double>(classes));
    const auto label_share = static_cast<Real>(1 - smoothing);
    kernels::rows(rows, classes, kCostly, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const Real* row = p + r * classes;
            Real* out = dx + r * classes;
            for (Index c = 0; c < classes; ++c) out[c] = factor * (row[c] - share);
            out[labels[r]] -= factor * label_share;
        }
    });
}

namespace {

// The sum of term(i) for i < n.
template <class Term>
double sum_of(Index n, Term term) {
    return sum_of_chunks(n, kCostly, [&](Index begin, Index end) {
        double sum = 0;
        for (Index i = begin; i < end; ++i) sum += term(i);
        return sum;
    });
}

// log(1 + e^x), where neither e^x overflows nor 1 + e^x rounds e^x away.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

double smooth_l1(Index n, double beta, const Real* x) {
    return sum_of(n, [=](Index i) {
        const double size = std::abs(static_cast<double>(x[i]));
        return size < beta ? size * size / (2 * beta) : size - beta / 2;
    });
}

void smooth_l1_backward(Index n, double beta, const Real* x, Real factor, Real* dx) {
    const auto b = static_cast<Real>(beta);
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const Real v = x[i];  // in the last case v is 0 or NaN
            const Real slope = std::abs(v) < b ? v / b : v > 0 ? Real(1) : v < 0 ? Real(-1) : v;
            dx[i] = factor * slope;
        }
    });
}

double binary_cross_entropy(Index n, const Real* x, const Real* t, const Real* w) {
    return sum_of(n, [=](Index i) {
        const auto logit = static_cast<double>(x[i]), target = static_cast<double>(t[i]);
        const double weight = w != nullptr ? static_cast<double>(w[i]) : 1;
        return (1 - target) * softplus(logit) + weight * target * softplus(-logit);
    });
}

void binary_cross_entropy_backward(Index n, const Real* x, const Real* t, const Real* w,
                                   Real factor, Real* dx, Real* dt) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        const auto f = static_cast<double>(factor);
        for (Index i = begin; i < end; ++i) {
            const auto logit = static_cast<double>(x[i]), target = static_cast<double>(t[i]);
            const double weight = w != nullptr ? static_cast<double>(w[i]) : 1;
            if (dx != nullptr) {
                dx[i] = static_cast<Real>(
                    f * ((1 - target) * sigmoid(logit) - weight * target * sigmoid(-logit)));
            }
            if (dt != nullptr) {
                dt[i] = static_cast<Real>(f * (weight * softplus(-logit) - softplus(logit)));
            }
        }
    });
}

}  // namespace primer::kernels

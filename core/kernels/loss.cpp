// Only speed: core/ops/cross_entropy.cpp and core/ops/loss.cpp have the formulas. Here threads
// share the rows.

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

// The same with weights, which do not add up to 1.
double weighted_row_loss(Index classes, const Real* x, const Real* weight, Index label,
                         double smoothing, double largest, double sum) {
    const auto term = [=, log_sum = std::log(sum)](Index c) {
        return static_cast<double>(weight[c]) * (static_cast<double>(x[c]) - largest - log_sum);
    };
    const double of_label = (1 - smoothing) * term(label);
    if (smoothing == 0) return -of_label;  // an infinite weight of another class does not matter
    double all = 0;
    for (Index c = 0; c < classes; ++c) all += term(c);
    return -of_label - smoothing * all / static_cast<double>(classes);
}

// What smoothing adds to the targets of the classes, times their weights.
std::vector<Real> shares(Index classes, const Real* weight, double smoothing) {
    std::vector<Real> shares(static_cast<std::size_t>(classes),
                             static_cast<Real>(smoothing / static_cast<double>(classes)));
    if (weight == nullptr || smoothing == 0) return shares;
    for (Real& share : shares) share *= *weight++;
    return shares;
}

}  // namespace

double cross_entropy(Index rows, Index classes, const Real* x, const Labels& labels,
                     double smoothing, Real* p, Real* losses) {
    std::vector<double> each(static_cast<std::size_t>(rows)), sums(each.size());
    kernels::rows(rows, classes, kCostly, [&](Index begin, Index end) {
        const Real* from = x + begin * classes;
        Real* to = p + begin * classes;
        // `each` holds the maxima first.
        table().softmax.exponentials(end - begin, classes, from, to, each.data() + begin,
                                     sums.data() + begin);
        table().softmax.divide(end - begin, classes, sums.data() + begin, to);
        for (Index r = begin; r < end; ++r, from += classes) {
            double& loss = each[static_cast<std::size_t>(r)];
            const double sum = sums[static_cast<std::size_t>(r)];
            loss = labels.ignored(r) ? 0
                   : labels.weight == nullptr
                       ? row_loss(classes, from, labels[r], smoothing, loss, sum)
                       : weighted_row_loss(classes, from, labels.weight, labels[r], smoothing, loss,
                                           sum);
        }
    });
    if (losses != nullptr) {
        std::ranges::transform(each, losses, [](double loss) { return static_cast<Real>(loss); });
    }
    return std::accumulate(each.begin(), each.end(), 0.0);
}

void cross_entropy_backward(Index rows, Index classes, const Real* p, const Labels& labels,
                            double smoothing, const Upstream& dy, Real* dx) {
    const std::vector<Real> share = shares(classes, labels.weight, smoothing);
    const Real all_shares = std::accumulate(share.begin(), share.end(), Real(0));
    const auto label_share = static_cast<Real>(1 - smoothing);
    kernels::rows(rows, classes, kCostly, [&, share = share.data()](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const Real* row = p + r * classes;
            Real* out = dx + r * classes;
            if (labels.ignored(r)) {
                std::fill_n(out, classes, Real(0));
                continue;
            }
            const Real factor = dy[r], of_label = label_share * labels.weight_of(r);
            const Real total = labels.weight != nullptr ? of_label + all_shares : Real(1);
            for (Index c = 0; c < classes; ++c) out[c] = factor * (total * row[c] - share[c]);
            out[labels[r]] -= factor * of_label;
        }
    });
}

namespace {

// The sum of term(i) for i < n; `terms`, unless it is null, gets each of them.
template <class Term>
double sum_of(Index n, Real* terms, Term term) {
    return sum_of_chunks(n, kCostly, [&](Index begin, Index end) {
        double sum = 0;
        for (Index i = begin; i < end; ++i) {
            const double value = term(i);
            sum += value;
            if (terms != nullptr) terms[i] = static_cast<Real>(value);
        }
        return sum;
    });
}

// dx[i] = dy[i] to_x(i) and dt[i] = dy[i] to_t(i), each unless it is null.
template <class ToX, class ToT>
void pass_on(Index n, const Upstream& dy, Real* dx, Real* dt, ToX to_x, ToT to_t) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const auto up = static_cast<double>(dy[i]);
            if (dx != nullptr) dx[i] = static_cast<Real>(up * to_x(i));
            if (dt != nullptr) dt[i] = static_cast<Real>(up * to_t(i));
        }
    });
}

double at(const Real* x, Index i) { return static_cast<double>(x[i]); }
double weight_at(const Real* w, Index i) { return w != nullptr ? at(w, i) : 1; }

// Where a row's log-probability of its label is.
Index place(const Axis& axis, Index row, Index label) {
    return (row / axis.inner * axis.n + label) * axis.inner + row % axis.inner;
}

}  // namespace

double nll_loss(const Axis& axis, const Real* x, const Labels& labels, Real* losses) {
    return sum_of(axis.outer * axis.inner, losses, [&](Index row) {
        if (labels.ignored(row)) return 0.0;
        const auto weight = static_cast<double>(labels.weight_of(row));
        return -weight * at(x, place(axis, row, labels[row]));
    });
}

void nll_loss_backward(const Axis& axis, const Labels& labels, const Upstream& dy, Real* dx) {
    for (Index row = 0; row < axis.outer * axis.inner; ++row) {
        if (labels.ignored(row)) continue;
        dx[place(axis, row, labels[row])] = -dy[row] * labels.weight_of(row);
    }
}

double bent(Index n, const Bent& h, const Real* x, Real* losses) {
    const double width = h.bend / h.slope;
    return sum_of(n, losses, [=](Index i) {
        const double size = std::abs(at(x, i));
        return size < h.bend ? size * size / (2 * width) : h.slope * (size - h.bend / 2);
    });
}

void bent_backward(Index n, const Bent& h, const Real* x, const Upstream& dy, Real* dx) {
    const auto bend = static_cast<Real>(h.bend), slope = static_cast<Real>(h.slope);
    const auto width = static_cast<Real>(h.bend / h.slope);
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const Real v = x[i];  // in the last case v is 0 or NaN
            const Real dh = std::abs(v) < bend ? v / width : v > 0 ? slope : v < 0 ? -slope : v;
            dx[i] = dy[i] * dh;
        }
    });
}

double binary_cross_entropy(Index n, const Real* x, const Real* t, const Real* w, Real* losses) {
    return sum_of(n, losses, [=](Index i) {
        const double target = at(t, i);
        const double log_x = std::max(std::log(at(x, i)), -100.0);
        const double log_rest = std::max(std::log1p(-at(x, i)), -100.0);
        return -weight_at(w, i) * (target * log_x + (1 - target) * log_rest);
    });
}

void binary_cross_entropy_backward(Index n, const Real* x, const Real* t, const Real* w,
                                   const Upstream& dy, Real* dx, Real* dt) {
    const auto to_x = [=](Index i) {
        const double p = at(x, i);
        return weight_at(w, i) * (p - at(t, i)) / std::max(p * (1 - p), 1e-12);
    };
    const auto to_t = [=](Index i) {
        return weight_at(w, i) * (std::log1p(-at(x, i)) - std::log(at(x, i)));
    };
    pass_on(n, dy, dx, dt, to_x, to_t);
}

namespace {

// log(1 + e^x), where neither e^x overflows nor 1 + e^x rounds e^x away.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

double binary_cross_entropy_with_logits(Index n, const Real* x, const Real* t, const Real* w,
                                        const Real* v, Real* losses) {
    return sum_of(n, losses, [=](Index i) {
        const double logit = at(x, i), target = at(t, i);
        return weight_at(w, i) *
               ((1 - target) * softplus(logit) + weight_at(v, i) * target * softplus(-logit));
    });
}

void binary_cross_entropy_with_logits_backward(Index n, const Real* x, const Real* t, const Real* w,
                                               const Real* v, const Upstream& dy, Real* dx,
                                               Real* dt) {
    const auto to_x = [=](Index i) {
        const double logit = at(x, i), target = at(t, i);
        return weight_at(w, i) *
               ((1 - target) * sigmoid(logit) - weight_at(v, i) * target * sigmoid(-logit));
    };
    const auto to_t = [=](Index i) {
        return weight_at(w, i) * (weight_at(v, i) * softplus(-at(x, i)) - softplus(at(x, i)));
    };
    pass_on(n, dy, dx, dt, to_x, to_t);
}

double kl_div(Index n, bool log_target, const Real* x, const Real* t, Real* losses) {
    return sum_of(n, losses, [=](Index i) {
        const double target = at(t, i);
        if (log_target) return std::exp(target) * (target - at(x, i));
        return (target == 0 ? 0 : target * std::log(target)) - target * at(x, i);
    });
}

void kl_div_backward(Index n, bool log_target, const Real* x, const Real* t, const Upstream& dy,
                     Real* dx, Real* dt) {
    const auto to_x = [=](Index i) { return log_target ? -std::exp(at(t, i)) : -at(t, i); };
    const auto to_t = [=](Index i) {
        const double target = at(t, i), distance = 1 - at(x, i);
        return log_target ? std::exp(target) * (target + distance) : std::log(target) + distance;
    };
    pass_on(n, dy, dx, dt, to_x, to_t);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

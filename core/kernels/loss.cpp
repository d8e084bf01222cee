// Only speed: core/ops/cross_entropy.cpp and core/ops/loss.cpp have the formulas. Here threads
// share the work.

#include "loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kCostly = 4096;  // the grain of loops that take exp or log of each element

double wide(Real x) { return static_cast<double>(x); }

// What reaches loss i.
Real at(const Upstream& dy, Index i) { return dy.factor * dy.dy[i * dy.step]; }

// -sum_c t_c log_softmax(x)_c = log S - sum_c t_c (x_c - max) with S = sum_c e^(x_c - max), because
// the targets add up to 1.
double row_loss(Index classes, const Real* x, Index label, double smoothing, double largest,
                double log_sum) {
    const double of_label = (1 - smoothing) * (wide(x[label]) - largest);
    if (smoothing == 0) return log_sum - of_label;
    double sum_x = 0;
    for (Index c = 0; c < classes; ++c) sum_x += wide(x[c]) - largest;
    return log_sum - of_label - smoothing * sum_x / static_cast<double>(classes);
}

// The same with weights, which do not add up to 1.
double weighted_row_loss(Index classes, const Real* x, const Real* weight, Index label,
                         double smoothing, double largest, double log_sum) {
    const auto term = [=](Index c) { return wide(weight[c]) * (wide(x[c]) - largest - log_sum); };
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
    // At most so many rows at a time, so that their maxima and sums fit on the stack.
    constexpr Index most = 512;
    const auto loss_of = [&](Index r, double largest, double log_sum) {
        const Real* row = x + r * classes;
        return labels.ignored(r) ? 0
               : labels.weight == nullptr
                   ? row_loss(classes, row, labels[r], smoothing, largest, log_sum)
                   : weighted_row_loss(classes, row, labels.weight, labels[r], smoothing, largest,
                                       log_sum);
    };
    const auto sum_of = [&](Index begin, Index end) {
        std::array<double, most> largest, sums;
        double total = 0;
        for (Index first = begin; first < end; first += most) {
            const Index count = std::min(most, end - first), at = first * classes;
            table().softmax.exponentials(count, classes, x + at, p + at, largest.data(),
                                         sums.data());
            table().softmax.divide(count, classes, sums.data(), p + at);
            table().loss.logarithms(count, sums.data());
            for (Index i = 0; i < count; ++i) {
                const auto k = static_cast<std::size_t>(i);
                const double loss = loss_of(first + i, largest[k], sums[k]);
                total += loss;
                if (losses != nullptr) losses[first + i] = static_cast<Real>(loss);
            }
        }
        return total;
    };
    return sum_of_chunks(rows, std::max(Index{1}, kCostly / classes), sum_of);
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
            const Real up = at(dy, r), of_label = label_share * labels.weight_of(r);
            const Real total = labels.weight != nullptr ? of_label + all_shares : Real(1);
            table().loss.cross_entropy_backward(classes, up, total, row, share, out);
            out[labels[r]] -= up * of_label;
        }
    });
}

namespace {

// Splits n elements among the threads. terms(begin, count, to) writes the losses of some of them:
// to `losses` or, where that is null, to a block that stays in a core's cache until it is added up.
template <class Terms>
double losses_of(Index n, Real* losses, const Terms& terms) {
    if (losses != nullptr) {
        parallel_for(n, kCostly,
                     [&](Index begin, Index end) { terms(begin, end - begin, losses + begin); });
        return 0;
    }
    return sum_of_chunks(n, kCostly, [&](Index begin, Index end) {
        std::array<Real, 1024> block;
        double sum = 0;
        for (Index i = begin; i < end; i += std::ssize(block)) {
            const Index count = std::min(Index{std::ssize(block)}, end - i);
            terms(i, count, block.data());
            sum += table().reduce.sum(count, block.data());
        }
        return sum;
    });
}

// x times w, which may be null: 1.
void weigh(Index n, const Real* w, Real* x) {
    if (w != nullptr) table().elementwise.mul(n, x, 1, w, 1, x);
}

Upstream from(const Upstream& dy, Index begin) {
    return {dy.dy + begin * dy.step, dy.step, dy.factor};
}
const Real* from(const Real* x, Index begin) { return x != nullptr ? x + begin : nullptr; }

// dt[i] = dy[i] slope(i)
template <class F>
void pass_on_to_targets(Index n, const Upstream& dy, Real* dt, const F& slope) {
    parallel_for(n, kCostly, [&, dt](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) dt[i] = static_cast<Real>(wide(at(dy, i)) * slope(i));
    });
}

double weight_at(const Real* w, Index i) { return w != nullptr ? wide(w[i]) : 1; }

// Calls f(row, where its log-probabilities begin); they are axis.inner apart. A division for each
// row would take longer than the rest.
template <class F>
void for_each_position(const Axis& axis, Index begin, Index end, const F& f) {
    if (begin == end) return;  // inner may be 0
    Index i = begin % axis.inner, at = begin / axis.inner * axis.n * axis.inner + i;
    for (Index row = begin; row < end; ++row, ++at) {
        f(row, at);
        if (++i == axis.inner) {
            i = 0;
            at += (axis.n - 1) * axis.inner;
        }
    }
}

}  // namespace

bool within(Index n, Real low, Real high, const Real* x) {
    return sum_of_chunks(n, kGrain, [=](Index begin, Index end) {
               return table().loss.within(end - begin, low, high, x + begin) ? 0 : 1;
           }) == 0;
}

double nll_loss(const Axis& axis, const Real* x, const Labels& labels, Real* losses) {
    return losses_of(axis.outer * axis.inner, losses, [=](Index begin, Index count, Real* to) {
        for_each_position(axis, begin, begin + count, [=](Index row, Index at) {
            const Index label = labels[row];
            to[row - begin] = label == labels.ignore_index ? Real(0) : -x[at + label * axis.inner];
        });
        if (labels.weight == nullptr) return;
        for (Index i = 0; i < count; ++i) {
            if (!labels.ignored(begin + i)) to[i] *= labels.weight_of(begin + i);
        }
    });
}

void nll_loss_backward(const Axis& axis, const Labels& labels, const Upstream& dy, Real* dx) {
    for_each_position(axis, 0, axis.outer * axis.inner, [&](Index row, Index begin) {
        if (labels.ignored(row)) return;
        dx[begin + labels[row] * axis.inner] = -at(dy, row) * labels.weight_of(row);
    });
}

double bent(Index n, const Bent& h, const Real* x, const Real* t, Real* losses) {
    return losses_of(n, losses, [=](Index i, Index count, Real* to) {
        table().loss.bent(count, h.bend, h.slope, x + i, from(t, i), to);
    });
}

void bent_backward(Index n, const Bent& h, const Real* x, const Real* t, const Upstream& dy,
                   Real* dx) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        table().loss.bent_backward(end - begin, h.bend, h.slope, x + begin, from(t, begin),
                                   from(dy, begin), dx + begin);
    });
}

double binary_cross_entropy(Index n, const Real* x, const Real* t, const Real* w, Real* losses) {
    return losses_of(n, losses, [=](Index i, Index count, Real* to) {
        table().loss.binary_cross_entropy(count, x + i, t + i, to);
        weigh(count, from(w, i), to);
    });
}

void binary_cross_entropy_backward(Index n, const Real* x, const Real* t, const Real* w,
                                   const Upstream& dy, Real* dx, Real* dt) {
    if (dx != nullptr) {
        parallel_for(n, kCostly, [=](Index begin, Index end) {
            table().loss.binary_cross_entropy_backward(end - begin, x + begin, t + begin,
                                                       from(dy, begin), dx + begin);
            weigh(end - begin, from(w, begin), dx + begin);
        });
    }
    if (dt == nullptr) return;
    pass_on_to_targets(n, dy, dt, [=](Index i) {
        const double p = wide(x[i]);
        return weight_at(w, i) * (std::log1p(-p) - std::log(p));
    });
}

double binary_cross_entropy_with_logits(Index n, const Real* x, const Real* t, const Real* w,
                                        const Real* v, Real* losses) {
    return losses_of(n, losses, [=](Index i, Index count, Real* to) {
        table().loss.logits(count, x + i, t + i, from(v, i), to);
        weigh(count, from(w, i), to);
    });
}

namespace {

// log(1 + e^x), where neither e^x overflows nor 1 + e^x rounds e^x away.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

void binary_cross_entropy_with_logits_backward(Index n, const Real* x, const Real* t, const Real* w,
                                               const Real* v, const Upstream& dy, Real* dx,
                                               Real* dt) {
    if (dx != nullptr) {
        parallel_for(n, kCostly, [=](Index begin, Index end) {
            table().loss.logits_backward(end - begin, x + begin, t + begin, from(v, begin),
                                         from(dy, begin), dx + begin);
            weigh(end - begin, from(w, begin), dx + begin);
        });
    }
    if (dt == nullptr) return;
    pass_on_to_targets(n, dy, dt, [=](Index i) {
        const double logit = wide(x[i]);
        return weight_at(w, i) * (weight_at(v, i) * softplus(-logit) - softplus(logit));
    });
}

double kl_div(Index n, bool log_target, const Real* x, const Real* t, Real* losses) {
    return losses_of(n, losses, [=](Index i, Index count, Real* to) {
        table().loss.kl_div(count, log_target, x + i, t + i, to);
    });
}

void kl_div_backward(Index n, bool log_target, const Real* x, const Real* t, const Upstream& dy,
                     Real* dx, Real* dt) {
    if (dx != nullptr) {
        parallel_for(n, kCostly, [=](Index begin, Index end) {
            table().loss.kl_div_backward(end - begin, log_target, t + begin, from(dy, begin),
                                         dx + begin);
        });
    }
    if (dt == nullptr) return;
    pass_on_to_targets(n, dy, dt, [=](Index i) {
        const double target = wide(t[i]), distance = 1 - wide(x[i]);
        return log_target ? std::exp(target) * (target + distance) : std::log(target) + distance;
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

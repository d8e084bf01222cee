#include "primer/core/kernels/batchnorm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

double or_else(double otherwise, const Real* values, Index c) {
    return values != nullptr ? static_cast<double>(values[c]) : otherwise;
}

}  // namespace

namespace reference {

void batch_norm_training(const BatchNormSizes& s, double eps, const Real* x, const Real* weight,
                         const Real* bias, Moments* moments, Real* y) {
    const auto count = static_cast<double>(s.count());
    for (Index c = 0; c < s.channels; ++c) {
        const auto at = [&](Index n, Index i) { return (n * s.channels + c) * s.inner + i; };
        double sum = 0, squares = 0;
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) sum += static_cast<double>(x[at(n, i)]);
        }
        const double mean = sum / count;
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                squares += std::pow(static_cast<double>(x[at(n, i)]) - mean, 2);
            }
        }
        moments[c] = {mean, squares / count};
        const double scale = or_else(1, weight, c) / std::sqrt(moments[c].variance + eps);
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                const double centered = static_cast<double>(x[at(n, i)]) - mean;
                y[at(n, i)] = static_cast<Real>(centered * scale + or_else(0, bias, c));
            }
        }
    }
}

void batch_norm_backward(const BatchNormSizes& s, double eps, const BatchNormBackward& from,
                         Real* dx, Real* dweight, Real* dbias) {
    const auto count = static_cast<double>(s.count());
    for (Index c = 0; c < s.channels; ++c) {
        const auto at = [&](Index n, Index i) { return (n * s.channels + c) * s.inner + i; };
        const double rstd = 1 / std::sqrt(from.moments[c].variance + eps);
        const auto normal = [&](Index n, Index i) {
            return (static_cast<double>(from.x[at(n, i)]) - from.moments[c].mean) * rstd;
        };
        double dw = 0, db = 0;
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                dw += static_cast<double>(from.dy[at(n, i)]) * normal(n, i);
                db += static_cast<double>(from.dy[at(n, i)]);
            }
        }
        dweight[c] = static_cast<Real>(dw);
        dbias[c] = static_cast<Real>(db);
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                double d = static_cast<double>(from.dy[at(n, i)]);
                if (from.moments_of_x) d -= (db + normal(n, i) * dw) / count;
                dx[at(n, i)] = static_cast<Real>(or_else(1, from.weight, c) * rstd * d);
            }
        }
    }
}

}  // namespace reference

namespace {

constexpr Index kLanes = 8;

template <class T>
using Lanes = std::array<T, kLanes>;

// The channels that are walked together: one or, if inner = 1, up to kLanes that lie side by side.
// In either case they have one run of memory in each image, and element i of a run is in lane i %
// kLanes. So a lane belongs to one channel (to all of them the same, or each to its own), and what
// is done to eight neighbouring elements is the same loop, which the compiler can vectorise.
struct Group {
    Index first, width;  // its channels
    BatchNormSizes sizes;

    static Index count(const BatchNormSizes& s) {
        return s.inner == 1 ? (s.channels + kLanes - 1) / kLanes : s.channels;
    }
    Group(const BatchNormSizes& s, Index number)
        : first(s.inner == 1 ? number * kLanes : number),
          width(s.inner == 1 ? std::min(kLanes, s.channels - first) : 1),
          sizes(s) {}

    Index channel(Index lane) const { return first + std::min(lane, width - 1); }

    // Calls f(i, lane) for every element i of the group's channels.
    template <class F>
    void for_each(F f) const {
        const Index run = width * sizes.inner;
        for (Index n = 0; n < sizes.batch; ++n) {
            Index i = (n * sizes.channels + first) * sizes.inner;
            const Index end = i + run;
            for (; i + kLanes <= end; i += kLanes) {
                for (Index lane = 0; lane < kLanes; ++lane) {
                    f(i + lane, static_cast<std::size_t>(lane));
                }
            }
            for (Index lane = 0; i + lane < end; ++lane) {
                f(i + lane, static_cast<std::size_t>(lane));
            }
        }
    }

    // Of the sums of the lanes, those of their channels.
    Lanes<double> of_channels(const Lanes<double>& sums) const {
        if (sizes.inner == 1) return sums;
        Lanes<double> total{};
        total.fill(std::accumulate(sums.begin(), sums.end(), 0.0));
        return total;
    }
};

template <class Body>
void for_each_group(const BatchNormSizes& s, const Body& body) {
    const Index groups = Group::count(s);
    if (groups == 0) return;
    const Index elements = s.count() * s.channels / groups;
    const Index grain = std::max(Index{1}, 16384 / std::max(Index{1}, elements));
    parallel_for(groups, grain, [&](Index begin, Index end) {
        for (Index g = begin; g < end; ++g) body(Group(s, g));
    });
}

// In two passes, for the difference of the mean of squares and the squared mean would be lost in
// rounding where the mean is large. The second one finds the channel in the cache.
void measure(const Group& group, const Real* x, Moments* moments) {
    const auto count = static_cast<double>(group.sizes.count());
    Lanes<double> sums{}, squares{};
    group.for_each([&](Index i, std::size_t lane) { sums[lane] += static_cast<double>(x[i]); });
    Lanes<double> mean = group.of_channels(sums);
    for (double& m : mean) m /= count;
    group.for_each([&](Index i, std::size_t lane) {
        const double d = static_cast<double>(x[i]) - mean[lane];
        squares[lane] += d * d;
    });
    squares = group.of_channels(squares);
    for (Index lane = 0; lane < group.width; ++lane) {
        const auto k = static_cast<std::size_t>(lane);
        moments[group.channel(lane)] = {mean[k], squares[k] / count};
    }
}

void normalize(const Group& group, double eps, const Real* x, const Moments* moments,
               const Real* weight, const Real* bias, Real* y) {
    // x - mean has to be exact in float: what rounding the mean has changed goes into the shift.
    Lanes<Real> center{}, scale{}, shift{};
    for (Index lane = 0; lane < kLanes; ++lane) {
        const auto k = static_cast<std::size_t>(lane);
        const Index c = group.channel(lane);
        const double s = or_else(1, weight, c) / std::sqrt(moments[c].variance + eps);
        center[k] = static_cast<Real>(moments[c].mean);
        scale[k] = static_cast<Real>(s);
        shift[k] = static_cast<Real>(or_else(0, bias, c) +
                                     (static_cast<double>(center[k]) - moments[c].mean) * s);
    }
    group.for_each([&](Index i, std::size_t lane) {
        y[i] = (x[i] - center[lane]) * scale[lane] + shift[lane];
    });
}

// Of each lane's channel.
struct GradientSums {
    Lanes<double> dy{}, product{};  // of dy, and of dy (x - mean)
};

GradientSums gradient_sums(const Group& group, const BatchNormBackward& from) {
    GradientSums sums;
    Lanes<double> mean{};
    for (Index lane = 0; lane < kLanes; ++lane) {
        mean[static_cast<std::size_t>(lane)] = from.moments[group.channel(lane)].mean;
    }
    group.for_each([&, x = from.x, dy = from.dy](Index i, std::size_t lane) {
        const auto d = static_cast<double>(dy[i]);
        sums.dy[lane] += d;
        sums.product[lane] += d * (static_cast<double>(x[i]) - mean[lane]);
    });
    return {group.of_channels(sums.dy), group.of_channels(sums.product)};
}

// Where the moments change with x, with r = 1 / sqrt(variance + eps):
//     dx = weight r (dy - sum(dy) / count - (x - mean) r^2 sum(dy (x - mean)) / count)
void input_gradient(const Group& group, double eps, const BatchNormBackward& from,
                    const GradientSums& sums, Real* dx) {
    const auto count = static_cast<double>(group.sizes.count());
    Lanes<Real> scale{}, slope{}, center{}, shift{};
    for (Index lane = 0; lane < kLanes; ++lane) {
        const auto k = static_cast<std::size_t>(lane);
        const Moments& m = from.moments[group.channel(lane)];
        const double a = or_else(1, from.weight, group.channel(lane)) / std::sqrt(m.variance + eps);
        const double b = -a / (m.variance + eps) * sums.product[k] / count;
        scale[k] = static_cast<Real>(a);
        slope[k] = static_cast<Real>(b);
        center[k] = static_cast<Real>(m.mean);
        shift[k] = static_cast<Real>(b * (static_cast<double>(center[k]) - m.mean) -
                                     a * sums.dy[k] / count);
    }
    const Real *x = from.x, *dy = from.dy;
    if (from.moments_of_x) {
        group.for_each([&, x, dy](Index i, std::size_t lane) {
            dx[i] = scale[lane] * dy[i] + slope[lane] * (x[i] - center[lane]) + shift[lane];
        });
    } else {
        group.for_each([&, dy](Index i, std::size_t lane) { dx[i] = scale[lane] * dy[i]; });
    }
}

void backward(const Group& group, double eps, const BatchNormBackward& from, Real* dx,
              Real* dweight, Real* dbias) {
    GradientSums sums;
    if (from.moments_of_x || dweight != nullptr || dbias != nullptr) {
        sums = gradient_sums(group, from);
    }
    for (Index lane = 0; lane < group.width; ++lane) {
        const auto k = static_cast<std::size_t>(lane);
        const Index c = group.channel(lane);
        const double r = 1 / std::sqrt(from.moments[c].variance + eps);
        if (dweight != nullptr) dweight[c] = static_cast<Real>(sums.product[k] * r);
        if (dbias != nullptr) dbias[c] = static_cast<Real>(sums.dy[k]);
    }
    if (dx != nullptr) input_gradient(group, eps, from, sums, dx);
}

}  // namespace

void batch_norm(const BatchNormSizes& sizes, double eps, const Real* x, const Moments* moments,
                const Real* weight, const Real* bias, Real* y) {
    for_each_group(sizes,
                   [&](const Group& group) { normalize(group, eps, x, moments, weight, bias, y); });
}

void batch_norm_training(const BatchNormSizes& sizes, double eps, const Real* x, const Real* weight,
                         const Real* bias, Moments* moments, Real* y) {
    for_each_group(sizes, [&](const Group& group) {
        measure(group, x, moments);
        normalize(group, eps, x, moments, weight, bias, y);
    });
}

void batch_norm_backward(const BatchNormSizes& sizes, double eps, const BatchNormBackward& from,
                         Real* dx, Real* dweight, Real* dbias) {
    for_each_group(sizes,
                   [&](const Group& group) { backward(group, eps, from, dx, dweight, dbias); });
}

}  // namespace primer::kernels

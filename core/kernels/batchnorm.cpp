#include "primer/core/kernels/batchnorm.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "primer/core/kernels/isa.h"
#include "primer/core/kernels/isa/batchnorm.h"
#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

double or_else(double otherwise, const Real* values, Index c) {
    return values != nullptr ? static_cast<double>(values[c]) : otherwise;
}

// Of one channel: what comes of x before relu.
class Line {
  public:
    Line(const BatchNormRule& rule, const Moments& m, Index c)
        : mean_(m.mean),
          scale_(or_else(1, rule.weight, c) / std::sqrt(m.variance + rule.eps)),
          bias_(or_else(0, rule.bias, c)) {}
    Real operator()(Real x) const {
        return static_cast<Real>((static_cast<double>(x) - mean_) * scale_ + bias_);
    }

  private:
    double mean_, scale_, bias_;
};

}  // namespace

namespace reference {

void batch_norm_training(const BatchNormSizes& s, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y) {
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
        const Line line(rule, moments[c], c);
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                const Real v = line(x[at(n, i)]);
                y[at(n, i)] = rule.relu && v < 0 ? Real(0) : v;
            }
        }
    }
}

void batch_norm_backward(const BatchNormSizes& s, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias) {
    const auto count = static_cast<double>(s.count());
    for (Index c = 0; c < s.channels; ++c) {
        const auto at = [&](Index n, Index i) { return (n * s.channels + c) * s.inner + i; };
        const Line line(rule, from.moments[c], c);
        const double rstd = 1 / std::sqrt(from.moments[c].variance + rule.eps);
        const auto normal = [&](Index n, Index i) {
            return (static_cast<double>(from.x[at(n, i)]) - from.moments[c].mean) * rstd;
        };
        const auto gradient = [&](Index n, Index i) {
            const bool blocked = rule.relu && line(from.x[at(n, i)]) <= 0;
            return blocked ? 0 : static_cast<double>(from.dy[at(n, i)]);
        };
        double dw = 0, db = 0;
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                dw += gradient(n, i) * normal(n, i);
                db += gradient(n, i);
            }
        }
        dweight[c] = static_cast<Real>(dw);
        dbias[c] = static_cast<Real>(db);
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                double d = gradient(n, i);
                if (from.moments_of_x) d -= (db + normal(n, i) * dw) / count;
                dx[at(n, i)] = static_cast<Real>(or_else(1, rule.weight, c) * rstd * d);
            }
        }
    }
}

}  // namespace reference

namespace {

const BatchNormKernels& loops() {
    static const BatchNormKernels chosen = select(
        baseline::batch_norm_kernels, avx2::batch_norm_kernels, avx512::batch_norm_kernels)();
    return chosen;
}

// A number for each channel of a group.
template <class T>
using PerChannel = std::array<T, kMostChannels>;

// The channels that are walked together, so many that their values in one image make a run of
// memory: short runs, far from one another, would be written at a fraction of memory's speed. They
// are few enough that the second pass over them finds much in the cache that the first has read.
struct Group {
    Index first, channels, offset;  // offset: where it begins
    BatchNormSizes sizes;
    BatchNormBlock block;

    static Index width(const BatchNormSizes& s) {
        constexpr Index run = 1024;
        return std::clamp(run / std::max(Index{1}, s.inner), Index{1}, kMostChannels);
    }
    static Index count(const BatchNormSizes& s) { return (s.channels + width(s) - 1) / width(s); }

    Group(const BatchNormSizes& s, Index number)
        : first(number * width(s)),
          channels(std::min(width(s), s.channels - first)),
          offset(first * s.inner),
          sizes(s),
          block{.rows = s.batch,
                .channels = channels,
                .inner = s.inner,
                .row_stride = s.channels * s.inner,
                .channel_stride = s.inner} {}
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

// Of each channel a number that is close to its mean: the mean of its first values. They are
// measured from the very first, for sums of what is far from 0 would be inexact.
PerChannel<Real> rough_means(const Group& group, const Real* x) {
    constexpr Index enough = 1024;
    BatchNormBlock start = group.block;
    start.inner = std::min(enough, start.inner);
    start.rows = std::min(start.rows, (enough + start.inner - 1) / start.inner);

    PerChannel<Real> means{};
    PerChannel<double> sum{}, squares{};
    for (Index c = 0; c < group.channels; ++c) {
        means[static_cast<std::size_t>(c)] = x[group.offset + c * group.sizes.inner];
    }
    loops().moments(start, means.data(), x + group.offset, sum.data(), squares.data());
    const auto count = static_cast<double>(start.rows * start.inner);
    for (std::size_t c = 0; c < means.size(); ++c) {
        means[c] = static_cast<Real>(static_cast<double>(means[c]) + sum[c] / count);
    }
    return means;
}

// In one pass: with d = x - a for any constant a, the mean of x is a + mean(d) and its variance
// mean(d^2) - mean(d)^2. That difference loses digits if a is many standard deviations from the
// mean, as 0 may well be; so a is the mean of the channel's first values. (Should they be quite
// unlike the others, they widen the standard deviation as well: the mean of one part in R can not
// be further than sqrt(R) of them from the mean of all.)
void measure(const Group& group, const Real* x, Moments* moments) {
    const PerChannel<Real> about = rough_means(group, x);
    PerChannel<double> sum{}, squares{};
    loops().moments(group.block, about.data(), x + group.offset, sum.data(), squares.data());
    const auto count = static_cast<double>(group.sizes.count());
    for (Index c = 0; c < group.channels; ++c) {
        const auto k = static_cast<std::size_t>(c);
        const double mean = sum[k] / count, variance = squares[k] / count - mean * mean;
        // Rounding may leave a little less than nothing. A NaN stays a NaN.
        moments[group.first + c] = {static_cast<double>(about[k]) + mean,
                                    variance < 0 ? 0 : variance};
    }
}

// (x - mean) scale + bias
BatchNormLine line_of(const Group& group, const BatchNormRule& rule, const Moments* moments) {
    BatchNormLine line{};
    for (Index k = 0; k < group.channels; ++k) {
        const Index c = group.first + k;
        const double s = or_else(1, rule.weight, c) / std::sqrt(moments[c].variance + rule.eps);
        // x - mean has to be exact in float: what rounding the mean has changed goes into the
        // shift.
        line.center[k] = static_cast<Real>(moments[c].mean);
        line.scale[k] = static_cast<Real>(s);
        line.shift[k] = static_cast<Real>(
            or_else(0, rule.bias, c) + (static_cast<double>(line.center[k]) - moments[c].mean) * s);
    }
    return line;
}

void normalize(const Group& group, const BatchNormRule& rule, const Real* x, const Moments* moments,
               Real* y) {
    loops().normalize(group.block, line_of(group, rule, moments), rule.relu, x + group.offset,
                      y + group.offset);
}

struct GradientSums {
    PerChannel<double> dy{}, product{};  // of dy, and of dy (x - mean)
};

GradientSums gradient_sums(const Group& group, const BatchNormRule& rule, const BatchNormLine& line,
                           const BatchNormBackward& from) {
    GradientSums sums;
    loops().gradient_sums(group.block, line, rule.relu, from.x + group.offset,
                          from.dy + group.offset, sums.dy.data(), sums.product.data());
    for (Index c = 0; c < group.channels; ++c) {
        const auto k = static_cast<std::size_t>(c);
        const double mean = from.moments[group.first + c].mean;
        sums.product[k] -= (mean - static_cast<double>(line.center[c])) * sums.dy[k];
    }
    return sums;
}

// Where the moments change with x, with r = 1 / sqrt(variance + eps):
//     dx = weight r (dy - sum(dy) / count - (x - mean) r^2 sum(dy (x - mean)) / count)
void input_gradient(const Group& group, const BatchNormRule& rule, const BatchNormLine& line,
                    const BatchNormBackward& from, const GradientSums& sums, Real* dx) {
    const auto count = static_cast<double>(group.sizes.count());
    PerChannel<Real> slope{}, offset{};
    for (Index c = 0; c < group.channels; ++c) {
        const auto k = static_cast<std::size_t>(c);
        const Moments& m = from.moments[group.first + c];
        const double a =
            or_else(1, rule.weight, group.first + c) / std::sqrt(m.variance + rule.eps);
        const double b = -a / (m.variance + rule.eps) * sums.product[k] / count;
        const auto center = static_cast<double>(line.center[c]);
        slope[k] = static_cast<Real>(b);
        offset[k] = static_cast<Real>(b * (center - m.mean) - a * sums.dy[k] / count);
    }
    const bool of_x = from.moments_of_x;
    loops().input_gradient(group.block, line, rule.relu, of_x ? slope.data() : nullptr,
                           of_x ? offset.data() : nullptr,
                           from.x != nullptr ? from.x + group.offset : nullptr,
                           from.dy + group.offset, dx + group.offset);
}

void backward(const Group& group, const BatchNormRule& rule, const BatchNormBackward& from,
              Real* dx, Real* dweight, Real* dbias) {
    const BatchNormLine line = line_of(group, rule, from.moments);
    GradientSums sums;
    if (from.moments_of_x || dweight != nullptr || dbias != nullptr) {
        sums = gradient_sums(group, rule, line, from);
    }
    for (Index k = 0; k < group.channels; ++k) {
        const Index c = group.first + k;
        const double r = 1 / std::sqrt(from.moments[c].variance + rule.eps);
        const auto at = static_cast<std::size_t>(k);
        if (dweight != nullptr) dweight[c] = static_cast<Real>(sums.product[at] * r);
        if (dbias != nullptr) dbias[c] = static_cast<Real>(sums.dy[at]);
    }
    if (dx != nullptr) input_gradient(group, rule, line, from, sums, dx);
}

}  // namespace

void batch_norm(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                const Moments* moments, Real* y) {
    for_each_group(sizes, [&](const Group& group) { normalize(group, rule, x, moments, y); });
}

void batch_norm_training(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y) {
    for_each_group(sizes, [&](const Group& group) {
        measure(group, x, moments);
        normalize(group, rule, x, moments, y);
    });
}

void batch_norm_backward(const BatchNormSizes& sizes, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias) {
    for_each_group(sizes,
                   [&](const Group& group) { backward(group, rule, from, dx, dweight, dbias); });
}

}  // namespace primer::kernels

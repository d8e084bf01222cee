// Only speed: the definition is in reference.cpp.

#include "batchnorm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "isa.h"
#include "isa/table.h"
#include "parallel.h"
#include "reference.h"

namespace primer::kernels {
namespace {

// A number for each channel of a group.
template <class T>
using PerChannel = std::array<T, kMostChannels>;

// Some neighbouring channels.
struct Group {
    Index first, channels, offset;  // offset: where the group begins in an image
    BatchNormSizes sizes;

    static Index count(const BatchNormSizes& s) {
        return (s.channels + kMostChannels - 1) / kMostChannels;
    }
    Group(const BatchNormSizes& s, Index first_channel, Index most)
        : first(first_channel),
          channels(std::min(most, s.channels - first)),
          offset(first * s.inner),
          sizes(s) {}

    // The group's values in images [begin, end), from at(begin) on.
    BatchNormBlock block(Index begin, Index end) const {
        return {.rows = end - begin,
                .channels = channels,
                .inner = sizes.inner,
                .row_stride = sizes.channels * sizes.inner,
                .channel_stride = sizes.inner};
    }
    BatchNormBlock block() const { return block(0, sizes.batch); }
    Index at(Index image) const { return image * sizes.channels * sizes.inner + offset; }
};

// Does work that needs all values of a channel: calls body(Group) for groups of a few channels, so
// that every thread gets some. If an image has one value per channel, a group's values are
// adjacent, and groups are as wide as possible.
template <class Body>
void for_each_channel(const BatchNormSizes& s, const Body& body) {
    const Index width =
        s.inner == 1 ? kMostChannels : std::clamp(s.channels / 16, Index{1}, kMostChannels);
    const Index groups = (s.channels + width - 1) / width;
    rows(groups, s.count() * width, kGrain, [&](Index begin, Index end) {
        for (Index g = begin; g < end; ++g) body(Group(s, g * width, width));
    });
}

// Does work on each value by itself: calls body(group number, Group, images begin, end) in memory
// order. Writing in leaps from image to image would be half as fast.
template <class Body>
void for_each_image(const BatchNormSizes& s, const Body& body) {
    rows(s.batch, s.channels * s.inner, kGrain, [&](Index begin, Index end) {
        // With one value per channel an image is too short for a call of its own.
        const Index step = s.inner == 1 ? end - begin : 1;
        for (Index n = begin; n < end; n += step) {
            for (Index g = 0; g < Group::count(s); ++g) {
                body(g, Group(s, g * kMostChannels, kMostChannels), n, n + step);
            }
        }
    });
}

// A number close to each channel's mean: the mean of its first values. They are measured relative
// to the very first value, because sums of values far from 0 would be inexact.
PerChannel<Real> rough_means(const Group& group, const Real* x) {
    constexpr Index enough = 1024;
    BatchNormBlock start = group.block();
    start.inner = std::min(enough, start.inner);
    start.rows = std::min(start.rows, (enough + start.inner - 1) / start.inner);

    PerChannel<Real> means{};
    PerChannel<double> sum{}, squares{};
    for (Index c = 0; c < group.channels; ++c) {
        means[static_cast<std::size_t>(c)] = x[group.offset + c * group.sizes.inner];
    }
    table().batch_norm.moments(start, means.data(), x + group.offset, sum.data(), squares.data());
    const auto count = static_cast<double>(start.rows * start.inner);
    for (std::size_t c = 0; c < means.size(); ++c) {
        means[c] = static_cast<Real>(static_cast<double>(means[c]) + sum[c] / count);
    }
    return means;
}

// In one pass: with d = x - a for any constant a, the mean of x is a + mean(d) and its variance
// mean(d^2) - mean(d)^2. This difference loses digits if a is many standard deviations from the
// mean, as 0 may well be. So a is the mean of the channel's first values. (If these are quite
// unlike the others, they widen the standard deviation, too: the mean of one part in R is at most
// sqrt(R) standard deviations from the mean of all.)
void measure(const Group& group, const Real* x, Moments* moments) {
    const PerChannel<Real> about = rough_means(group, x);
    PerChannel<double> sum{}, squares{};
    table().batch_norm.moments(group.block(), about.data(), x + group.offset, sum.data(),
                               squares.data());
    const auto count = static_cast<double>(group.sizes.count());
    for (Index c = 0; c < group.channels; ++c) {
        const auto k = static_cast<std::size_t>(c);
        if (!std::isfinite(sum[k]) || !std::isfinite(squares[k])) {
            // Too large for the sums in Real, infinite, or NaN.
            moments[group.first + c] = reference::moments_of(group.sizes, x, group.first + c);
            continue;
        }
        const double mean = sum[k] / count, variance = squares[k] / count - mean * mean;
        // Rounding may make it slightly negative.
        moments[group.first + c] = {static_cast<double>(about[k]) + mean,
                                    variance < 0 ? 0 : variance};
    }
}

// a - b, and 0 if they are the same infinity.
double difference(double a, double b) { return a == b ? 0 : a - b; }

// (x - mean) scale + bias
BatchNormLine line_of(const Group& group, const BatchNormRule& rule, const Moments* moments) {
    BatchNormLine line{};
    for (Index k = 0; k < group.channels; ++k) {
        const Index c = group.first + k;
        const double s = or_else(1, rule.weight, c) / std::sqrt(moments[c].variance + rule.eps);
        // x - mean must be exact in float, so the rounding error of the mean goes into the shift.
        line.center[k] = static_cast<Real>(moments[c].mean);
        line.scale[k] = static_cast<Real>(s);
        const double rounded = difference(static_cast<double>(line.center[k]), moments[c].mean);
        line.shift[k] =
            static_cast<Real>(or_else(0, rule.bias, c) + (rounded == 0 ? 0 : rounded * s));
    }
    return line;
}

std::vector<BatchNormLine> lines_of(const BatchNormSizes& s, const BatchNormRule& rule,
                                    const Moments* moments) {
    std::vector<BatchNormLine> lines;
    for (Index c = 0; c < s.channels; c += kMostChannels) {
        lines.push_back(line_of(Group(s, c, kMostChannels), rule, moments));
    }
    return lines;
}

struct GradientSums {
    double dy, product;  // sums of dy and of dy (x - mean)
};

// The sums of one channel, in double: for values too large for the sums in Real.
GradientSums gradient_sums_of(const BatchNormSizes& s, const BatchNormRule& rule,
                              const BatchNormBackward& from, Index c) {
    const reference::Normalization normal(rule, from.moments[c], c);
    GradientSums sums{0, 0};
    for (Index n = 0; n < s.batch; ++n) {
        for (Index i = 0; i < s.inner; ++i) {
            const Index at = (n * s.channels + c) * s.inner + i;
            if (rule.relu && normal(from.x[at]) <= 0) continue;
            const auto dy = static_cast<double>(from.dy[at]);
            sums.dy += dy;
            sums.product += dy * (static_cast<double>(from.x[at]) - from.moments[c].mean);
        }
    }
    return sums;
}

std::vector<GradientSums> gradient_sums(const BatchNormSizes& s, const BatchNormRule& rule,
                                        const BatchNormBackward& from) {
    std::vector<GradientSums> sums(static_cast<std::size_t>(s.channels));
    for_each_channel(s, [&](const Group& group) {
        const BatchNormLine line = line_of(group, rule, from.moments);
        PerChannel<double> dy{}, product{};
        table().batch_norm.gradient_sums(group.block(), line, rule.relu, from.x + group.offset,
                                         from.dy + group.offset, dy.data(), product.data());
        for (Index c = 0; c < group.channels; ++c) {
            const auto k = static_cast<std::size_t>(c),
                       at = static_cast<std::size_t>(group.first + c);
            if (!std::isfinite(dy[k]) || !std::isfinite(product[k])) {
                sums[at] = gradient_sums_of(s, rule, from, group.first + c);
                continue;
            }
            const double mean = from.moments[at].mean;
            const double rounded = difference(mean, static_cast<double>(line.center[c]));
            sums[at] = {dy[k], product[k] - rounded * dy[k]};
        }
    });
    return sums;
}

// The part of dx that depends on x, for a group's channels: slope (x - center) + offset.
struct Slopes {
    Real slope[kMostChannels], offset[kMostChannels];
};

// Where the moments depend on x, with r = 1 / sqrt(variance + eps):
//     dx = weight r (dy - sum(dy) / count - (x - mean) r^2 sum(dy (x - mean)) / count)
std::vector<Slopes> slopes_of(const BatchNormSizes& s, const BatchNormRule& rule,
                              const BatchNormBackward& from, const std::vector<GradientSums>& sums,
                              const std::vector<BatchNormLine>& lines) {
    std::vector<Slopes> slopes(lines.size());
    const auto count = static_cast<double>(s.count());
    for (Index c = 0; c < s.channels; ++c) {
        const auto group = static_cast<std::size_t>(c / kMostChannels);
        const Index k = c % kMostChannels;
        const GradientSums& sum = sums[static_cast<std::size_t>(c)];
        const Moments& m = from.moments[c];
        const double a = or_else(1, rule.weight, c) / std::sqrt(m.variance + rule.eps);
        const double b = -a / (m.variance + rule.eps) * sum.product / count;
        const auto center = static_cast<double>(lines[group].center[k]);
        slopes[group].slope[k] = static_cast<Real>(b);
        slopes[group].offset[k] = static_cast<Real>(b * (center - m.mean) - a * sum.dy / count);
    }
    return slopes;
}

void input_gradient(const BatchNormSizes& s, const BatchNormRule& rule,
                    const BatchNormBackward& from, const std::vector<GradientSums>& sums,
                    Real* dx) {
    const std::vector<BatchNormLine> lines = lines_of(s, rule, from.moments);
    std::vector<Slopes> slopes;
    if (from.moments_depend_on_x) slopes = slopes_of(s, rule, from, sums, lines);
    for_each_image(s, [&](Index number, const Group& group, Index begin, Index end) {
        const auto g = static_cast<std::size_t>(number);
        const Index at = group.at(begin);
        table().batch_norm.input_gradient(group.block(begin, end), lines[g], rule.relu,
                                          from.moments_depend_on_x ? slopes[g].slope : nullptr,
                                          from.moments_depend_on_x ? slopes[g].offset : nullptr,
                                          from.x != nullptr ? from.x + at : nullptr, from.dy + at,
                                          dx + at);
    });
}

}  // namespace

void batch_norm(const BatchNormSizes& s, const BatchNormRule& rule, const Real* x,
                const Moments* moments, Real* y) {
    if (isa() == Isa::reference) return reference::batch_norm(s, rule, x, moments, y);
    const std::vector<BatchNormLine> lines = lines_of(s, rule, moments);
    for_each_image(s, [&](Index number, const Group& group, Index begin, Index end) {
        const Index at = group.at(begin);
        table().batch_norm.normalize(group.block(begin, end),
                                     lines[static_cast<std::size_t>(number)], rule.relu, x + at,
                                     y + at);
    });
}

void batch_norm_training(const BatchNormSizes& s, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y) {
    if (isa() == Isa::reference || s.count() == 0) {
        return reference::batch_norm_training(s, rule, x, moments, y);
    }
    for_each_channel(s, [&](const Group& group) { measure(group, x, moments); });
    batch_norm(s, rule, x, moments, y);
}

void batch_norm_backward(const BatchNormSizes& s, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias) {
    // Without values, the gradients of weight and bias are still written: 0.
    if (isa() == Isa::reference || s.count() == 0) {
        return reference::batch_norm_backward(s, rule, from, dx, dweight, dbias);
    }
    std::vector<GradientSums> sums;
    if (from.moments_depend_on_x || dweight != nullptr || dbias != nullptr) {
        sums = gradient_sums(s, rule, from);
    }
    for (std::size_t c = 0; c < sums.size(); ++c) {
        const double rstd = 1 / std::sqrt(from.moments[c].variance + rule.eps);
        if (dweight != nullptr) dweight[c] = static_cast<Real>(sums[c].product * rstd);
        if (dbias != nullptr) dbias[c] = static_cast<Real>(sums[c].dy);
    }
    if (dx != nullptr) input_gradient(s, rule, from, sums, dx);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

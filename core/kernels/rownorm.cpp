// Only speed: the definition is in reference.cpp.

#include "rownorm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "isa.h"
#include "isa/table.h"
#include "parallel.h"
#include "reference.h"

namespace primer::kernels {
namespace {

// A row as a problem of its own, with its part of everything.
struct Row {
    RowNormSizes sizes;
    RowNormRule rule;
    Index at;  // where it begins in x

    Row(const RowNormSizes& s, const RowNormRule& all, Index r)
        : sizes{1, 1, s.channels, s.inner}, rule(all), at(r * s.row()) {
        const Index first = r % s.groups * s.channels;
        if (rule.weight != nullptr) rule.weight += first;
        if (rule.bias != nullptr) rule.bias += first;
    }
};

// Whether all steps for a row stay within the range of a float: a value is at most
// sqrt(n variance) from the mean of n values. The other rows, and those with a NaN, are left to
// the definition.
bool ordinary(const Moments& m, double eps) {
    const double v = m.variance + eps;
    return v > 1e-60 && v < 1e60;
}

// slope (x - mean) + offset
NormLine line_of(const Moments& m, double slope, double offset) {
    // x - center must be exact in float, so the rounding error of the mean goes into the shift.
    const auto center = static_cast<Real>(m.mean);
    const double rounded = static_cast<double>(center) - m.mean;
    return {.center = center,
            .scale = static_cast<Real>(slope),
            .shift = static_cast<Real>(rounded * slope + offset)};
}

double rstd_of(const Moments& m, double eps) { return 1 / std::sqrt(m.variance + eps); }

void normalize(const Row& row, const Real* x, Moments& m, Real* y) {
    const auto& [sizes, rule, at] = row;
    const RowNormKernels& loops = table().row_norm;
    const auto plain = [&, begin = at, &s = sizes, &r = rule] {
        reference::row_norm(s, r, x + begin, &m, y + begin);
    };
    if (!ordinary(m, rule.eps)) return plain();
    const double rstd = rstd_of(m, rule.eps);
    if (sizes.inner == 1) {
        return loops.normalize(sizes.row(), line_of(m, rstd, 0), rule.weight, rule.bias, x + at,
                               y + at);
    }
    for (Index c = 0; c < sizes.channels; ++c) {
        const NormLine line =
            line_of(m, rstd * or_else(1, rule.weight, c), or_else(0, rule.bias, c));
        // A weight so large that infinities would meet in the line.
        if (!std::isfinite(line.scale) || !std::isfinite(line.shift)) {
            return plain();
        }
        const Index plane = at + c * sizes.inner;
        loops.normalize(sizes.inner, line, nullptr, nullptr, x + plane, y + plane);
    }
}

// Sums of g and of g z, with z = (x - mean) rstd and an upstream gradient g.
struct GradientSums {
    double g = 0, gz = 0;
};

// With inner > 1, the sums of dy and dy z over each channel of a row.
std::vector<GradientSums> sums_of_planes(const RowNormSizes& s, double eps,
                                         const RowNormBackward& from) {
    std::vector<GradientSums> sums(static_cast<std::size_t>(s.rows() * s.channels));
    rows(s.rows(), s.row(), kGrain, [&](Index begin, Index end) {
        for (Index p = begin * s.channels; p < end * s.channels; ++p) {
            const Moments& m = from.moments[p / s.channels];
            GradientSums& of = sums[static_cast<std::size_t>(p)];
            table().row_norm.gradient_sums(s.inner, line_of(m, rstd_of(m, eps), 0), nullptr,
                                           from.x + p * s.inner, from.dy + p * s.inner, &of.g,
                                           &of.gz);
        }
    });
    return sums;
}

// `planes`: the sums of the row's channels; not used with inner = 1.
GradientSums sums_of_row(const Row& row, const NormLine& normal, const GradientSums* planes,
                         const Real* x, const Real* dy) {
    const auto& [sizes, rule, at] = row;
    GradientSums sums;
    if (sizes.inner == 1) {
        table().row_norm.gradient_sums(sizes.row(), normal, rule.weight, x + at, dy + at, &sums.g,
                                       &sums.gz);
        return sums;
    }
    for (Index c = 0; c < sizes.channels; ++c) {
        const double weight = or_else(1, rule.weight, c);
        sums.g += weight * planes[c].g;
        sums.gz += weight * planes[c].gz;
    }
    return sums;
}

// dx = (g - sum(g) / n - z sum(g z) / n) rstd with g = dy weight. What is added to g is a line in
// x.
void input_gradient(const Row& row, const Moments& m, const GradientSums* planes,
                    const RowNormBackward& from, Real* dx) {
    const auto& [sizes, rule, at] = row;
    const double rstd = rstd_of(m, rule.eps), n = static_cast<double>(sizes.row());
    const GradientSums sums = sums_of_row(row, line_of(m, rstd, 0), planes, from.x, from.dy);
    const auto plain = [&, begin = at, &s = sizes, &r = rule] {
        reference::row_norm_backward(s, r, {from.x + begin, from.dy + begin, &m}, dx + begin,
                                     nullptr, nullptr);
    };
    if (!std::isfinite(sums.g) || !std::isfinite(sums.gz)) return plain();
    // In a plane, dy weight may be too large for a float where dx is not, so rstd is multiplied
    // first.
    const double first = sizes.inner == 1 ? 1 : rstd;
    NormSlope slope{.weight = 1,
                    .rest = line_of(m, first * -rstd * sums.gz / n, first * -sums.g / n),
                    .rstd = static_cast<Real>(rstd / first)};
    const auto run = [&](Index begin, Index count, const Real* weight) {
        table().row_norm.input_gradient(count, slope, weight, from.x + begin, from.dy + begin,
                                        dx + begin);
    };
    if (sizes.inner == 1) return run(at, sizes.row(), rule.weight);
    for (Index c = 0; c < sizes.channels; ++c) {
        slope.weight = static_cast<Real>(first * or_else(1, rule.weight, c));
        if (!std::isfinite(slope.weight)) return plain();
        run(at + c * sizes.inner, sizes.inner, nullptr);
    }
}

// The sums over the batch of dy and dy z for each weight, from those of the planes.
std::vector<GradientSums> add_up_planes(const RowNormSizes& s,
                                        const std::vector<GradientSums>& planes) {
    std::vector<GradientSums> sums(static_cast<std::size_t>(s.weights()));
    for (std::size_t p = 0; p < planes.size(); ++p) {
        GradientSums& of = sums[p % sums.size()];
        of.g += planes[p].g;
        of.gz += planes[p].gz;
    }
    return sums;
}

// The same for inner = 1, where each weight's values are a column of x. Tasks are blocks of some
// examples and columns that fit a core's cache. The sums of the blocks are added in order.
std::vector<GradientSums> add_up_columns(const RowNormSizes& s, double eps,
                                         const RowNormBackward& from) {
    constexpr Index most_chunks = 16, least_examples = 32, columns = 256;
    const Index examples = std::max(least_examples, (s.batch + most_chunks - 1) / most_chunks);
    const Index chunks = (s.batch + examples - 1) / examples;
    const Index blocks = (s.channels + columns - 1) / columns;  // in a group
    std::vector<GradientSums> partial(static_cast<std::size_t>(chunks * s.weights()));
    rows(chunks * s.groups * blocks, examples * std::min(columns, s.channels), kGrain,
         [&](Index begin, Index end) {
             std::vector<NormLine> lines;
             for (Index task = begin; task < end; ++task) {
                 const Index chunk = task / (s.groups * blocks), group = task / blocks % s.groups;
                 const Index first = chunk * examples, last = std::min(first + examples, s.batch);
                 lines.clear();
                 for (Index n = first; n < last; ++n) {
                     const Moments& m = from.moments[n * s.groups + group];
                     lines.push_back(line_of(m, rstd_of(m, eps), 0));
                 }
                 const Index end_column = std::min((task % blocks + 1) * columns, s.channels);
                 for (Index c = task % blocks * columns; c < end_column; c += kMostColumns) {
                     const Index count = std::min(kMostColumns, end_column - c);
                     const Index weight = group * s.channels + c, at = first * s.weights() + weight;
                     double gz[kMostColumns] = {}, g[kMostColumns] = {};
                     table().row_norm.column_sums(last - first, count, s.weights(), lines.data(),
                                                  from.x + at, from.dy + at, g, gz);
                     for (Index k = 0; k < count; ++k) {
                         partial[static_cast<std::size_t>(chunk * s.weights() + weight + k)] = {
                             g[k], gz[k]};
                     }
                 }
             }
         });
    return add_up_planes(s, partial);
}

}  // namespace

void row_norm(const RowNormSizes& s, const RowNormRule& rule, const Real* x, Moments* moments,
              Real* y) {
    if (isa() == Isa::reference) return reference::row_norm(s, rule, x, moments, y);
    rows(s.rows(), s.row(), kGrain, [&](Index begin, Index end) {
        // First all moments, because a processor works on several rows at a time unless it has to
        // wait for the square root of one.
        for (Index r = begin; r < end; ++r) {
            table().row_norm.moments(s.row(), x + r * s.row(), &moments[r].mean,
                                     &moments[r].variance);
        }
        for (Index r = begin; r < end; ++r) normalize(Row(s, rule, r), x, moments[r], y);
    });
}

void row_norm_backward(const RowNormSizes& s, const RowNormRule& rule, const RowNormBackward& from,
                       Real* dx, Real* dweight, Real* dbias) {
    // With one value in a row, all of dx cancels, which it does exactly only in double.
    if (isa() == Isa::reference || s.row() == 1 ||
        !std::all_of(from.moments, from.moments + s.rows(),
                     [&](const Moments& m) { return ordinary(m, rule.eps); })) {
        return reference::row_norm_backward(s, rule, from, dx, dweight, dbias);
    }
    std::vector<GradientSums> planes, sums;
    if (s.inner > 1) planes = sums_of_planes(s, rule.eps, from);
    if (dweight != nullptr || dbias != nullptr) {
        sums = s.inner > 1 ? add_up_planes(s, planes) : add_up_columns(s, rule.eps, from);
    }
    for (std::size_t c = 0; c < sums.size(); ++c) {
        if (dweight != nullptr) dweight[c] = static_cast<Real>(sums[c].gz);
        if (dbias != nullptr) dbias[c] = static_cast<Real>(sums[c].g);
    }
    if (dx == nullptr) return;
    rows(s.rows(), s.row(), kGrain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const GradientSums* const of =
                planes.empty() ? nullptr : planes.data() + r * s.channels;
            input_gradient(Row(s, rule, r), from.moments[r], of, from, dx);
        }
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

// Only speed: the formulas stand in core/ops/reduce.cpp. Here threads share the rows.

#include "reduce.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "elementwise.h"
#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kGrain = 16384;  // elements that are worth handing to another thread

// sum(n, x) by chunks of fixed length, then the sum of the chunks: the same order for any number of
// threads.
double in_chunks(Index n, const Real* x, double (*sum)(Index, const Real*)) {
    std::vector<double> sums(static_cast<std::size_t>((n + kGrain - 1) / kGrain));
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        sums[static_cast<std::size_t>(begin / kGrain)] = sum(end - begin, x + begin);
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// Calls f(o, i) for every [outer, inner] pair, many pairs to a chunk.
template <class F>
void for_each_line(const Axis& axis, F f) {
    const Index lines = axis.outer * axis.inner;
    parallel_for(lines, std::max(Index{1}, kGrain / std::max(Index{1}, axis.n)),
                 [&](Index begin, Index end) {
                     for (Index line = begin; line < end; ++line) {
                         const Index o = line / axis.inner, i = line % axis.inner;
                         f(o * axis.n * axis.inner + i);  // where the line begins in x
                     }
                 });
}

double max_of_line(const Axis& axis, const Real* x) {
    double largest = -INFINITY;
    for (Index j = 0; j < axis.n; ++j) {
        largest = std::max(largest, static_cast<double>(x[j * axis.inner]));
    }
    return largest;
}

}  // namespace

Axis::Axis(const Shape& shape, int dim)
    : outer(shape.slice(0, dim).numel()),
      n(shape[dim]),
      inner(shape.slice(dim + 1, shape.rank()).numel()) {}

void sum(const Axis& axis, const Real* x, Real* y, double factor) {
    if (axis.outer == 1 && axis.inner == 1) {
        *y = static_cast<Real>(in_chunks(axis.n, x, table().reduce.sum) * factor);
        return;
    }
    // Of nothing: 0, or NaN for the mean.
    std::fill_n(y, axis.outer * axis.inner, static_cast<Real>(axis.n == 0 ? 0 * factor : 0));
    sum_to({axis.outer, axis.n, axis.inner}, x, {axis.outer, 1, axis.inner}, y, factor);
}

double sum_of_squares(Index n, const Real* x) {
    return in_chunks(n, x, table().reduce.sum_of_squares);
}

void max(const Axis& axis, const Real* x, Real* y, Index* argmax) {
    const Index lines = axis.outer * axis.inner;
    parallel_for(lines, std::max(Index{1}, kGrain / axis.n), [&](Index begin, Index end) {
        for (Index line = begin; line < end; ++line) {
            const Real* first = x + line / axis.inner * axis.n * axis.inner + line % axis.inner;
            Index best = 0;
            for (Index j = 1; j < axis.n && !std::isnan(first[best * axis.inner]); ++j) {
                const Real v = first[j * axis.inner];
                if (v > first[best * axis.inner] || std::isnan(v)) best = j;
            }
            y[line] = first[best * axis.inner];
            argmax[line] = best;
        }
    });
}

namespace {

// One of the two kinds of dimensions that sum_to walks: those that x and y have in common, or those
// that are summed over. With their strides in x and in y.
struct Dimensions {
    int rank = 0;
    std::array<Index, Shape::kMaxRank> size{}, in_x{}, in_y{};

    void add(Index n, Index stride_x, Index stride_y) {
        const auto d = static_cast<std::size_t>(rank++);
        size[d] = n, in_x[d] = stride_x, in_y[d] = stride_y;
    }
    Index count() const {
        return std::accumulate(size.begin(), size.begin() + rank, Index{1}, std::multiplies());
    }
    struct Place {
        Index x = 0, y = 0;
    };
    // Of the i-th combination of positions.
    Place at(Index i) const {
        Place place;
        for (auto d = static_cast<std::size_t>(rank); d-- > 0; i /= size[d]) {
            place.x += i % size[d] * in_x[d];
            place.y += i % size[d] * in_y[d];
        }
        return place;
    }
};

}  // namespace

// Each y is summed up by itself, in the order of x's memory: no matter which thread does it, the
// bits are the same. The innermost dimension is walked along: if it is summed over, for one y, else
// for a strip of neighbouring y.
void sum_to(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y, double factor) {
    if (x_shape.numel() == 0) return;
    // y's strides over x's shape are 0 along what was repeated: x's elements find their y there.
    const Broadcast loop(x_shape, y_shape, "sum_to");
    const auto last = static_cast<std::size_t>(loop.rank - 1);
    const Index inner = loop.size[last];
    const bool along_y = loop.stride_b[last] != 0;
    if (loop.rank == 1 && !along_y) {
        *y += static_cast<Real>(in_chunks(inner, x, table().reduce.sum) * factor);
        return;
    }
    Dimensions kept, summed;
    for (std::size_t d = 0; d < last; ++d) {
        (loop.stride_b[d] != 0 ? kept : summed)
            .add(loop.size[d], loop.stride_a[d], loop.stride_b[d]);
    }
    const Index strips = along_y ? (inner + kMostColumns - 1) / kMostColumns : 1;
    const Index elements = x_shape.numel() / (kept.count() * strips);  // of one strip
    parallel_for(kept.count() * strips, std::max(Index{1}, kGrain / elements),
                 [&](Index begin, Index end) {
                     for (Index s = begin; s < end; ++s) {
                         const Dimensions::Place place = kept.at(s / strips);
                         const Index first = s % strips * kMostColumns;
                         const Index columns = along_y ? std::min(kMostColumns, inner - first) : 1;
                         const Real* from = x + place.x + first;
                         std::array<double, kMostColumns> sums{};
                         if (along_y && summed.rank == 1) {
                             table().reduce.add_rows(summed.size[0], columns, summed.in_x[0], from,
                                                     sums.data());
                         } else {
                             for (Index i = 0; i < summed.count(); ++i) {
                                 const Real* row = from + summed.at(i).x;
                                 if (along_y) {
                                     table().reduce.add_rows(1, columns, 0, row, sums.data());
                                 } else {
                                     sums[0] += table().reduce.sum(inner, row);
                                 }
                             }
                         }
                         for (Index i = 0; i < columns; ++i) {
                             y[place.y + first + i] +=
                                 static_cast<Real>(sums[static_cast<std::size_t>(i)] * factor);
                         }
                     }
                 });
}

namespace {

// For inner = 1: calls f(first, rows) for rows that lie one after the other in memory.
template <class F>
void for_each_rows(const Axis& axis, F f) {
    parallel_for(axis.outer, std::max(Index{1}, kGrain / std::max(Index{1}, axis.n)),
                 [&](Index begin, Index end) { f(begin * axis.n, end - begin); });
}

// y = e^(x - max x), and the maxima and the sums of each of the rows.
struct Exponentials {
    std::vector<double> largest, sums;
    Exponentials(Index rows, Index n, const Real* x, Real* y)
        : largest(static_cast<std::size_t>(rows)), sums(largest.size()) {
        table().softmax.exponentials(rows, n, x, y, largest.data(), sums.data());
    }
};

}  // namespace

void softmax(const Axis& axis, const Real* x, Real* y) {
    if (axis.n == 0) return;  // there may be no end of empty rows; likewise below
    if (axis.inner == 1) {
        return for_each_rows(axis, [=](Index at, Index rows) {
            const Exponentials e(rows, axis.n, x + at, y + at);
            table().softmax.divide(rows, axis.n, e.sums.data(), y + at);
        });
    }
    for_each_line(axis, [&](Index start) {
        const double largest = max_of_line(axis, x + start);
        double sum = 0;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            const double e = std::exp(static_cast<double>(x[j]) - largest);
            y[j] = static_cast<Real>(e);
            sum += e;
        }
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            y[j] = static_cast<Real>(static_cast<double>(y[j]) / sum);
        }
    });
}

void softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx) {
    if (axis.n == 0) return;
    if (axis.inner == 1) {
        return for_each_rows(axis, [=](Index at, Index rows) {
            table().softmax.backward(rows, axis.n, y + at, dy + at, dx + at);
        });
    }
    for_each_line(axis, [&](Index start) {
        double weighted = 0, sum = 0;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            weighted += static_cast<double>(y[j]) * static_cast<double>(dy[j]);
            sum += static_cast<double>(y[j]);
        }
        const double mean = weighted / sum;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            dx[j] =
                static_cast<Real>(static_cast<double>(y[j]) * (static_cast<double>(dy[j]) - mean));
        }
    });
}

void log_softmax(const Axis& axis, const Real* x, Real* y) {
    if (axis.n == 0) return;
    if (axis.inner == 1) {
        return for_each_rows(axis, [=](Index at, Index rows) {
            Exponentials e(rows, axis.n, x + at, y + at);
            for (double& sum : e.sums) sum = std::log(sum);
            table().softmax.subtract(rows, axis.n, e.largest.data(), e.sums.data(), x + at, y + at);
        });
    }
    for_each_line(axis, [&](Index start) {
        const double largest = max_of_line(axis, x + start);
        double sum = 0;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            sum += std::exp(static_cast<double>(x[j]) - largest);
        }
        const double log_sum = std::log(sum);
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            y[j] = static_cast<Real>((static_cast<double>(x[j]) - largest) - log_sum);
        }
    });
}

void log_softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx) {
    if (axis.n == 0) return;
    if (axis.inner == 1) {
        return for_each_rows(axis, [=](Index at, Index rows) {
            table().softmax.log_backward(rows, axis.n, y + at, dy + at, dx + at);
        });
    }
    for_each_line(axis, [&](Index start) {
        double sum = 0;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            sum += static_cast<double>(dy[j]);
        }
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            dx[j] = dy[j] - std::exp(y[j]) * static_cast<Real>(sum);
        }
    });
}

}  // namespace primer::kernels

#include "primer/core/kernels/reduce.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "primer/core/kernels/elementwise.h"
#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kGrain = 16384;  // elements that are worth handing to another thread

// Eight sums side by side, for the compiler to keep in vector registers: a single one would wait
// for each addition to end before the next could begin.
double sum_row(Index n, const Real* x) {
    constexpr Index lanes = 8;
    std::array<double, lanes> sums{};
    Index j = 0;
    for (; j + lanes <= n; j += lanes) {
        for (Index k = 0; k < lanes; ++k) {
            sums[static_cast<std::size_t>(k)] += static_cast<double>(x[j + k]);
        }
    }
    double sum = 0;
    for (; j < n; ++j) sum += static_cast<double>(x[j]);
    for (double s : sums) sum += s;
    return sum;
}

// Chunks of fixed length, then the chunks' sums: the same order for any number of threads.
Real sum_all(Index n, const Real* x) {
    std::vector<double> sums(static_cast<std::size_t>((n + kGrain - 1) / kGrain));
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        sums[static_cast<std::size_t>(begin / kGrain)] = sum_row(end - begin, x + begin);
    });
    double sum = 0;
    for (double s : sums) sum += s;
    return static_cast<Real>(sum);
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

void sum(const Axis& axis, const Real* x, Real* y) {
    if (axis.outer == 1 && axis.inner == 1) {
        *y = sum_all(axis.n, x);
        return;
    }
    // A strip of columns at a time, so that memory is read along its rows.
    constexpr Index strip = 64;
    const Index strips = (axis.inner + strip - 1) / strip;
    const Index grain = std::max(Index{1}, kGrain / std::max(Index{1}, axis.n * strip));
    parallel_for(axis.outer * strips, grain, [&](Index begin, Index end) {
        for (Index s = begin; s < end; ++s) {
            const Index o = s / strips, first = s % strips * strip;
            const Index width = std::min(strip, axis.inner - first);
            const Real* block = x + o * axis.n * axis.inner + first;
            Real* out = y + o * axis.inner + first;
            if (axis.inner == 1) {
                *out = static_cast<Real>(sum_row(axis.n, block));
                continue;
            }
            std::array<double, strip> sums{};
            for (Index j = 0; j < axis.n; ++j) {
                for (Index i = 0; i < width; ++i) {
                    sums[static_cast<std::size_t>(i)] +=
                        static_cast<double>(block[j * axis.inner + i]);
                }
            }
            std::transform(sums.begin(), sums.begin() + width, out,
                           [](double v) { return static_cast<Real>(v); });
        }
    });
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

void sum_to(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y) {
    // y's strides over x's shape are 0 along what was repeated: x's elements find their y there.
    const Broadcast loop(x_shape, y_shape, "sum_to");
    const auto last = static_cast<std::size_t>(loop.rank - 1);
    const Index inner = loop.size[last];
    if (inner == 0) return;
    for (Index row = 0; row < x_shape.numel() / inner; ++row) {
        Index offset = 0, rest = row;
        for (std::size_t d = last; d-- > 0; rest /= loop.size[d]) {
            offset += rest % loop.size[d] * loop.stride_b[d];
        }
        const Real* from = x + row * inner;
        if (loop.stride_b[last] == 0) {
            y[offset] += static_cast<Real>(sum_row(inner, from));
        } else {
            for (Index i = 0; i < inner; ++i) y[offset + i] += from[i];
        }
    }
}

void softmax(const Axis& axis, const Real* x, Real* y) {
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
    for_each_line(axis, [&](Index start) {
        double sum = 0;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            sum += static_cast<double>(y[j]) * static_cast<double>(dy[j]);
        }
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            dx[j] = y[j] * (dy[j] - static_cast<Real>(sum));
        }
    });
}

void log_softmax(const Axis& axis, const Real* x, Real* y) {
    for_each_line(axis, [&](Index start) {
        const double largest = max_of_line(axis, x + start);
        double sum = 0;
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            sum += std::exp(static_cast<double>(x[j]) - largest);
        }
        const double log_sum = largest + std::log(sum);
        for (Index j = start; j < start + axis.n * axis.inner; j += axis.inner) {
            y[j] = static_cast<Real>(static_cast<double>(x[j]) - log_sum);
        }
    });
}

void log_softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx) {
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

// Only speed: core/ops/reduce.cpp has the formulas. Here threads share the rows.

#include "reduce.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "elementwise.h"
#include "isa.h"
#include "isa/table.h"
#include "reference.h"
#include "storage.h"

namespace primer::kernels {
namespace {

double sum_row(Index n, const Real* x) {
    return isa() == Isa::reference ? reference::sum(n, 1, x) : table().reduce.sum(n, x);
}

double sum_all(Index n, const Real* x) {
    return sum_of_chunks(n, kGrain,
                         [=](Index begin, Index end) { return sum_row(end - begin, x + begin); });
}

}  // namespace

Axis::Axis(const Shape& shape, int dim)
    : outer(shape.slice(0, dim).numel()),
      n(shape[dim]),
      inner(shape.slice(dim + 1, shape.rank()).numel()) {}

void sum(const Axis& axis, const Real* x, Real* y, double factor) {
    if (axis.outer == 1 && axis.inner == 1) {
        *y = static_cast<Real>(sum_all(axis.n, x) * factor);
        return;
    }
    // An empty sum is 0, an empty mean NaN.
    std::fill_n(y, axis.outer * axis.inner, static_cast<Real>(axis.n == 0 ? 0 * factor : 0));
    sum_to({axis.outer, axis.n, axis.inner}, x, {axis.outer, 1, axis.inner}, y, factor);
}

double sum_of_squares(Index n, const Real* x) {
    return sum_of_chunks(n, kGrain, [=](Index begin, Index end) {
        return table().reduce.sum_of_squares(end - begin, x + begin);
    });
}

void Dimensions::add(Index n, Index stride_x, Index stride_y) {
    const auto d = static_cast<std::size_t>(rank++);
    size[d] = n, in_x[d] = stride_x, in_y[d] = stride_y;
}

Index Dimensions::count() const {
    return std::accumulate(size.begin(), size.begin() + rank, Index{1}, std::multiplies());
}

Dimensions::Place Dimensions::at(Index i) const {
    Place place;
    for (auto d = static_cast<std::size_t>(rank); d-- > 0; i /= size[d]) {
        place.x += i % size[d] * in_x[d];
        place.y += i % size[d] * in_y[d];
    }
    return place;
}

Lines::Lines(const Shape& x, const Shape& kept)
    : count_(kept.numel()), size_(count_ > 0 ? x.numel() / count_ : 0) {
    if (x.numel() == 0) return;
    const Broadcast loop(x, kept, "Lines");
    for (std::size_t d = 0; d < static_cast<std::size_t>(loop.rank); ++d) {
        (loop.stride_b[d] != 0 ? kept_ : reduced_)
            .add(loop.size[d], loop.stride_a[d], loop.stride_b[d]);
    }
    row_size_ = 1;
    if (reduced_.rank > 0) {
        const auto last = static_cast<std::size_t>(--reduced_.rank);
        row_size_ = reduced_.size[last], row_stride_ = reduced_.in_x[last];
    }
    rows_ = reduced_.count();
}

bool Lines::are_fast_rows() const {
    if (rows_ != 1 || row_stride_ != 1 || isa() == Isa::reference) return false;
    return kept_.rank == 0 || (kept_.rank == 1 && kept_.in_x[0] == size_);
}

void row_extremes(Index count, Index n, bool largest, const Real* x, Real* y) {
    rows(count, n, kGrain, [=](Index begin, Index end) {
        table().reduce.row_extremes(end - begin, n, largest, x + begin * n, y + begin);
    });
}

void row_logsumexp(Index count, Index n, const Real* x, Real* y) {
    // Some rows at a time, so that their powers, which nobody needs, stay in the nearest cache.
    const Index most = std::max(Index{1}, kGrain / 4 / n);
    rows(count, n, kGrain, [=](Index begin, Index end) {
        Storage powers(most * n);
        std::vector<double> largest(static_cast<std::size_t>(most)), sums(largest.size());
        for (Index first = begin; first < end; first += most) {
            const Index some = std::min(most, end - first);
            table().softmax.exponentials(some, n, x + first * n, powers.data(), largest.data(),
                                         sums.data());
            table().loss.logarithms(some, sums.data());
            for (std::size_t r = 0; r < static_cast<std::size_t>(some); ++r) {
                y[first + static_cast<Index>(r)] = static_cast<Real>(largest[r] + sums[r]);
            }
        }
    });
}

// Each y is summed by itself, in the order of x's memory, so the bits are the same whichever thread
// does it. The inner loop runs along the innermost dimension: over the terms of one y if this
// dimension is summed over, otherwise over a strip of neighbouring y.
void sum_to(const Shape& x_shape, const Real* x, const Shape& y_shape, Real* y, double factor) {
    if (x_shape.numel() == 0) return;
    // y's strides over x's shape are 0 along the summed dimensions.
    const Broadcast loop(x_shape, y_shape, "sum_to");
    const auto last = static_cast<std::size_t>(loop.rank - 1);
    const Index inner = loop.size[last];
    const bool along_y = loop.stride_b[last] != 0;
    if (loop.rank == 1 && !along_y) {
        *y += static_cast<Real>(sum_all(inner, x) * factor);
        return;
    }
    Dimensions kept, summed;
    for (std::size_t d = 0; d < last; ++d) {
        (loop.stride_b[d] != 0 ? kept : summed)
            .add(loop.size[d], loop.stride_a[d], loop.stride_b[d]);
    }
    if (!along_y && summed.rank == 0 && kept.rank == 1 && isa() != Isa::reference) {
        return rows(kept.size[0], inner, kGrain, [=](Index begin, Index end) {
            table().reduce.row_sums(end - begin, inner, factor, x + begin * inner, y + begin);
        });
    }
    const Index strips = along_y ? (inner + kMostColumns - 1) / kMostColumns : 1;
    const Index elements = x_shape.numel() / (kept.count() * strips);  // of one strip
    rows(kept.count() * strips, elements, kGrain, [&](Index begin, Index end) {
        for (Index s = begin; s < end; ++s) {
            const Dimensions::Place place = kept.at(s / strips);
            const Index first = s % strips * kMostColumns;
            const Index columns = along_y ? std::min(kMostColumns, inner - first) : 1;
            const Real* from = x + place.x + first;
            std::array<double, kMostColumns> sums{};
            if (along_y && summed.rank == 1) {
                table().reduce.add_rows(summed.size[0], columns, summed.in_x[0], from, sums.data());
            } else {
                for (Index i = 0; i < summed.count(); ++i) {
                    const Real* row = from + summed.at(i).x;
                    if (along_y) {
                        table().reduce.add_rows(1, columns, 0, row, sums.data());
                    } else {
                        sums[0] += sum_row(inner, row);
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

// Where the elements of a line are apart, works on copies of some neighbouring lines as rows. `b`
// may be nullptr. loop(rows, a, b, y) sees the copies.
template <class Loop>
void by_copies(const Axis& axis, const Real* a, const Real* b, Real* y, const Loop& loop) {
    const Index n = axis.n, inner = axis.inner;
    const Index width = std::min(inner, std::max(Index{16}, kGrain / n));  // 16: a cache line
    const Index strips = (inner + width - 1) / width;
    // Long rows a power of two apart would share a few sets of the cache, so they lie further
    // apart.
    const Index stride = n < 1024 ? n : n + 16;
    rows(axis.outer * strips, n * width, kGrain, [&](Index begin, Index end) {
        Storage copies(3 * stride * width);
        Real *const of_a = copies.data(), *const of_b = of_a + stride * width,
                    *const of_y = of_b + stride * width;
        const auto transpose = table().gemm.transpose_into;
        for (Index s = begin; s < end; ++s) {
            const Index first = s % strips * width, count = std::min(width, inner - first);
            const Index at = s / strips * n * inner + first;
            transpose(n, inner, count, a + at, stride, of_a);
            if (b != nullptr) transpose(n, inner, count, b + at, stride, of_b);
            const Index together = stride == n ? count : 1;
            for (Index row = 0; row < count; row += together) {
                const Index r = row * stride;
                loop(together, of_a + r, of_b + r, of_y + r);
            }
            transpose(count, stride, n, of_y, inner, y + at);
        }
    });
}

// Calls loop(rows, a, b, y) for rows of axis.n values, or, with Isa::reference, plain(a, b, y), the
// plain definition, for each line. b may be nullptr.
template <class Loop, class Plain>
void for_each_row_or_line(const Axis& axis, const Real* a, const Real* b, Real* y, const Loop& loop,
                          const Plain& plain) {
    const Index n = axis.n, inner = axis.inner;
    if (n == 0 || inner == 0) return;  // there may be a huge number of empty rows
    const bool rows_only = inner == 1 && isa() != Isa::reference;
    if (inner != 1 && isa() != Isa::reference) return by_copies(axis, a, b, y, loop);
    rows(axis.outer * inner, n, kGrain, [&](Index begin, Index end) {
        if (rows_only) {
            const Index at = begin * n;
            return loop(end - begin, a + at, b == nullptr ? b : b + at, y + at);
        }
        for (Index line = begin; line < end; ++line) {
            const Index at = line / inner * n * inner + line % inner;
            plain(a + at, b == nullptr ? b : b + at, y + at);
        }
    });
}

// Lines that are not rows, as many side by side as the loop takes.
void by_columns(const Axis& axis, SoftmaxKernels::Columns loop, const Real* x, Real* y) {
    constexpr Index width = SoftmaxKernels::kColumns;
    const Index n = axis.n, inner = axis.inner, strips = (inner + width - 1) / width;
    rows(axis.outer * strips, n * std::min(inner, width), kGrain, [=](Index begin, Index end) {
        for (Index s = begin; s < end; ++s) {
            const Index first = s % strips * width, at = s / strips * n * inner + first;
            loop(n, inner, std::min(width, inner - first), x + at, y + at);
        }
    });
}

void forward(const Axis& axis, SoftmaxKernels::Forward loop, SoftmaxKernels::Columns columns,
             void (*plain)(Index, Index, const Real*, Real*), const Real* x, Real* y) {
    constexpr Index enough = 16;  // columns, for vectors of them
    // Long lines whose elements are pages apart would share a few sets of the cache.
    const bool crowded = axis.n > 256 && axis.inner % 1024 == 0;
    if (axis.inner >= enough && !crowded && axis.n > 0 && isa() != Isa::reference) {
        return by_columns(axis, columns, x, y);
    }
    for_each_row_or_line(
        axis, x, nullptr, y,
        [=, n = axis.n](Index count, const Real* from, const Real*, Real* to) {
            loop(count, n, from, to);
        },
        [=](const Real* from, const Real*, Real* to) { plain(axis.n, axis.inner, from, to); });
}

void backward(const Axis& axis, SoftmaxKernels::Backward loop,
              void (*plain)(Index, Index, const Real*, const Real*, Real*), const Real* y,
              const Real* dy, Real* dx) {
    for_each_row_or_line(
        axis, y, dy, dx,
        [=, n = axis.n](Index count, const Real* of_y, const Real* of_dy, Real* to) {
            loop(count, n, of_y, of_dy, to);
        },
        [=](const Real* of_y, const Real* of_dy, Real* to) {
            plain(axis.n, axis.inner, of_y, of_dy, to);
        });
}

}  // namespace

void softmax(const Axis& axis, const Real* x, Real* y) {
    const SoftmaxKernels& loops = table().softmax;
    forward(axis, loops.softmax, loops.softmax_columns, reference::softmax, x, y);
}
void softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx) {
    backward(axis, table().softmax.softmax_backward, reference::softmax_backward, y, dy, dx);
}
void log_softmax(const Axis& axis, const Real* x, Real* y) {
    const SoftmaxKernels& loops = table().softmax;
    forward(axis, loops.log_softmax, loops.log_softmax_columns, reference::log_softmax, x, y);
}
void log_softmax_backward(const Axis& axis, const Real* y, const Real* dy, Real* dx) {
    backward(axis, table().softmax.log_softmax_backward, reference::log_softmax_backward, y, dy,
             dx);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

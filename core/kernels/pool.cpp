// Only speed: the definition is in reference.cpp.

#include "pool.h"

#include <algorithm>
#include <cstdint>

#include "isa.h"
#include "isa/table.h"
#include "parallel.h"
#include "reference.h"
#include "taken.h"

namespace primer::kernels {

Index bytes_taken(const MaxPoolSizes& s) {
    return s.planes * s.h.out * s.w.out * (fits_byte(s) ? 1 : Index{sizeof(std::int32_t)});
}

namespace {

// Whether the windows are 2x2, side by side, and none reaches over the edge.
bool by_2(const MaxPoolSizes& s) {
    const auto direction = [](const Window& w) {
        return w.kernel == 2 && w.stride == 2 && w.padding == 0 && w.dilation == 1 &&
               2 * w.out <= w.in;
    };
    return direction(s.h) && direction(s.w);
}

PoolBy2 planes_by_2(const MaxPoolSizes& s, Index planes) {
    return {planes, s.h.in, s.w.in, s.h.out, s.w.out};
}

// One row of outputs. The innermost loop goes over them without branches, so that the compiler can
// vectorise it. Each output still sees its cells in the order of the definition.
void max_pool_row(const MaxPoolSizes& s, const std::vector<Range>& outputs, Index oh, const Real* x,
                  Real* y, std::int32_t* taken) {
    std::fill_n(y, s.w.out, kMinusInfinity);
    std::fill_n(taken, s.w.out, -1);
    for (Index kh = 0; kh < s.h.kernel; ++kh) {
        const Index ih = s.h.at(oh, kh);
        if (!s.h.inside(ih)) continue;
        for (Index kw = 0; kw < s.w.kernel; ++kw) {
            const auto number = static_cast<std::int32_t>(kh * s.w.kernel + kw);
            const Range outs = outputs[static_cast<std::size_t>(kw)];
            for (Index ow = outs.begin; ow < outs.end; ++ow) {
                const Real v = x[ih * s.w.in + s.w.at(ow, kw)];
                const bool take = better(v, y[ow], taken[ow] < 0);
                y[ow] = take ? v : y[ow];
                taken[ow] = take ? number : taken[ow];
            }
        }
    }
}

// Planes [begin, end).
template <class Number>
void max_pool_planes(const MaxPoolSizes& s, Index begin, Index end, const Real* x, Real* y,
                     Number* taken) {
    std::vector<Range> outputs;
    for (Index kw = 0; kw < s.w.kernel; ++kw) outputs.push_back(s.w.outputs(kw));
    std::vector<std::int32_t> numbers(static_cast<std::size_t>(s.w.out));  // as long as a Real
    for (Index p = begin; p < end; ++p) {
        for (Index oh = 0; oh < s.h.out; ++oh) {
            const Index row = (p * s.h.out + oh) * s.w.out;
            max_pool_row(s, outputs, oh, x + p * s.h.in * s.w.in, y + row, numbers.data());
            std::transform(numbers.begin(), numbers.end(), taken + row, [](std::int32_t number) {
                return number < 0 ? kNone<Number> : static_cast<Number>(number);
            });
        }
    }
}

template <class Number>
void max_pool_planes_backward(const MaxPoolSizes& s, Index begin, Index end, const Number* taken,
                              const Real* dy, Real* dx) {
    std::vector<Index> cells;  // their offsets from the window's first
    for (Index kh = 0; kh < s.h.kernel; ++kh) {
        for (Index kw = 0; kw < s.w.kernel; ++kw) {
            cells.push_back(kh * s.h.dilation * s.w.in + kw * s.w.dilation);
        }
    }
    const Index in = s.h.in * s.w.in;
    for (Index p = begin; p < end; ++p) {
        std::fill_n(dx + p * in, in, Real(0));
        for (Index oh = 0; oh < s.h.out; ++oh) {
            const Index row = (p * s.h.out + oh) * s.w.out;
            for (Index ow = 0; ow < s.w.out; ++ow) {
                const Number number = taken[row + ow];
                if (number == kNone<Number>) continue;
                const Index window = s.h.at(oh, 0) * s.w.in + s.w.at(ow, 0);
                dx[p * in + window + cells[static_cast<std::size_t>(number)]] += dy[row + ow];
            }
        }
    }
}

}  // namespace

void max_pool2d(const MaxPoolSizes& s, const Real* x, Real* y, void* taken) {
    if (isa() == Isa::reference) return reference::max_pool2d(s, x, y, taken);
    const Index in = s.h.in * s.w.in, out = s.h.out * s.w.out;
    rows(s.planes, in, kGrain, [&](Index begin, Index end) {
        if (by_2(s)) {
            table().pool.max_by_2(planes_by_2(s, end - begin), x + begin * in, y + begin * out,
                                  static_cast<Byte*>(taken) + begin * out);
            return;
        }
        with_numbers(s, taken,
                     [&](auto* numbers) { max_pool_planes(s, begin, end, x, y, numbers); });
    });
}

void max_pool2d_backward(const MaxPoolSizes& s, const void* taken, const Real* dy, Real* dx) {
    if (isa() == Isa::reference) return reference::max_pool2d_backward(s, taken, dy, dx);
    const Index in = s.h.in * s.w.in, out = s.h.out * s.w.out;
    rows(s.planes, in, kGrain, [&](Index begin, Index end) {
        if (by_2(s)) {
            table().pool.max_by_2_backward(planes_by_2(s, end - begin),
                                           static_cast<const Byte*>(taken) + begin * out,
                                           dy + begin * out, dx + begin * in);
            return;
        }
        with_numbers(s, taken, [&](const auto* numbers) {
            max_pool_planes_backward(s, begin, end, numbers, dy, dx);
        });
    });
}

std::vector<Average> sliding_averages(const Window& window, bool count_padding) {
    std::vector<Average> averages;
    for (Index o = 0; o < window.out; ++o) {
        const Index first = window.at(o, 0);
        const Index end = std::min(first + window.kernel, window.in + window.padding);
        const Range cells{std::max(first, Index{0}), std::min(end, window.in)};
        averages.push_back({cells, count_padding ? end - first : cells.end - cells.begin});
    }
    return averages;
}

std::vector<Range> adaptive_cells(Index in, Index out) {
    std::vector<Range> cells;
    for (Index o = 0; o < out; ++o) {
        cells.push_back({o * in / out, ((o + 1) * in + out - 1) / out});
    }
    return cells;
}

std::vector<Average> adaptive_averages(Index in, Index out) {
    std::vector<Average> averages;
    for (const Range& cells : adaptive_cells(in, out)) {
        averages.push_back({cells, cells.end - cells.begin});
    }
    return averages;
}

namespace {

// Whether one window covers the whole plane, so that its cells are contiguous.
bool whole_planes(const AvgPoolSizes& s) {
    const auto all = [](const std::vector<Average>& averages, Index in) {
        return averages.size() == 1 && averages[0].cells.begin == 0 && averages[0].cells.end == in;
    };
    return all(s.h, s.in_h) && all(s.w, s.in_w);
}

// Planes [begin, end).
template <class Sizes>
Sizes some_of(const Sizes& s, Index begin, Index end) {
    Sizes part = s;
    part.planes = end - begin;
    return part;
}

}  // namespace

void avg_pool2d(const AvgPoolSizes& s, const Real* x, Real* y) {
    if (isa() == Isa::reference) return reference::avg_pool2d(s, x, y);
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    const bool whole = whole_planes(s);
    rows(s.planes, in, kGrain, [&](Index begin, Index end) {
        if (!whole)
            return reference::avg_pool2d(some_of(s, begin, end), x + begin * in, y + begin * out);
        const auto count = static_cast<double>(s.h[0].count * s.w[0].count);
        for (Index p = begin; p < end; ++p) {
            y[p] = static_cast<Real>(table().reduce.sum(in, x + p * in) / count);
        }
    });
}

void avg_pool2d_backward(const AvgPoolSizes& s, const Real* dy, Real* dx) {
    if (isa() == Isa::reference) return reference::avg_pool2d_backward(s, dy, dx);
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    const bool whole = whole_planes(s);
    rows(s.planes, in, kGrain, [&](Index begin, Index end) {
        if (!whole) {
            return reference::avg_pool2d_backward(some_of(s, begin, end), dy + begin * out,
                                                  dx + begin * in);
        }
        const auto count = static_cast<Real>(s.h[0].count * s.w[0].count);
        for (Index p = begin; p < end; ++p) std::fill_n(dx + p * in, in, dy[p] / count);
    });
}

// The definition, for some planes at a time.

void adaptive_max_pool2d(const AdaptiveMaxPoolSizes& s, const Real* x, Real* y, void* taken) {
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    rows(s.planes, std::max(in, out), kGrain, [&](Index begin, Index end) {
        reference::adaptive_max_pool2d(some_of(s, begin, end), x + begin * in, y + begin * out,
                                       static_cast<std::int32_t*>(taken) + begin * out);
    });
}

void adaptive_max_pool2d_backward(const AdaptiveMaxPoolSizes& s, const void* taken, const Real* dy,
                                  Real* dx) {
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    rows(s.planes, std::max(in, out), kGrain, [&](Index begin, Index end) {
        reference::adaptive_max_pool2d_backward(
            some_of(s, begin, end), static_cast<const std::int32_t*>(taken) + begin * out,
            dy + begin * out, dx + begin * in);
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

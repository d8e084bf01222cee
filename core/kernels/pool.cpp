#include "primer/core/kernels/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

constexpr Real kMinusInfinity = -std::numeric_limits<Real>::infinity();

// How many planes are worth handing to another thread.
Index plane_grain(Index plane) { return std::max(Index{1}, 16384 / std::max(Index{1}, plane)); }

// Whether x is taken in place of the best so far. The third is for a first value of -infinity.
bool better(Real x, Real best, std::int32_t taken) {
    return x > best || std::isnan(x) || taken < 0;
}

}  // namespace

void reference::max_pool2d(const MaxPoolSizes& s, const Real* x, Real* y, std::int32_t* taken) {
    for (Index p = 0; p < s.planes; ++p, x += s.h.in * s.w.in) {
        for (Index oh = 0; oh < s.h.out; ++oh) {
            for (Index ow = 0; ow < s.w.out; ++ow, ++y, ++taken) {
                *y = kMinusInfinity;
                *taken = -1;
                for (Index kh = 0; kh < s.h.kernel; ++kh) {
                    for (Index kw = 0; kw < s.w.kernel; ++kw) {
                        const Index ih = s.h.at(oh, kh), iw = s.w.at(ow, kw);
                        if (!s.h.inside(ih) || !s.w.inside(iw)) continue;
                        const Index i = ih * s.w.in + iw;
                        if (!better(x[i], *y, *taken)) continue;
                        *y = x[i];
                        *taken = static_cast<std::int32_t>(i);
                    }
                }
            }
        }
    }
}

namespace {

// One row of outputs. The loop over them is the innermost, and has no branches, so that the
// compiler can vectorise it; each output still sees its cells in the order of the definition.
void max_pool_row(const MaxPoolSizes& s, const std::vector<Range>& outputs, Index oh, const Real* x,
                  Real* y, std::int32_t* taken) {
    std::fill_n(y, s.w.out, kMinusInfinity);
    std::fill_n(taken, s.w.out, -1);
    for (Index kh = 0; kh < s.h.kernel; ++kh) {
        const Index ih = s.h.at(oh, kh);
        if (!s.h.inside(ih)) continue;
        for (Index kw = 0; kw < s.w.kernel; ++kw) {
            const Range outs = outputs[static_cast<std::size_t>(kw)];
            for (Index ow = outs.begin; ow < outs.end; ++ow) {
                const Index i = ih * s.w.in + s.w.at(ow, kw);
                const bool take = better(x[i], y[ow], taken[ow]);
                y[ow] = take ? x[i] : y[ow];
                taken[ow] = take ? static_cast<std::int32_t>(i) : taken[ow];
            }
        }
    }
}

}  // namespace

void max_pool2d(const MaxPoolSizes& s, const Real* x, Real* y, std::int32_t* taken) {
    std::vector<Range> outputs;
    for (Index kw = 0; kw < s.w.kernel; ++kw) outputs.push_back(s.w.outputs(kw));
    parallel_for(s.planes, plane_grain(s.h.in * s.w.in), [&](Index begin, Index end) {
        for (Index p = begin; p < end; ++p) {
            for (Index oh = 0; oh < s.h.out; ++oh) {
                const Index row = (p * s.h.out + oh) * s.w.out;
                max_pool_row(s, outputs, oh, x + p * s.h.in * s.w.in, y + row, taken + row);
            }
        }
    });
}

void max_pool2d_backward(const MaxPoolSizes& s, const std::int32_t* taken, const Real* dy,
                         Real* dx) {
    const Index in = s.h.in * s.w.in, out = s.h.out * s.w.out;
    parallel_for(s.planes, plane_grain(in), [&](Index begin, Index end) {
        std::fill(dx + begin * in, dx + end * in, Real(0));
        for (Index p = begin; p < end; ++p) {
            for (Index o = p * out; o < (p + 1) * out; ++o) {
                if (taken[o] >= 0) dx[p * in + taken[o]] += dy[o];
            }
        }
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

std::vector<Average> adaptive_averages(Index in, Index out) {
    std::vector<Average> averages;
    for (Index o = 0; o < out; ++o) {
        const Range cells{o * in / out, ((o + 1) * in + out - 1) / out};
        averages.push_back({cells, cells.end - cells.begin});
    }
    return averages;
}

void avg_pool2d(const AvgPoolSizes& s, const Real* x, Real* y) {
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    parallel_for(s.planes, plane_grain(in), [&](Index begin, Index end) {
        for (Index p = begin; p < end; ++p) {
            const Real* plane = x + p * in;
            Real* to = y + p * out;
            for (const Average& h : s.h) {
                for (const Average& w : s.w) {
                    double sum = 0;
                    for (Index ih = h.cells.begin; ih < h.cells.end; ++ih) {
                        for (Index iw = w.cells.begin; iw < w.cells.end; ++iw) {
                            sum += static_cast<double>(plane[ih * s.in_w + iw]);
                        }
                    }
                    *to++ = static_cast<Real>(sum / static_cast<double>(h.count * w.count));
                }
            }
        }
    });
}

void avg_pool2d_backward(const AvgPoolSizes& s, const Real* dy, Real* dx) {
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    parallel_for(s.planes, plane_grain(in), [&](Index begin, Index end) {
        std::fill(dx + begin * in, dx + end * in, Real(0));
        for (Index p = begin; p < end; ++p) {
            Real* plane = dx + p * in;
            const Real* from = dy + p * out;
            for (const Average& h : s.h) {
                for (const Average& w : s.w) {
                    const Real share = *from++ / static_cast<Real>(h.count * w.count);
                    for (Index ih = h.cells.begin; ih < h.cells.end; ++ih) {
                        for (Index iw = w.cells.begin; iw < w.cells.end; ++iw) {
                            plane[ih * s.in_w + iw] += share;
                        }
                    }
                }
            }
        }
    });
}

}  // namespace primer::kernels

// Only speed: core/ops/activation.cpp has the formulas. Here threads share the work of the
// activations that depend on channels or on halves of a dimension.

#include "activation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

// As kGrain, for loops that compute an exponential for each element.
constexpr Index kExponentials = 8192;

// `length` outputs of maxout, from y[y] on. Their first pieces are x[x], x[x + step], ...
struct Run {
    Index y, length, x, step;
};

// Cuts y [outer, inner] into runs that are long even where inner is 1.
template <class F>
void for_each_run(const Axis& axis, F f) {
    const Index inner = axis.inner, row = axis.n * inner;
    if (row == 0) return;  // there may be a huge number of empty rows
    rows(axis.outer, row, kGrain, [=](Index begin, Index end) {
        if (inner == 1) return f(Run{begin, end - begin, begin * row, row});
        for (Index o = begin; o < end; ++o) f(Run{o * inner, inner, o * row, 1});
    });
}

// The halves a and b of x [outer, a and b] alternate. Cuts y [outer, half] into runs for which both
// are contiguous: calls f(length, where a begins, half, where y begins); b begins `half` after a.
template <class F>
void for_each_half(const Axis& axis, F f) {
    const Index half = axis.n / 2 * axis.inner;
    parallel_for(axis.outer * half, kExponentials, [=](Index begin, Index end) {
        for (Index i = begin, run = 0; i < end; i += run) {
            run = std::min(half - i % half, end - i);
            f(run, i + i / half * half, half, i);
        }
    });
}

}  // namespace

void prelu(const Axis& axis, const Real* x, const Real* w, Real* y) {
    prelu_backward(axis, x, w, x, y);  // the same with x in place of dy
}
// A run is a stretch with one slope or, where inner is 1, a stretch over successive channels: over
// all of them, several times if they are few.
void prelu_backward(const Axis& axis, const Real* x, const Real* w, const Real* dy, Real* dx) {
    const Index channels = axis.n, inner = axis.inner;
    constexpr Index long_run = 1024;
    std::vector<Real> repeated;
    if (inner == 1 && axis.outer > 1 && channels > 0 && channels < long_run) {
        repeated.reserve(2 * long_run);
        while (std::ssize(repeated) < long_run) {
            repeated.insert(repeated.end(), w, w + channels);
        }
    }
    const Real* const slopes = repeated.empty() ? w : repeated.data();
    const Index most = std::max(channels, Index{std::ssize(repeated)});
    parallel_for(axis.outer * channels * inner, kGrain, [=](Index begin, Index end) {
        if (inner == 1) {
            for (Index i = begin, c = begin % channels; i < end; c = 0) {
                const Index run = std::min(most - c, end - i);
                table().activation.prelu_backward(run, x + i, slopes + c, dy + i, dx + i);
                i += run;
            }
            return;
        }
        for (Index i = begin, run = 0; i < end; i += run) {
            run = std::min(inner - i % inner, end - i);
            const Real slope = w[i / inner % channels];
            table().activation.leaky_relu_backward(run, slope, x + i, dy + i, dx + i);
        }
    });
}

void glu(const Axis& axis, const Real* x, Real* y) {
    for_each_half(axis, [=](Index run, Index at, Index half, Index i) {
        table().activation.glu(run, x + at, x + at + half, y + i);
    });
}
void glu_backward(const Axis& axis, const Real* x, const Real* dy, Real* dx) {
    for_each_half(axis, [=](Index run, Index at, Index half, Index i) {
        table().activation.glu_backward(run, x + at, x + at + half, dy + i, dx + at,
                                        dx + at + half);
    });
}

void maxout(const Axis& axis, const Real* x, Real* y, Real* piece) {
    for_each_run(axis, [=](const Run& run) {
        const Real* from = x + run.x;
        Real *best = y + run.y, *number = piece + run.y;
        for (Index i = 0; i < run.length; ++i) best[i] = from[i * run.step];
        std::fill_n(number, run.length, Real(0));
        for (Index j = 1; j < axis.n; ++j) {
            const Real* next = from + j * axis.inner;
            for (Index i = 0; i < run.length; ++i) {
                const Real v = next[i * run.step], b = best[i], k = number[i];
                const bool larger = !(v <= b) && !std::isnan(b);  // a NaN is the largest
                best[i] = larger ? v : b;
                number[i] = larger ? static_cast<Real>(j) : k;
            }
        }
    });
}
void maxout_backward(const Axis& axis, const Real* piece, const Real* dy, Real* dx) {
    for_each_run(axis, [=](const Run& run) {
        for (Index j = 0; j < axis.n; ++j) {
            Real* to = dx + run.x + j * axis.inner;
            for (Index i = 0; i < run.length; ++i) {
                const Real d = dy[run.y + i], k = piece[run.y + i];
                to[i * run.step] = k == static_cast<Real>(j) ? d : Real(0);
            }
        }
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

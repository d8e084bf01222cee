// Only speed: the formulas stand in core/ops/activation.cpp. Here threads share the elements.

#include "primer/core/kernels/activation.h"

#include <algorithm>
#include <cmath>

#include "primer/core/kernels/isa.h"
#include "primer/core/kernels/isa/table.h"
#include "primer/core/kernels/parallel.h"

namespace primer::kernels {
namespace {

// Elements that are worth handing to another thread: of a loop that is as fast as memory, and of
// one that computes an exponential for each.
constexpr Index kCheap = 16384, kCostly = 8192;

void forward(Index n, Index grain, const Real* x, Real* y, ActivationKernels::Forward loop) {
    parallel_for(n, grain,
                 [=](Index begin, Index end) { loop(end - begin, x + begin, y + begin); });
}

void backward(Index n, Index grain, const Real* kept, const Real* dy, Real* dx,
              ActivationKernels::Backward loop) {
    parallel_for(n, grain, [=](Index begin, Index end) {
        loop(end - begin, kept + begin, dy + begin, dx + begin);
    });
}

// Outputs of maxout, `length` of them from y[y] on, whose first pieces are x[x], x[x + step], ...
struct Run {
    Index y, length, x, step;
};

// Cuts y [outer, inner] into runs that are long even where inner is 1.
template <class F>
void for_each_run(const Axis& axis, F f) {
    const Index inner = axis.inner, row = axis.n * inner;
    if (row == 0) return;  // there may be no end of empty rows
    parallel_for(axis.outer, std::max(Index{1}, kCheap / std::max(Index{1}, row)),
                 [=](Index begin, Index end) {
                     if (inner == 1) return f(Run{begin, end - begin, begin * row, row});
                     for (Index o = begin; o < end; ++o) f(Run{o * inner, inner, o * row, 1});
                 });
}

}  // namespace

void relu(Index n, const Real* x, Real* y) { forward(n, kCheap, x, y, table().activation.relu); }
void relu_backward(Index n, const Real* y, const Real* dy, Real* dx) {
    backward(n, kCheap, y, dy, dx, table().activation.relu_backward);
}

void leaky_relu(Index n, Real slope, const Real* x, Real* y) {
    parallel_for(n, kCheap, [=](Index begin, Index end) {
        table().activation.leaky_relu(end - begin, slope, x + begin, y + begin);
    });
}
void leaky_relu_backward(Index n, Real slope, const Real* x, const Real* dy, Real* dx) {
    parallel_for(n, kCheap, [=](Index begin, Index end) {
        table().activation.leaky_relu_backward(end - begin, slope, x + begin, dy + begin,
                                               dx + begin);
    });
}

void prelu(const Axis& axis, const Real* x, const Real* w, Real* y) {
    prelu_backward(axis, x, w, x, y);  // the same, of x in place of dy
}
// A run is as long as its slope is the same or, where the channels are neighbours, as there are
// channels.
void prelu_backward(const Axis& axis, const Real* x, const Real* w, const Real* dy, Real* dx) {
    const Index channels = axis.n, inner = axis.inner;
    parallel_for(axis.outer * channels * inner, kCheap, [=](Index begin, Index end) {
        for (Index i = begin, run = 0; i < end; i += run) {
            const Index c = i / inner % channels;
            if (inner == 1) {
                run = std::min(channels - c, end - i);
                table().activation.prelu_backward(run, x + i, w + c, dy + i, dx + i);
            } else {
                run = std::min(inner - i % inner, end - i);
                table().activation.leaky_relu_backward(run, w[c], x + i, dy + i, dx + i);
            }
        }
    });
}
void prelu_backward_weight(Index n, const Real* x, const Real* dy, Real* terms) {
    backward(n, kCheap, x, dy, terms, table().activation.prelu_backward_weight);
}

void elu(Index n, Real above, Real below, const Real* x, Real* y) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        table().activation.elu(end - begin, above, below, x + begin, y + begin);
    });
}
void elu_backward(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        table().activation.elu_backward(end - begin, above, below, x + begin, dy + begin,
                                        dx + begin);
    });
}

void gelu(Index n, const Real* x, Real* y) { forward(n, kCostly, x, y, table().activation.gelu); }
void gelu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    backward(n, kCostly, x, dy, dx, table().activation.gelu_backward);
}

void gelu_tanh(Index n, const Real* x, Real* y) {
    forward(n, kCostly, x, y, table().activation.gelu_tanh);
}
void gelu_tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    backward(n, kCostly, x, dy, dx, table().activation.gelu_tanh_backward);
}

void silu(Index n, const Real* x, Real* y) { forward(n, kCostly, x, y, table().activation.silu); }
void silu_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    backward(n, kCostly, x, dy, dx, table().activation.silu_backward);
}

void sigmoid(Index n, const Real* x, Real* y) {
    forward(n, kCostly, x, y, table().activation.sigmoid);
}
void sigmoid_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    backward(n, kCostly, x, dy, dx, table().activation.sigmoid_backward);
}

void tanh(Index n, const Real* x, Real* y) { forward(n, kCostly, x, y, table().activation.tanh); }
void tanh_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    backward(n, kCostly, x, dy, dx, table().activation.tanh_backward);
}

void softplus(Index n, Real beta, Real threshold, const Real* x, Real* y) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        table().activation.softplus(end - begin, beta, threshold, x + begin, y + begin);
    });
}
void softplus_backward(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                       Real* dx) {
    parallel_for(n, kCostly, [=](Index begin, Index end) {
        table().activation.softplus_backward(end - begin, beta, threshold, x + begin, dy + begin,
                                             dx + begin);
    });
}

void hardswish(Index n, const Real* x, Real* y) {
    forward(n, kCheap, x, y, table().activation.hardswish);
}
void hardswish_backward(Index n, const Real* x, const Real* dy, Real* dx) {
    backward(n, kCheap, x, dy, dx, table().activation.hardswish_backward);
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
                const bool larger = !(v <= b) && !std::isnan(b);  // a NaN is, and stays
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

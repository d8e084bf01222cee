#pragma once

#include "../real.h"
#include "../shape.h"
#include "reduce.h"
#include "upstream.h"

namespace primer::kernels {

// Each forward here writes each loss to `losses` or, where that is null, returns their sum.

/// The label of each row, and how much the row counts.
struct Labels {
    const Index* values;
    Index ignore_index = -100;     ///< rows with this label do not count
    const Real* weight = nullptr;  ///< of each class; null: 1

    Index operator[](Index row) const { return values[row]; }
    bool ignored(Index row) const { return values[row] == ignore_index; }
    Real weight_of(Index row) const { return weight != nullptr ? weight[values[row]] : Real(1); }
};

/// The losses -sum_c w_c t_rc log_softmax(x_r)_c of the rows r of x [rows, classes], where w_c is
/// the weight of class c and the target t_rc is 1 - smoothing + smoothing / classes at the label of
/// r and smoothing / classes elsewhere; 0 for ignored rows. Also writes p, the softmax of x, for
/// the backward.
double cross_entropy(Index rows, Index classes, const Real* x, const Labels& labels,
                     double smoothing, Real* p, Real* losses);
/// dx_ri = dy_r (p_ri sum_c w_c t_rc - w_i t_ri); 0 for ignored rows.
void cross_entropy_backward(Index rows, Index classes, const Real* p, const Labels& labels,
                            double smoothing, const Upstream& dy, Real* dx);

/// The losses -w_c x[o, c, i] for x [outer, classes, inner], where c is the label of row
/// o * inner + i; 0 for ignored rows.
double nll_loss(const Axis& axis, const Real* x, const Labels& labels, Real* losses);
/// Its gradient, added to dx, which must be 0.
void nll_loss_backward(const Axis& axis, const Labels& labels, const Upstream& dy, Real* dx);

/// Whether low <= x[i] <= high for all i < n; not for a NaN.
bool within(Index n, Real low, Real high, const Real* x);

/// A parabola between two lines: h(x) = slope x^2 / (2 bend) for |x| < bend, else slope (|x| -
/// bend / 2). With bend = 0 it is slope |x|.
struct Bent {
    double bend, slope;
};

/// The losses h(x[i] - t[i]). t may be null: 0.
double bent(Index n, const Bent& h, const Real* x, const Real* t, Real* losses);
/// dx = dy h'(x - t), and 0 where x = t.
void bent_backward(Index n, const Bent& h, const Real* x, const Real* t, const Upstream& dy,
                   Real* dx);

// In what follows, dx or dt may be null and is then not computed. Weights may be null, too: 1.

/// The losses -w (t log(x) + (1 - t) log(1 - x)) for probabilities x, targets t and weights w, with
/// logarithms of at least -100.
double binary_cross_entropy(Index n, const Real* x, const Real* t, const Real* w, Real* losses);
void binary_cross_entropy_backward(Index n, const Real* x, const Real* t, const Real* w,
                                   const Upstream& dy, Real* dx, Real* dt);

/// The losses w ((1 - t) log(1 + e^x) + v t log(1 + e^-x)) for logits x, targets t, weights w and
/// weights v of the positive examples.
double binary_cross_entropy_with_logits(Index n, const Real* x, const Real* t, const Real* w,
                                        const Real* v, Real* losses);
void binary_cross_entropy_with_logits_backward(Index n, const Real* x, const Real* t, const Real* w,
                                               const Real* v, const Upstream& dy, Real* dx,
                                               Real* dt);

/// The losses t log(t) - t x, where 0 log(0) = 0; with log_target e^t (t - x).
double kl_div(Index n, bool log_target, const Real* x, const Real* t, Real* losses);
void kl_div_backward(Index n, bool log_target, const Real* x, const Real* t, const Upstream& dy,
                     Real* dx, Real* dt);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

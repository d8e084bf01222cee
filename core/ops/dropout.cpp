#include "../kernels/dropout.h"
#include "../error.h"
#include "../ops.h"
#include "../tape.h"

namespace primer {
namespace {

void check_probability(const char* op, double p) {
    check(p >= 0 && p <= 1, op, ": expected a probability p from 0 to 1, got ", p);
}

}  // namespace

// y = x m with m = 0 with probability p, else 1 / (1 - p), so dx = dy m. The mask m is applied
// while it is drawn, and kept as one byte for each element.
Tensor dropout(const Tensor& x, Only<double> p, Rng& rng) {
    check_probability("dropout", p);
    if (p == 0) return x;
    Tensor y = empty(x.shape());
    const SavedBytes kept(x.numel());
    kernels::dropout(x.numel(), p, rng.next(), x.data(), y.mutable_data(), kept.data());
    return record({"dropout", 0}, y, {x}, [p, kept](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        const Tensor grad = empty(dy.shape());
        kernels::dropout_backward(dy.numel(), p, kept.data(), dy.data(), grad.mutable_data());
        dx.add(grad);
    });
}

// The mask, one number for each channel, is the dropout of ones; mul repeats it over the channel
// and keeps it.
Tensor dropout2d(const Tensor& x, Only<double> p, Rng& rng) {
    check_probability("dropout2d", p);
    check(x.rank() == 4, "dropout2d: expected x [N, C, H, W], got ", x.shape(),
          x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    return p == 0 ? x : mul(x, dropout(ones({x.shape()[0], x.shape()[1], 1, 1}), p, rng));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

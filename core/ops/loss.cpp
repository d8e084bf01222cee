#include "primer/core/kernels/loss.h"

#include "primer/core/error.h"
#include "primer/core/kernels/elementwise.h"
#include "primer/core/ops.h"
#include "primer/core/tape.h"

namespace primer {
namespace {

Real reduction_factor(Reduction reduction, Index count) {
    return reduction == Reduction::mean ? 1 / static_cast<Real>(count) : Real(1);
}

}  // namespace

// For one row with logits x, p = softmax(x) and targets t that add up to 1:
// L = -sum_c t_c (x_c - log sum_j e^(x_j)), so dL/dx_i = -t_i + e^(x_i) / sum_j e^(x_j) = p_i -
// t_i.
Tensor cross_entropy(const Tensor& logits, const IntTensor& labels,
                     const CrossEntropyOptions& options) {
    check(logits.rank() == 2 && logits.shape()[1] >= 1,
          "cross_entropy: expected logits [N, classes], got ", logits.shape());
    const Index rows = logits.shape()[0], classes = logits.shape()[1];
    check(labels.shape == Shape{rows}, "cross_entropy: expected ", rows, " labels for logits ",
          logits.shape(), ", got labels of shape ", labels.shape);
    const double s = options.label_smoothing;
    check(s >= 0 && s <= 1, "cross_entropy: expected a label_smoothing from 0 to 1, got ", s);
    for (std::size_t r = 0; r < labels.values.size(); ++r) {
        check(labels.values[r] >= 0 && labels.values[r] < classes, "cross_entropy: label ",
              labels.values[r], " of example ", r, " is outside 0 ... ", classes - 1,
              " for logits ", logits.shape(), "; has the last layer an output for every class?");
    }
    const Real factor = reduction_factor(options.reduction, rows);
    Tensor p = empty(logits.shape());
    const double loss = kernels::cross_entropy(rows, classes, logits.data(), labels.values.data(),
                                               s, p.mutable_data());
    return record("cross_entropy", Tensor(loss * static_cast<double>(factor)), {logits},
                  [rows, classes, s, factor, labels = labels.values, p = Saved(p)](
                      const Tensor& dy, std::span<Grad> d) {
                      Tensor dx = empty({rows, classes});
                      kernels::cross_entropy_backward(rows, classes, p->data(), labels.data(), s,
                                                      factor * dy.item(), dx.mutable_data());
                      d[0].add(dx);
                  });
}

// L = f sum (x - t)^2 with f = 1 or 1/n, so dL/dx = 2 f (x - t) and dL/dt = -dL/dx.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    check(x.shape() == target.shape(), "mse_loss: expected two tensors of one shape, got ",
          x.shape(), " and ", target.shape());
    const Real factor = reduction_factor(reduction, x.numel());
    const auto [difference, loss] = [&] {
        const NoGrad recorded_as_one_op;
        Tensor d = sub(x, target);
        return std::pair(d, mul(sum(mul(d, d)), factor));
    }();
    return record("mse_loss", loss, {x, target},
                  [factor, difference = Saved(difference)](const Tensor& dy, std::span<Grad> d) {
                      const Tensor dx = mul(difference, 2 * factor * dy.item());
                      d[0].add(dx);
                      if (d[1].wanted()) d[1].add(neg(dx));
                  });
}

}  // namespace primer

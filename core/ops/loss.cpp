#include "../kernels/loss.h"

#include <vector>

#include "../error.h"
#include "../internal.h"
#include "../kernels/copy.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../options.h"
#include "../tape.h"

namespace primer {
namespace {

Real reduction_factor(Reduction reduction, Index count) {
    return reduction == Reduction::mean ? 1 / static_cast<Real>(count) : Real(1);
}

// A guess at what a label that is not a class means.
const char* hint_of(Index label) {
    return label == -100 ? "; PyTorch leaves out examples with this label, its ignore_index; here "
                           "leave them out of x and of the labels"
           : label < 0   ? "; classes are counted from 0"
                         : "; has the last layer an output for every class?";
}

// One label in 0 ... classes - 1 for each row of x [N, classes].
void check_labels(const char* op, const char* what, const Shape& x, const IntTensor& labels) {
    labels.check_whole(op);
    check(x.rank() == 2, op, ": expected ", what, " [N, classes], got ", x);
    check(x[1] >= 1, op, ": expected ", what, " [N, classes] with at least one class, got ", x);
    check(labels.shape == Shape{x[0]}, op, ": expected ", x[0], " labels for ", what, ' ', x,
          ", got labels of shape ", labels.shape);
    for (std::size_t r = 0; r < labels.values.size(); ++r) {
        const Index label = labels.values[r];
        if (label >= 0 && label < x[1]) continue;
        fail(op, ": label ", label, " of example ", r, " is outside 0 ... ", x[1] - 1, " for ",
             what, ' ', x, hint_of(label));
    }
}

void check_same_shape(const char* op, const Tensor& x, const Tensor& target) {
    check(x.shape() == target.shape(), op, ": expected two tensors of one shape, got ", x.shape(),
          " and ", target.shape());
}

// x - target, within an op that is recorded as a whole.
Tensor difference_of(const Tensor& x, const Tensor& target) {
    const NoGrad not_recorded;
    return sub(x, target);
}

}  // namespace

// For one row with logits x, p = softmax(x) and targets t that add up to 1:
//     L       = -sum_c t_c (x_c - log sum_j e^(x_j))
//     dL/dx_i = -t_i + e^(x_i) / sum_j e^(x_j) = p_i - t_i
Tensor cross_entropy(const Tensor& logits, const IntTensor& labels,
                     const CrossEntropyOptions& options) {
    check_labels("cross_entropy", "logits", logits.shape(), labels);
    const Index rows = logits.shape()[0], classes = logits.shape()[1];
    const double s = options.label_smoothing;
    check(s >= 0 && s <= 1, "cross_entropy: expected a label_smoothing from 0 to 1, got ", s);
    const Real factor = reduction_factor(options.reduction, rows);
    Tensor p = empty(logits.shape());
    const double loss = kernels::cross_entropy(rows, classes, logits.data(), labels.values.data(),
                                               s, p.mutable_data());
    return record({"cross_entropy", 0}, Tensor(loss * static_cast<double>(factor)), {logits},
                  [rows, classes, s, factor, labels = SavedList(labels.values), p = Saved(p)](
                      const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = empty({rows, classes});
                      kernels::cross_entropy_backward(rows, classes, p->data(), labels->data(), s,
                                                      factor * dy.item(), grad.mutable_data());
                      dx.add(grad);
                  });
}

// L = f sum (x - t)^2 with f = 1 or 1/n, so dL/dx = 2 f (x - t) and dL/dt = -dL/dx.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    check_same_shape("mse_loss", x, target);
    const Real factor = reduction_factor(reduction, x.numel());
    const Tensor difference = difference_of(x, target);
    const double squares = kernels::sum_of_squares(x.numel(), difference.data());
    return record({"mse_loss", 0}, Tensor(squares * static_cast<double>(factor)), {x, target},
                  [factor, difference = Saved(difference)](const Tensor& dy, std::span<Grad> d) {
                      Grad &dx = d[0], &dt = d[1];
                      const Tensor grad = mul(difference, 2 * factor * dy.item());
                      dx.add(grad);
                      if (dt.wanted()) dt.add(neg(grad));
                  });
}

// L = -f sum_n x[n, labels[n]], so dx is -f there and 0 elsewhere.
Tensor nll_loss(const Tensor& log_probabilities, const IntTensor& labels, Reduction reduction) {
    const Tensor& x = log_probabilities;
    check_labels("nll_loss", "log_probabilities", x.shape(), labels);
    const Index classes = x.shape()[1];
    const Real factor = reduction_factor(reduction, x.shape()[0]);
    double sum = 0;
    const Real* row = x.data();
    for (const Index label : labels.values) {
        sum += static_cast<double>(row[label]);
        row += classes;
    }
    return record({"nll_loss", 0}, Tensor(-sum * static_cast<double>(factor)), {x},
                  [factor, shape = x.shape(), labels = SavedList(labels.values)](
                      const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      const Tensor grad = zeros(shape);
                      Real* to = grad.mutable_data();
                      for (const Index label : *labels) {
                          to[label] = -factor * dy.item();
                          to += shape[1];
                      }
                      dx.add(grad);
                  });
}

namespace {

// L = f sum h(e) for e = x - t, so dL/dx = f h'(e) and dL/dt = -dL/dx. h is e^2 / (2 beta) with
// h' = e / beta where |e| < beta, else |e| - beta / 2 with h' = sign(e).
Tensor smooth_l1(const char* op, const Tensor& x, const Tensor& target, Reduction reduction,
                 double beta) {
    check_same_shape(op, x, target);
    const Real factor = reduction_factor(reduction, x.numel());
    const Tensor difference = difference_of(x, target);
    const double sum = kernels::smooth_l1(x.numel(), beta, difference.data());
    return record({op, 0}, Tensor(sum * static_cast<double>(factor)), {x, target},
                  [beta, factor, e = Saved(difference)](const Tensor& dy, std::span<Grad> d) {
                      Grad &dx = d[0], &dt = d[1];
                      const Tensor grad = empty(e->shape());
                      kernels::smooth_l1_backward(e->numel(), beta, e->data(), factor * dy.item(),
                                                  grad.mutable_data());
                      dx.add(grad);
                      if (dt.wanted()) dt.add(neg(grad));
                  });
}

}  // namespace

Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    return smooth_l1("l1_loss", x, target, reduction, 0);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& options) {
    check_not_negative(options.beta, "smooth_l1_loss", "beta");
    return smooth_l1("smooth_l1_loss", x, target, options.reduction, options.beta);
}

namespace {

// pos_weight in the shape of x; undefined if it is.
Tensor weights_like(const Tensor& x, const Tensor& pos_weight, const char* op) {
    if (!pos_weight.defined()) return {};
    check(broadcast(pos_weight.shape(), x.shape(), op) == x.shape(), op, ": the pos_weight ",
          pos_weight.shape(), " does not broadcast to x ", x.shape());
    Tensor w = empty(x.shape());
    kernels::expand(pos_weight.shape(), pos_weight.data(), x.shape(), w.mutable_data());
    return w;
}

}  // namespace

// With s = s(x): log s = -log(1 + e^-x) = -sp(-x) and log(1 - s) = -sp(x), where sp is softplus,
// sp(x) = log(1 + e^x) with sp'(x) = s(x), and w = pos_weight:
//     L = f sum ((1 - t) sp(x) + w t sp(-x))
//     dL/dx = f ((1 - t) s(x) - w t s(-x)),  dL/dt = f (w sp(-x) - sp(x))
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BinaryCrossEntropyOptions& options) {
    const char* const op = "binary_cross_entropy_with_logits";
    check_same_shape(op, x, target);
    for (const Real t : target.values()) {
        check(t >= 0 && t <= 1, op, ": expected targets from 0 to 1, got ", t,
              t > 1 ? "; for labels of several classes there is cross_entropy" : "");
    }
    const Tensor w = weights_like(x, options.pos_weight, op);
    const Real factor = reduction_factor(options.reduction, x.numel());
    const double sum = kernels::binary_cross_entropy(x.numel(), x.data(), target.data(),
                                                     internal::data_or_null(w));
    return record({op, 0}, Tensor(sum * static_cast<double>(factor)), {x, target},
                  [factor, weighted = w.defined(), w = Saved(w, w.defined()), x = Saved(x),
                   t = Saved(target)](const Tensor& dy, std::span<Grad> d) {
                      Grad &dx = d[0], &dt = d[1];
                      const Tensor grad_x = dx.wanted() ? empty(x->shape()) : Tensor();
                      const Tensor grad_t = dt.wanted() ? empty(x->shape()) : Tensor();
                      kernels::binary_cross_entropy_backward(
                          x->numel(), x->data(), t->data(), weighted ? w->data() : nullptr,
                          factor * dy.item(), internal::mutable_data_or_null(grad_x),
                          internal::mutable_data_or_null(grad_t));
                      dx.add(grad_x);
                      dt.add(grad_t);
                  });
}

// L = sum |w|, so dL/dw = sign(w): smooth_l1 with beta = 0.
Tensor l1_penalty(std::span<const Parameter> parameters) {
    double sum = 0;
    std::vector<Saved> saved;
    for (const Parameter& w : parameters) {
        sum += kernels::smooth_l1(w.numel(), 0, w.data());
        saved.emplace_back(w);
    }
    const std::vector<Tensor> inputs(parameters.begin(), parameters.end());
    return record(
        {"l1_penalty", 0}, Tensor(sum), inputs, [saved](const Tensor& dy, std::span<Grad> d) {
            for (std::size_t i = 0; i < saved.size(); ++i) {
                Grad& dw = d[i];
                if (!dw.wanted()) continue;
                const Tensor& w = saved[i];
                const Tensor grad = empty(w.shape());
                kernels::smooth_l1_backward(w.numel(), 0, w.data(), dy.item(), grad.mutable_data());
                dw.add(grad);
            }
        });
}

}  // namespace primer

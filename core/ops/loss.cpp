#include "../kernels/loss.h"

#include <vector>

#include "../error.h"
#include "../internal.h"
#include "../kernels/copy.h"
#include "../kernels/elementwise.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../options.h"
#include "../tape.h"
#include "gradients.h"
#include "reduction.h"

namespace primer {
namespace {

void check_same_shape(const char* op, const Tensor& x, const Tensor& target) {
    check(x.shape() == target.shape(), op, ": expected two tensors of one shape, got ", x.shape(),
          " and ", target.shape());
}

Real element_factor(const char* op, Reduction reduction, const Tensor& x) {
    return reduction_factor(op, reduction, static_cast<double>(x.numel()));
}

// x - target, within an op that is recorded as a whole.
Tensor difference_of(const Tensor& x, const Tensor& target) {
    const NoGrad not_recorded;
    return sub(x, target);
}

}  // namespace

// L = f sum (x - t)^2 with f = 1 or 1/n, so dL/dx = 2 f (x - t) and dL/dt = -dL/dx.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    check_same_shape("mse_loss", x, target);
    const Real factor = element_factor("mse_loss", reduction, x);
    const Tensor difference = difference_of(x, target);
    const Tensor loss = reduced(reduction, x.shape(), factor, [&](Real* losses) {
        const Real* e = difference.data();
        const kernels::Broadcast loop(x.shape(), x.shape(), "mse_loss");
        if (losses == nullptr) return kernels::sum_of_squares(x.numel(), e);
        kernels::mul(loop, e, e, losses);
        return 0.0;
    });
    return record({"mse_loss", 0}, loss, {x, target},
                  [factor, difference = Saved(difference)](const Tensor& dy, std::span<Grad> d) {
                      Grad &dx = d[0], &dt = d[1];
                      const Tensor grad = mul(difference, mul(dy, 2 * factor));
                      dx.add(grad);
                      if (dt.wanted()) dt.add(neg(grad));
                  });
}

namespace {

// L = f sum h(e) for e = x - t, so dL/dx = f h'(e) and dL/dt = -dL/dx. h is slope e^2 / (2 bend)
// with h' = slope e / bend where |e| < bend, else slope (|e| - bend / 2) with h' = slope sign(e).
Tensor bent_loss(const char* op, const Tensor& x, const Tensor& target, Reduction reduction,
                 const kernels::Bent& h) {
    check_same_shape(op, x, target);
    const Real factor = element_factor(op, reduction, x);
    const Tensor loss = reduced(reduction, x.shape(), factor, [&](Real* losses) {
        return kernels::bent(x.numel(), h, x.data(), target.data(), losses);
    });
    return record(
        {op, 0}, loss, {x, target},
        [h, factor, x = Saved(x), t = Saved(target)](const Tensor& dy, std::span<Grad> d) {
            Grad &dx = d[0], &dt = d[1];
            const Tensor grad = empty(x->shape());
            kernels::bent_backward(x->numel(), h, x->data(), t->data(), upstream(dy, factor),
                                   grad.mutable_data());
            dx.add(grad);
            if (dt.wanted()) dt.add(neg(grad));
        });
}

constexpr kernels::Bent kAbsoluteValue{.bend = 0, .slope = 1};

}  // namespace

Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    return bent_loss("l1_loss", x, target, reduction, kAbsoluteValue);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& options) {
    check_not_negative(options.beta, "smooth_l1_loss", "beta");
    return bent_loss("smooth_l1_loss", x, target, options.reduction,
                     {.bend = options.beta, .slope = 1});
}

// Huber, "Robust Estimation of a Location Parameter", 1964.
Tensor huber_loss(const Tensor& x, const Tensor& target, const HuberLossOptions& options) {
    check(options.delta > 0, "huber_loss: expected delta > 0, got ", options.delta);
    check_finite(options.delta, "huber_loss", "delta");
    return bent_loss("huber_loss", x, target, options.reduction,
                     {.bend = options.delta, .slope = options.delta});
}

namespace {

void check_probabilities(const char* op, const char* what, const Tensor& x, const char* hint = "") {
    if (kernels::within(x.numel(), 0, 1, x.data())) return;
    for (const Real p : x.values()) {
        check(p >= 0 && p <= 1, op, ": expected ", what, " from 0 to 1, got ", p,
              p > 1 ? hint : "");
    }
}

// `weight` in the shape of x; undefined if it is.
Tensor weights_like(const Tensor& x, const Tensor& weight, const char* op, const char* what) {
    if (!weight.defined()) return {};
    check(broadcast(weight.shape(), x.shape(), op) == x.shape(), op, ": the ", what, ' ',
          weight.shape(), " does not broadcast to x ", x.shape());
    Tensor w = empty(x.shape());
    kernels::expand(weight.shape(), weight.data(), x.shape(), w.mutable_data());
    return w;
}

}  // namespace

//     L = -f sum w (t log x + (1 - t) log(1 - x))
//     dL/dx = f w (x - t) / (x (1 - x)),  dL/dt = f w (log(1 - x) - log x)
// PyTorch takes the logarithms in L as at least -100, and x (1 - x) as at least 1e-12.
Tensor binary_cross_entropy(const Tensor& x, const Tensor& target,
                            const BinaryCrossEntropyOptions& options) {
    const char* const op = "binary_cross_entropy";
    check_same_shape(op, x, target);
    check_probabilities(op, "probabilities", x,
                        "; for logits there is binary_cross_entropy_with_logits");
    check_probabilities(op, "targets", target);
    const Tensor w = weights_like(x, options.weight, op, "weight");
    const Real factor = element_factor(op, options.reduction, x);
    const Tensor loss = reduced(options.reduction, x.shape(), factor, [&](Real* losses) {
        return kernels::binary_cross_entropy(x.numel(), x.data(), target.data(),
                                             internal::data_or_null(w), losses);
    });
    return record({op, 0}, loss, {x, target},
                  [factor, w = Saved(w, w.defined()), x = Saved(x), t = Saved(target)](
                      const Tensor& dy, std::span<Grad> d) {
                      internal::add_gradients(d, {x->shape(), x->shape()}, [&](Real* dx, Real* dt) {
                          kernels::binary_cross_entropy_backward(x->numel(), x->data(), t->data(),
                                                                 internal::data_or_null(w),
                                                                 upstream(dy, factor), dx, dt);
                      });
                  });
}

// With s = s(x): log s = -log(1 + e^-x) = -sp(-x) and log(1 - s) = -sp(x), where sp is softplus,
// sp(x) = log(1 + e^x) with sp'(x) = s(x), w = weight and v = pos_weight:
//     L = f sum w ((1 - t) sp(x) + v t sp(-x))
//     dL/dx = f w ((1 - t) s(x) - v t s(-x)),  dL/dt = f w (v sp(-x) - sp(x))
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options) {
    const char* const op = "binary_cross_entropy_with_logits";
    check_same_shape(op, x, target);
    check_probabilities(op, "targets", target,
                        "; for labels of several classes there is cross_entropy");
    const Tensor v = weights_like(x, options.pos_weight, op, "pos_weight");
    const Tensor w = weights_like(x, options.weight, op, "weight");
    const Real factor = element_factor(op, options.reduction, x);
    const Tensor loss = reduced(options.reduction, x.shape(), factor, [&](Real* losses) {
        return kernels::binary_cross_entropy_with_logits(x.numel(), x.data(), target.data(),
                                                         internal::data_or_null(w),
                                                         internal::data_or_null(v), losses);
    });
    return record({op, 0}, loss, {x, target},
                  [factor, w = Saved(w, w.defined()), v = Saved(v, v.defined()), x = Saved(x),
                   t = Saved(target)](const Tensor& dy, std::span<Grad> d) {
                      internal::add_gradients(d, {x->shape(), x->shape()}, [&](Real* dx, Real* dt) {
                          kernels::binary_cross_entropy_with_logits_backward(
                              x->numel(), x->data(), t->data(), internal::data_or_null(w),
                              internal::data_or_null(v), upstream(dy, factor), dx, dt);
                      });
                  });
}

// L = f sum t (log t - x), so dL/dx = -f t and dL/dt = f (log t + 1 - x).
// With log_target t is a logarithm: L = f sum e^t (t - x), dL/dx = -f e^t and
// dL/dt = f e^t (t - x + 1).
Tensor kl_div(const Tensor& x, const Tensor& target, const KlDivOptions& options) {
    check_same_shape("kl_div", x, target);
    const bool batchmean = options.reduction == Reduction::batchmean, logs = options.log_target;
    const Real factor = batchmean ? 1 / static_cast<Real>(at_least_1d(x.shape())[0])
                                  : element_factor("kl_div", options.reduction, x);
    const auto loss = [&](Real* losses) {
        return kernels::kl_div(x.numel(), logs, x.data(), target.data(), losses);
    };
    return record(
        {"kl_div", 0}, reduced(options.reduction, x.shape(), factor, loss), {x, target},
        [logs, factor, x = Saved(x), t = Saved(target)](const Tensor& dy, std::span<Grad> d) {
            internal::add_gradients(d, {x->shape(), x->shape()}, [&](Real* dx, Real* dt) {
                kernels::kl_div_backward(x->numel(), logs, x->data(), t->data(),
                                         upstream(dy, factor), dx, dt);
            });
        });
}

// L = sum |w|, so dL/dw = sign(w).
Tensor l1_penalty(std::span<const Parameter> parameters) {
    double sum = 0;
    std::vector<Saved> saved;
    for (const Parameter& w : parameters) {
        sum += kernels::bent(w.numel(), kAbsoluteValue, w.data(), nullptr, nullptr);
        saved.emplace_back(w);
    }
    const std::vector<Tensor> inputs(parameters.begin(), parameters.end());
    return record({"l1_penalty", 0}, Tensor(sum), inputs,
                  [saved](const Tensor& dy, std::span<Grad> d) {
                      for (std::size_t i = 0; i < saved.size(); ++i) {
                          Grad& dw = d[i];
                          if (!dw.wanted()) continue;
                          const Tensor& w = saved[i];
                          const Tensor grad = empty(w.shape());
                          kernels::bent_backward(w.numel(), kAbsoluteValue, w.data(), nullptr,
                                                 upstream(dy, 1), grad.mutable_data());
                          dw.add(grad);
                      }
                  });
}

}  // namespace primer
// SPDX-License-Identifier: MIT

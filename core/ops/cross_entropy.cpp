#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "../error.h"
#include "../internal.h"
#include "../kernels/loss.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../tape.h"
#include "reduction.h"

namespace primer {
namespace {

// The dimension of the classes.
int class_dim(const char* op, const char* what, const Shape& x) {
    check(x.rank() >= 1 && x[x.rank() == 1 ? 0 : 1] >= 1, op, ": expected ", what,
          " [N, classes, ...] or [classes] with at least one class, got ", x);
    return x.rank() == 1 ? 0 : 1;
}

void check_weight(const char* op, const Tensor& weight, Index classes) {
    if (!weight.defined()) return;
    check(weight.shape() == Shape{classes}, op, ": expected a weight [", classes,
          "], one for each class, got ", weight.shape());
}

// Position i in a tensor of this shape, for messages.
std::string position_text(Index i, const Shape& shape) {
    if (shape.rank() == 1) return " of example " + std::to_string(i);
    std::string text;
    for (int d = shape.rank(); d-- > 0; i /= shape[d]) {
        text = std::to_string(i % shape[d]) + (text.empty() ? "" : ", ") + text;
    }
    return text.empty() ? "" : " at [" + text + ']';
}

// A guess at what a label that is not a class means.
const char* hint_of(Index label) {
    return label == -100 ? "; it is ignored only if ignore_index is -100"
           : label < 0   ? "; classes are counted from 0"
                         : "; has the last layer an output for every class?";
}

// Checked labels for x [N, classes, ...] and the weights of their classes, as a backward keeps
// them.
class ClassLabels {
  public:
    ClassLabels(const char* op, const char* what, const Shape& x, const IntTensor& labels,
                Index ignore_index, const Tensor& weight)
        : axis(x, class_dim(op, what, x)),
          labels_(labels.values),
          ignore_index_(ignore_index),
          weight_(weight, weight.defined()) {
        labels.check_whole(op);
        check_weight(op, weight, axis.n);
        const Shape expected = x.without(class_dim(op, what, x));
        check(labels.shape == expected, op, ": expected labels of shape ", expected, " for ", what,
              ' ', x, ", got ", labels.shape);
        const auto classes = static_cast<std::uint64_t>(axis.n);
        for (std::size_t i = 0; i < labels.values.size(); ++i) {
            const Index label = labels.values[i];
            if (label == ignore_index) {
                --not_ignored_;
            } else if (static_cast<std::uint64_t>(label) >= classes) {  // or below 0
                fail(op, ": label ", label, position_text(static_cast<Index>(i), expected),
                     " is outside 0 ... ", axis.n - 1, " for ", what, ' ', x, hint_of(label));
            }
        }
    }
    kernels::Labels get() const {
        return {labels_->data(), ignore_index_, internal::data_or_null(weight_)};
    }
    Index count() const { return axis.outer * axis.inner; }
    // The sum of the weights of all labels that are not ignored.
    double total_weight() const {
        if (!weight_.defined()) return static_cast<double>(not_ignored_);
        const kernels::Labels labels = get();
        double sum = 0;
        for (Index i = 0; i < count(); ++i) {
            if (!labels.ignored(i)) sum += static_cast<double>(labels.weight_of(i));
        }
        return sum;
    }

    const kernels::Axis axis;  // of the classes in x

  private:
    SavedList<Index> labels_;
    Index ignore_index_, not_ignored_ = std::ssize(*labels_);
    Saved weight_;
};

void check_smoothing(double s) {
    check(s >= 0 && s <= 1, "cross_entropy: expected a label_smoothing from 0 to 1, got ", s);
}

// x with the classes as its last dimension: x itself, or a copy [outer, inner, classes].
Tensor classes_last(const Tensor& x, const kernels::Axis& axis) {
    const NoGrad not_recorded;
    if (axis.inner == 1) return x;
    return transpose(reshape(x, {axis.outer, axis.n, axis.inner}), 1, 2);
}

// The same, the other way round.
Tensor classes_back(const Tensor& y, const kernels::Axis& axis, const Shape& shape) {
    return axis.inner == 1 ? y : reshape(transpose(y, 1, 2), shape);
}

}  // namespace

// For one example with logits x, p = softmax(x), targets t that add up to 1 and class weights w:
//     L       = -sum_c w_c t_c (x_c - log sum_j e^(x_j))
//     dL/dx_i = -w_i t_i + e^(x_i) / sum_j e^(x_j) sum_c w_c t_c = p_i sum_c w_c t_c - w_i t_i
// Without weights that is p_i - t_i.
Tensor cross_entropy(const Tensor& logits, const IntTensor& labels,
                     const CrossEntropyOptions& options) {
    const char* const op = "cross_entropy";
    const ClassLabels known(op, "logits", logits.shape(), labels, options.ignore_index,
                            options.weight);
    const double s = options.label_smoothing;
    check_smoothing(s);
    const Real factor = reduction_factor(op, options.reduction, known.total_weight());
    const Tensor x = classes_last(logits, known.axis);
    const Tensor p = empty(x.shape());
    const Tensor loss = reduced(options.reduction, labels.shape, factor, [&](Real* losses) {
        return kernels::cross_entropy(known.count(), known.axis.n, x.data(), known.get(), s,
                                      p.mutable_data(), losses);
    });
    return record({op, 0}, loss, {logits},
                  [s, factor, shape = logits.shape(), known, p = Saved(p)](const Tensor& dy,
                                                                           std::span<Grad> d) {
                      Grad& dx = d[0];
                      const Tensor grad = empty(p->shape());
                      kernels::cross_entropy_backward(known.count(), known.axis.n, p->data(),
                                                      known.get(), s, upstream(dy, factor),
                                                      grad.mutable_data());
                      dx.add(classes_back(grad, known.axis, shape));
                  });
}

// The formula as it stands, made of other ops, which know their gradients.
Tensor cross_entropy(const Tensor& logits, const Tensor& probabilities,
                     const CrossEntropyOptions& options) {
    const char* const op = "cross_entropy";
    const int dim = class_dim(op, "logits", logits.shape());
    const Index classes = logits.shape()[dim], rows = logits.numel() / classes;
    check(probabilities.shape() == logits.shape(), op,
          ": expected target probabilities of the logits' shape ", logits.shape(), ", got ",
          probabilities.shape(), "; class labels are whole numbers: an IntTensor");
    check(options.ignore_index < 0, op, ": ignore_index is for labels, not for probabilities; got ",
          options.ignore_index);
    check_weight(op, options.weight, classes);
    const double s = options.label_smoothing;
    check_smoothing(s);
    const Real factor = reduction_factor(op, options.reduction, static_cast<double>(rows));

    Tensor target = probabilities;
    if (s > 0) target = target * (1 - s) + s / static_cast<double>(classes);
    if (options.weight.defined()) {
        // [classes, 1, ...]: the same along the dimensions after that of the classes
        std::vector<Index> sizes(static_cast<std::size_t>(logits.rank() - dim), 1);
        sizes[0] = classes;
        target = target * reshape(options.weight.detach(), sizes);
    }
    const Tensor losses = -sum(log_softmax(logits, dim) * target, dim);
    return options.reduction == Reduction::none ? losses : sum(losses) * factor;
}

// L = -sum_r w_r x_r with x_r the log-probability of label r and w_r the weight of its class, so
// the gradient of x_r is -w_r, and the others' is 0.
Tensor nll_loss(const Tensor& log_probabilities, const IntTensor& labels,
                const NllLossOptions& options) {
    const Tensor& x = log_probabilities;
    const ClassLabels known("nll_loss", "log_probabilities", x.shape(), labels,
                            options.ignore_index, options.weight);
    const Real factor = reduction_factor("nll_loss", options.reduction, known.total_weight());
    const Tensor loss = reduced(options.reduction, labels.shape, factor, [&](Real* losses) {
        return kernels::nll_loss(known.axis, x.data(), known.get(), losses);
    });
    return record({"nll_loss", 0}, loss, {x},
                  [factor, shape = x.shape(), known](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      const Tensor grad = zeros(shape);
                      kernels::nll_loss_backward(known.axis, known.get(), upstream(dy, factor),
                                                 grad.mutable_data());
                      dx.add(grad);
                  });
}

}  // namespace primer
// SPDX-License-Identifier: MIT

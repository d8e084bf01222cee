#pragma once

#include "../error.h"
#include "../internal.h"
#include "../kernels/loss.h"
#include "../ops.h"

// What the losses share: from many losses to the result, and from the gradient of the result to
// theirs.

namespace primer {

/// 1 / count for a mean, else 1.
inline Real reduction_factor(const char* op, Reduction reduction, double count) {
    check(reduction != Reduction::batchmean, op,
          ": Reduction::batchmean is for kl_div only; use mean, sum or none");
    return reduction == Reduction::mean ? 1 / static_cast<Real>(count) : Real(1);
}

/// The losses in `shape`, if they are not reduced, or their sum times `factor`. loss(Real* losses)
/// writes each loss to `losses` or, if that is null, returns their sum.
template <class Loss>
Tensor reduced(Reduction reduction, const Shape& shape, Real factor, const Loss& loss) {
    const Tensor losses = reduction == Reduction::none ? empty(shape) : Tensor();
    const double sum = loss(internal::mutable_data_or_null(losses));
    return losses.defined() ? losses : Tensor(sum * static_cast<double>(factor));
}

/// What reaches each loss of dy, the gradient of the result.
inline kernels::Upstream upstream(const Tensor& dy, Real factor) {
    return {.dy = dy.data(), .step = dy.numel() == 1 ? 0 : 1, .factor = factor};
}

}  // namespace primer
// SPDX-License-Identifier: MIT

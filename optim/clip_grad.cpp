#include "clip_grad.h"

#include <cmath>

#include "../core/error.h"
#include "../core/kernels/elementwise.h"
#include "../core/kernels/reduce.h"

namespace primer {

Real clip_grad_norm_(std::span<const Parameter> parameters, Only<double> max_norm) {
    check(max_norm >= 0, "clip_grad_norm_: expected max_norm >= 0, got ", max_norm);
    double squares = 0;
    for (const Parameter& parameter : parameters) {
        const Tensor grad = parameter.grad();
        if (grad.defined()) squares += kernels::sum_of_squares(grad.numel(), grad.data());
    }
    const double norm = std::sqrt(squares);
    const double factor = max_norm / (norm + 1e-6);
    if (factor >= 1) return static_cast<Real>(norm);
    for (const Parameter& parameter : parameters) {  // if any is NaN, all become NaN
        const Tensor grad = parameter.grad();
        if (!grad.defined()) continue;
        Tensor::Impl& impl = grad.impl();
        const bool used = impl.used_version == impl.storage->version();
        kernels::scale(grad.numel(), static_cast<Real>(factor),
                       grad.mutable_data("clip_grad_norm_"));
        // A used gradient is not a new one because it was scaled, so zero_grad() is still due.
        if (used) impl.used_version = impl.storage->version();
    }
    return static_cast<Real>(norm);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

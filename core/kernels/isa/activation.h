#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// The loops of the activations, at one instruction set, with the bits the same at all of them.
/// What they compute says core/kernels/activation.h, where they have the same names. y may be x,
/// and dx may be dy.
///
/// Errors in float, in units in the last place (ulp) of a result that is not subnormal:
///
///     exp, tanh                1      sigmoid   2.4
///     elu                      1.1    softplus  3
///     silu (x > -87)           3      gelu      5 (x > -13)
///
/// The derivatives are right to 1e-5 of their value, but near their zeros, where the terms of silu,
/// gelu and gelu_tanh cancel: there to 1e-6. gelu_tanh cancels for x < 0, as its formula does.
struct ActivationKernels {
    using Index = std::int64_t;
    using Forward = void (*)(Index n, const Real* x, Real* y);
    using Backward = void (*)(Index n, const Real* kept, const Real* dy, Real* dx);

    Forward relu;
    Backward relu_backward;

    void (*leaky_relu)(Index n, Real slope, const Real* x, Real* y);
    void (*leaky_relu_backward)(Index n, Real slope, const Real* x, const Real* dy, Real* dx);
    /// leaky_relu_backward with a slope w[i] for each.
    void (*prelu_backward)(Index n, const Real* x, const Real* w, const Real* dy, Real* dx);
    Backward prelu_backward_weight;

    void (*elu)(Index n, Real above, Real below, const Real* x, Real* y);
    void (*elu_backward)(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx);

    Forward gelu;
    Backward gelu_backward;
    Forward gelu_tanh;
    Backward gelu_tanh_backward;
    Forward silu;
    Backward silu_backward;
    Forward sigmoid;
    Backward sigmoid_backward;
    Forward tanh;
    Backward tanh_backward;

    void (*softplus)(Index n, Real beta, Real threshold, const Real* x, Real* y);
    void (*softplus_backward)(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                              Real* dx);

    Forward hardswish;
    Backward hardswish_backward;
};

namespace baseline {
ActivationKernels activation_kernels();
}
namespace avx2 {
ActivationKernels activation_kernels();
}
namespace avx512 {
ActivationKernels activation_kernels();
}

}  // namespace primer::kernels

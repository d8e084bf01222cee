#pragma once

#include <cstdint>

#include "primer/core/kernels/optimizer.h"

namespace primer::kernels {

/// The loops of the optimizers, at one instruction set, with the bits the same at all of them:
/// sgd_update, adam_update and rmsprop_update of core/kernels/optimizer.h.
struct OptimizerKernels {
    using Index = std::int64_t;
    void (*sgd)(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w);
    void (*adam)(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w);
    void (*rmsprop)(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                    Real* velocity, Real* w);
};

namespace baseline {
OptimizerKernels optimizer_kernels();
}
namespace avx2 {
OptimizerKernels optimizer_kernels();
}
namespace avx512 {
OptimizerKernels optimizer_kernels();
}

}  // namespace primer::kernels

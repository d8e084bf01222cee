// Only speed: optim/ has the formulas. Here threads share the elements.

#include "optimizer.h"

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {

void sgd_update(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w) {
    const auto loop = [&](Index count, auto*... arrays) {
        table().optimizer.sgd(count, step, arrays...);
    };
    in_chunks(n, kGrain, loop, grad, velocity, w);
}

void adam_update(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w) {
    const auto loop = [&](Index count, auto*... arrays) {
        table().optimizer.adam(count, step, arrays...);
    };
    in_chunks(n, kGrain, loop, grad, mean, square, largest, w);
}

void rmsprop_update(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                    Real* velocity, Real* w) {
    const auto loop = [&](Index count, auto*... arrays) {
        table().optimizer.rmsprop(count, step, arrays...);
    };
    in_chunks(n, kGrain, loop, grad, square, mean, velocity, w);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

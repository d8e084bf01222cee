// Only speed: the formulas stand in optim/. Here threads share the elements.

#include "optimizer.h"

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

constexpr Index kGrain = 16384;  // elements that are worth handing to another thread

// Where the elements from `begin` on are; null stays null.
Real* from(Real* values, Index begin) { return values != nullptr ? values + begin : nullptr; }

}  // namespace

void sgd_update(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        table().optimizer.sgd(end - begin, step, grad + begin, from(velocity, begin), w + begin);
    });
}

void adam_update(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        table().optimizer.adam(end - begin, step, grad + begin, mean + begin, square + begin,
                               from(largest, begin), w + begin);
    });
}

void rmsprop_update(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                    Real* velocity, Real* w) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        table().optimizer.rmsprop(end - begin, step, grad + begin, square + begin,
                                  from(mean, begin), from(velocity, begin), w + begin);
    });
}

}  // namespace primer::kernels

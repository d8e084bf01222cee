// Only speed: core/ops/dropout.cpp has the formula. Here threads share the elements.

#include "dropout.h"

#include "isa/table.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

static_assert(kGrain % kDropoutBlock == 0);  // each chunk begins at a block

Real scale_of(double p) { return static_cast<Real>(p < 1 ? 1 / (1 - p) : 0); }

}  // namespace

void dropout(Index n, double p, std::uint64_t seed, const Real* x, Real* y, std::uint8_t* kept) {
    // The numbers below the limit, of the 2^32 that may be drawn, drop an element. With p = 1 one
    // number does not, but then the scale is 0.
    const auto limit = static_cast<std::uint32_t>(p < 1 ? p * 0x1p32 : 0xffffffff);
    parallel_for(n, kGrain, [=](Index begin, Index end) {
        table().dropout.forward(begin, end - begin, seed, limit, scale_of(p), x + begin, y + begin,
                                kept + begin);
    });
}

void dropout_backward(Index n, double p, const std::uint8_t* kept, const Real* dy, Real* dx) {
    const auto loop = [scale = scale_of(p)](Index count, auto*... arrays) {
        table().dropout.backward(count, scale, arrays...);
    };
    in_chunks(n, kGrain, loop, kept, dy, dx);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

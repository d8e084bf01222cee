// Compiled once for each instruction set, like the kernels in core/kernels/isa and with the same
// flags. Nothing but declarations may be included here.
#include "fma.h"

#include <primer/core/kernels/isa/vector.h>

namespace primer::benchmarks::PRIMER_ISA_LEVEL {
namespace {

using kernels::PRIMER_ISA_LEVEL::kLanes;
using kernels::PRIMER_ISA_LEVEL::Vector;

// A fused multiply-add takes four or five cycles, and two can begin in each cycle, so at least ten
// chains are needed. All of them, with a and b, must stay in registers, of which there are 16 or
// more.
constexpr int kChains = 12;

float run(std::int64_t rounds, float a, float b) {
    const Vector all_a = a - Vector{}, all_b = b - Vector{};
    // Different start values: a compiler would merge chains that it knows to be equal.
    Vector x[kChains];
    for (int c = 0; c < kChains; ++c) x[c] = all_a * static_cast<float>(c);
    for (std::int64_t i = 0; i < rounds; ++i) {
        for (int c = 0; c < kChains; ++c) x[c] = x[c] * all_a + all_b;
    }
    float sum = 0;
    for (int c = 0; c < kChains; ++c) {
        for (int lane = 0; lane < kLanes; ++lane) sum += x[c][lane];
    }
    return sum;
}

}  // namespace

FmaChains fma_chains() { return {.flops_per_round = 2 * kChains * kLanes, .run = run}; }

}  // namespace primer::benchmarks::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

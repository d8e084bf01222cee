// Only speed. Compiled once for each instruction set, with PRIMER_ISA_LEVEL as its name.
// gemm_tile.cpp explains which headers may be included here.
#include "table.h"
#include "vector.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// kLanes outputs stay in a register while all taps pass by.
void forward(const DepthwiseLoops& l, const Real* x, const Real* weight, Real bias, Real* y) {
    for (Index i = 0; i < l.rows; ++i, x += l.x_step, y += l.columns) {
        Index j = 0;
        for (; j + kLanes <= l.columns; j += kLanes) {
            Vector sum = splat(bias);
            for (Index t = 0; t < l.taps; ++t) sum += weight[t] * load(x + l.offsets[t] + j);
            store(sum, y + j);
        }
        for (; j < l.columns; ++j) {
            Real sum = bias;
            for (Index t = 0; t < l.taps; ++t) sum += weight[t] * x[l.offsets[t] + j];
            y[j] = sum;
        }
    }
}

void weight(const DepthwiseLoops& l, const Real* x, const Real* dy, Real* dweight) {
    for (Index t = 0; t < l.taps; ++t) {
        Vector sums{};
        Real rest = 0;
        for (Index i = 0; i < l.rows; ++i) {
            const Real* const from = x + i * l.x_step + l.offsets[t];
            const Real* const d = dy + i * l.columns;
            Index j = 0;
            for (; j + kLanes <= l.columns; j += kLanes) sums += load(d + j) * load(from + j);
            for (; j < l.columns; ++j) rest += d[j] * from[j];
        }
        for (int lane = 0; lane < kLanes; ++lane) rest += sums[lane];
        dweight[t] += rest;
    }
}

}  // namespace

Depthwise depthwise() { return {.forward = forward, .weight = weight}; }

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

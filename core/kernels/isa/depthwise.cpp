// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
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

template <class V>
void add_products(const Real* a, const Real* b, V& sums) {
    V x, y;
    __builtin_memcpy(&x, a, sizeof x);
    __builtin_memcpy(&y, b, sizeof y);
    sums += x * y;
}

void weight(const DepthwiseLoops& l, const Real* x, const Real* dy, Real* dweight) {
    for (Index t = 0; t < l.taps; ++t) {
        Some<Real, 16>::Values sums{};
        Some<Real, 8>::Values half{};
        Some<Real, 4>::Values quarter{};
        Real rest = 0;
        for (Index i = 0; i < l.rows; ++i) {
            const Real* const from = x + i * l.x_step + l.offsets[t];
            const Real* const d = dy + i * l.columns;
            Index j = 0;
            for (; j + 16 <= l.columns; j += 16) add_products(d + j, from + j, sums);
            if (j + 8 <= l.columns) add_products(d + j, from + j, half), j += 8;
            if (j + 4 <= l.columns) add_products(d + j, from + j, quarter), j += 4;
            for (; j < l.columns; ++j) rest += d[j] * from[j];
        }
        for (int lane = 0; lane < 4; ++lane) rest += quarter[lane];
        for (int lane = 0; lane < 8; ++lane) rest += half[lane];
        for (int lane = 0; lane < 16; ++lane) rest += sums[lane];
        dweight[t] += rest;
    }
}

}  // namespace

Depthwise depthwise() { return {.forward = forward, .weight = weight}; }

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

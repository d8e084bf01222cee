// Only speed. Compiled once for each instruction set, with PRIMER_ISA_LEVEL as its name.
// gemm_tile.cpp explains which headers may be included here.
#include "table.h"

#include "math.h"
#include "sums.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

double wide(Real v) { return static_cast<double>(v); }

[[gnu::always_inline]] inline Real larger(Real a, Real b) { return b > a ? b : a; }

// As sum_of in sums.h: lanes side by side, of which halves are compared.
template <Index width>
[[gnu::always_inline]] inline Real largest_of_lanes(Real* lanes) {
    if constexpr (width > 1) {
        for (Index k = 0; k < width / 2; ++k) lanes[k] = larger(lanes[k], lanes[k + width / 2]);
        return largest_of_lanes<width / 2>(lanes);
    }
    return lanes[0];
}

[[gnu::always_inline]] inline Real largest_of(Index n, const Real* x) {
    Real largest = -static_cast<Real>(__builtin_inff());
    Index i = 0;
    if (n >= kSums) {
        Real lanes[kSums];
        for (Index k = 0; k < kSums; ++k) lanes[k] = largest;
        for (; i + kSums <= n; i += kSums) {
            for (Index k = 0; k < kSums; ++k) lanes[k] = larger(lanes[k], x[i + k]);
        }
        largest = largest_of_lanes<kSums>(lanes);
    }
    for (; i < n; ++i) largest = larger(largest, x[i]);
    return largest;
}

void exponentials(Index rows, Index n, const Real* x, Real* y, double* largest, double* sums) {
    for (Index r = 0; r < rows; ++r) {
        const Real top = largest_of(n, x + r * n);
        largest[r] = wide(top);
        for (Index i = r * n; i < (r + 1) * n; ++i) y[i] = x[i] - top;
    }
    // All rows together, because one may be shorter than a vector.
    for (Index i = 0; i < rows * n; ++i) y[i] = exp_below_0(y[i]);
    for (Index r = 0; r < rows; ++r) {
        const Real* row = y + r * n;
        sums[r] = sum_of(n, [=](Index i) { return wide(row[i]); });
    }
}

void divide(Index rows, Index n, const double* sums, Real* y) {
    for (Index r = 0; r < rows; ++r) {
        const Real factor = static_cast<Real>(1 / sums[r]);
        for (Index i = r * n; i < (r + 1) * n; ++i) y[i] *= factor;
    }
}

// Subtracts the largest first: added to a large number, the logarithm would be lost to rounding.
void subtract(Index rows, Index n, const double* largest, const double* logs, const Real* x,
              Real* y) {
    for (Index r = 0; r < rows; ++r) {
        const Real top = static_cast<Real>(largest[r]), log = static_cast<Real>(logs[r]);
        for (Index i = r * n; i < (r + 1) * n; ++i) y[i] = (x[i] - top) - log;
    }
}

void backward(Index rows, Index n, const Real* y, const Real* dy, Real* dx) {
    for (Index r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
        const double weighted = sum_of(n, [=](Index i) { return wide(y[i]) * wide(dy[i]); });
        const double mean = weighted / sum_of(n, [=](Index i) { return wide(y[i]); });
        for (Index i = 0; i < n; ++i) dx[i] = static_cast<Real>(wide(y[i]) * (wide(dy[i]) - mean));
    }
}

void log_backward(Index rows, Index n, const Real* y, const Real* dy, Real* dx) {
    for (Index i = 0; i < rows * n; ++i) dx[i] = exp_below_0(y[i]);
    for (Index r = 0; r < rows; ++r, dy += n, dx += n) {
        const auto sum = static_cast<Real>(sum_of(n, [=](Index i) { return wide(dy[i]); }));
        for (Index i = 0; i < n; ++i) dx[i] = dy[i] - dx[i] * sum;
    }
}

}  // namespace

SoftmaxKernels softmax_kernels() {
    return {.exponentials = exponentials,
            .divide = divide,
            .subtract = subtract,
            .backward = backward,
            .log_backward = log_backward};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

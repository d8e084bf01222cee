// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"
#include "vector.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// One direction of each transform: y = M x, where M is one of the matrices.
//
// Each factor is a power of 2, or a sum of two: in place of G, which has sixths and twenty-fourths,
// stands 24 G, and the result is divided by 24 * 24. So all products are exact, and it does not
// matter which of them a compiler fuses with an addition, so all compilers give the same bits.

// B^T, 6 x 6.
void times_bt(const Vector (&x)[6], Vector (&y)[6]) {
    const Vector even = x[4] - 4 * x[2], odd = x[3] - 4 * x[1];
    const Vector near = x[4] - x[2], far = 2 * (x[3] - x[1]);
    y[0] = 4 * (x[0] - x[2]) + near;
    y[1] = even + odd;
    y[2] = even - odd;
    y[3] = near + far;
    y[4] = near - far;
    y[5] = x[5] - x[3] - 2 * far;
}

// A^T, 4 x 6.
void times_at(const Vector (&x)[6], Vector (&y)[4]) {
    const Vector sum1 = x[1] + x[2], difference1 = x[1] - x[2];
    const Vector sum2 = x[3] + x[4], difference2 = x[3] - x[4];
    y[0] = x[0] + sum1 + sum2;
    y[1] = difference1 + 2 * difference2;
    y[2] = sum1 + 4 * sum2;
    y[3] = difference1 + 8 * difference2 + x[5];
}

// A, 6 x 4.
void times_a(const Vector (&x)[4], Vector (&y)[6]) {
    const Vector even1 = x[0] + x[2], odd1 = x[1] + x[3];
    const Vector even2 = x[0] + 4 * x[2], odd2 = 2 * x[1] + 8 * x[3];
    y[0] = x[0];
    y[1] = even1 + odd1;
    y[2] = even1 - odd1;
    y[3] = even2 + odd2;
    y[4] = even2 - odd2;
    y[5] = x[3];
}

Vector times_6(const Vector& x) { return 4 * x + 2 * x; }
Vector times_24(const Vector& x) { return 16 * x + 8 * x; }

// 24 G, 6 x 3.
void times_24g(const Vector (&x)[3], Vector (&y)[6]) {
    const Vector outer1 = 4 * (x[0] + x[2]), inner1 = 4 * x[1];
    const Vector outer2 = x[0] + 4 * x[2], inner2 = 2 * x[1];
    y[0] = times_6(x[0]);
    y[1] = -outer1 - inner1;
    y[2] = inner1 - outer1;
    y[3] = outer2 + inner2;
    y[4] = outer2 - inner2;
    y[5] = times_24(x[2]);
}

// 24 G^T, 3 x 6.
void times_24gt(const Vector (&x)[6], Vector (&y)[3]) {
    const Vector sum1 = 4 * (x[1] + x[2]), sum2 = x[3] + x[4];
    y[0] = times_6(x[0]) - sum1 + sum2;
    y[1] = 4 * (x[2] - x[1]) + 2 * (x[3] - x[4]);
    y[2] = 4 * sum2 - sum1 + times_24(x[5]);
}

// M X M^T / divisor for each square X: M times the columns, then M times the rows of the result.
template <int from_size, int to_size, void times(const Vector (&)[from_size], Vector (&)[to_size]),
          int divisor = 1>
void transform(Index count, const Squares<const Real>& from, const Squares<Real>& to) {
    for (Index k = 0; k < count; ++k) {
        const Real* const x = from.data + k * from.item;
        Real* const y = to.data + k * to.item;
        Vector half[from_size][to_size];  // transposed
        for (int j = 0; j < from_size; ++j) {
            Vector column[from_size];
            for (int i = 0; i < from_size; ++i)
                column[i] = load(x + i * from.row + j * from.column);
            times(column, half[j]);
        }
        for (int i = 0; i < to_size; ++i) {
            Vector row[from_size], result[to_size];
            for (int j = 0; j < from_size; ++j) row[j] = half[j][i];
            times(row, result);
            for (int j = 0; j < to_size; ++j) {
                if constexpr (divisor > 1) result[j] *= Real(1) / divisor;
                store(result[j], y + i * to.row + j * to.column);
            }
        }
    }
}

// v * 0 is 0 or, if v is infinite or NaN, NaN, which stays in the sum. There are several sums,
// because each addition waits for the one before it in the same sum.
bool finite(Index n, const Real* x) {
    constexpr Index lanes = kLanes, sums_at_once = 8, step = sums_at_once * lanes;
    Vector sums[sums_at_once] = {};
    Index i = 0;
    for (; i + step <= n; i += step) {
        for (Index k = 0; k < sums_at_once; ++k) sums[k] += load(x + i + k * lanes) * Real(0);
    }
    Real sum = 0;
    for (; i < n; ++i) sum += x[i] * Real(0);
    for (const Vector& part : sums) {
        for (Index lane = 0; lane < lanes; ++lane) sum += part[lane];
    }
    return sum == 0;
}

// The larger or, if one is NaN, NaN.
Vector larger(const Vector& a, const Vector& b) { return ((b > a) | (b != b)) ? b : a; }

void max_by_2(Index rows, Index columns, Real* x) {
    Real* to = x;
    for (Index row = 0; row < rows; ++row) {
        const Real* const top = x + row * 4 * columns * kLanes;
        const Real* const bottom = top + 2 * columns * kLanes;
        for (Index column = 0; column < columns; ++column, to += kLanes) {
            const Index left = 2 * column * kLanes, right = left + kLanes;
            store(larger(larger(load(top + left), load(top + right)),
                         larger(load(bottom + left), load(bottom + right))),
                  to);
        }
    }
}

void add_bias(Index n, const Real* bias, bool relu, Real* x) {
    const Vector b = bias != nullptr ? load(bias) : Vector{}, none = {};
    for (Index i = 0; i < n; ++i, x += kLanes) {
        const Vector sum = load(x) + b;
        store(relu ? (sum < none ? none : sum) : sum, x);
    }
}

}  // namespace

Winograd winograd() {
    return {.input = transform<6, 6, times_bt>,
            .output = transform<6, 4, times_at>,
            .weight = transform<3, 6, times_24g, 24 * 24>,
            .output_gradient = transform<4, 6, times_a>,
            .weight_gradient = transform<6, 3, times_24gt, 24 * 24>,
            .finite = finite,
            .max_by_2 = max_by_2,
            .add_bias = add_bias};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

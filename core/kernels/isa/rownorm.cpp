// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"

#include "sums.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

static_assert(kMostColumns == kSums);

double wide(Real v) { return static_cast<double>(v); }

[[gnu::always_inline]] inline Real value(const NormLine& line, Real x) {
    return (x - line.center) * line.scale + line.shift;
}

// The variance is the mean of d^2 minus the square of the mean of d, where d is the distance from
// the first value, which doubles hold exactly. The first value is one of the row, so d^2 is at most
// n times the variance, and the difference keeps all digits but the last log10(n) of a double.
void moments(Index n, const Real* x, double* mean, double* variance) {
    const double first = n > 0 ? wide(x[0]) : 0, count = static_cast<double>(n);
    const TwoSums sums = two_sums_of(n, [=](Index i) -> TwoSums {
        const double d = wide(x[i]) - first;
        return {d, d * d};
    });
    const double shift = sums.first / count, difference = sums.second / count - shift * shift;
    *mean = first + shift;
    *variance = difference < 0 ? 0 : difference;
}

template <bool weighted, bool biased>
void normalize_as(Index n, NormLine line, const Real* weight, const Real* bias, const Real* x,
                  Real* y) {
    for (Index i = 0; i < n; ++i) {
        const Real z = value(line, x[i]), scaled = weighted ? z * weight[i] : z;
        y[i] = biased ? scaled + bias[i] : scaled;
    }
}

void normalize(Index n, const NormLine& line, const Real* weight, const Real* bias, const Real* x,
               Real* y) {
    const auto with_weight = bias != nullptr ? normalize_as<true, true> : normalize_as<true, false>;
    const auto without = bias != nullptr ? normalize_as<false, true> : normalize_as<false, false>;
    (weight != nullptr ? with_weight : without)(n, line, weight, bias, x, y);
}

template <bool weighted>
void gradient_sums_as(Index n, NormLine line, const Real* weight, const Real* x, const Real* dy,
                      double* g, double* gz) {
    const TwoSums sums = two_sums_of(n, [=](Index i) -> TwoSums {
        const double gradient = wide(weighted ? dy[i] * weight[i] : dy[i]);
        return {gradient, gradient * wide(value(line, x[i]))};
    });
    *g = sums.first;
    *gz = sums.second;
}

void gradient_sums(Index n, const NormLine& line, const Real* weight, const Real* x, const Real* dy,
                   double* g, double* gz) {
    (weight != nullptr ? gradient_sums_as<true> : gradient_sums_as<false>)(n, line, weight, x, dy,
                                                                           g, gz);
}

template <bool weighted>
void input_gradient_as(Index n, const NormSlope& slope, const Real* weight, const Real* x,
                       const Real* dy, Real* dx) {
    const NormSlope of = slope;
    for (Index i = 0; i < n; ++i) {
        const Real g = dy[i] * (weighted ? weight[i] : of.weight);
        dx[i] = (g + value(of.rest, x[i])) * of.rstd;
    }
}

void input_gradient(Index n, const NormSlope& slope, const Real* weight, const Real* x,
                    const Real* dy, Real* dx) {
    (weight != nullptr ? input_gradient_as<true> : input_gradient_as<false>)(n, slope, weight, x,
                                                                             dy, dx);
}

void column_sums(Index rows, Index columns, Index stride, const NormLine* lines, const Real* x,
                 const Real* dy, double* g, double* gz) {
    double sums[kSums] = {}, products[kSums] = {};
    const auto add = [&](const NormLine& line, Index i, Index k) {
        sums[k] += wide(dy[i]);
        products[k] += wide(dy[i]) * wide(value(line, x[i]));
    };
    for (Index r = 0; r < rows; ++r) {
        const NormLine line = lines[r];
        if (columns == kSums) {  // a length that the compiler knows
            for (Index k = 0; k < kSums; ++k) add(line, r * stride + k, k);
        } else {
            for (Index k = 0; k < columns; ++k) add(line, r * stride + k, k);
        }
    }
    for (Index k = 0; k < columns; ++k) {
        g[k] = sums[k];
        gz[k] = products[k];
    }
}

}  // namespace

RowNormKernels row_norm_kernels() {
    return {.moments = moments,
            .normalize = normalize,
            .gradient_sums = gradient_sums,
            .input_gradient = input_gradient,
            .column_sums = column_sums};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

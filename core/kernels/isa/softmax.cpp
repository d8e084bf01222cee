// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"

#include "math.h"
#include "vector.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

double wide(Real v) { return static_cast<double>(v); }

// --- Sums and maxima of a row --------------------------------------------------------------------

// How many Ts are in a register.
template <class T>
constexpr int kLanesOf = kBytes / static_cast<int>(sizeof(T));

// As many terms are added side by side whatever the width of a vector, so the order of a sum is the
// same at every instruction set.
constexpr int kSideBySide = 32;

// The larger one, or the larger values of two vectors.
template <class V>
[[gnu::always_inline]] inline V larger(const V& a, const V& b) {
    return b > a ? b : a;
}

// f(half, other half) changes one half of the values, again and again, until one value is left.
template <int n, class T, class F>
[[gnu::always_inline]] inline T fold(T* values, F f) {
    if constexpr (n == 2) {
        f(values[0], values[1]);
        return values[0];
    } else {
        typename Some<T, n / 2>::Values half, other;
        __builtin_memcpy(&half, values, sizeof half);
        __builtin_memcpy(&other, values + n / 2, sizeof other);
        f(half, other);
        store(half, values);
        return fold<n / 2>(values, f);
    }
}

// The largest value. Not NaN, unless all are.
Real largest_of(Index n, const Real* x) {
    Real largest = -static_cast<Real>(__builtin_inff());
    if (n < kLanes) {
        for (Index i = 0; i < n; ++i) largest = larger(largest, x[i]);
        return largest;
    }
    Vector most = splat(largest);
    for (Index i = 0; i + kLanes <= n; i += kLanes) most = larger(most, load(x + i));
    most = larger(most, load(x + n - kLanes));  // some of them for the second time
    Real lanes[kLanes];
    store(most, lanes);
    return fold<kLanes>(lanes, [](auto& p, const auto& q) { p = larger(p, q); });
}

// The next values, as a register of Ts.
template <class T>
[[gnu::always_inline]] inline auto load_as(const Real* x) {
    const auto values = load<typename Some<Real, kLanesOf<T>>::Values>(x);
    return __builtin_convertvector(values, typename Some<T, kLanesOf<T>>::Values);
}

// The sum of term(i) for i < n. terms(i) is a register of Ts with the terms from i on.
template <class T, class Terms, class Term>
[[gnu::always_inline]] inline T sum_of_terms(Index n, Terms terms, Term term) {
    constexpr int lanes = kLanesOf<T>, half = kSideBySide / 2, count = kSideBySide / lanes;
    T sum = 0;
    Index i = 0;
    if (n >= half) {
        typename Some<T, lanes>::Values sums[count] = {};
        for (; i + kSideBySide <= n; i += kSideBySide) {
            for (int k = 0; k < count; ++k) sums[k] += terms(i + k * lanes);
        }
        if (i + half <= n) {
            for (int k = 0; k < count / 2; ++k) sums[k] += terms(i + k * lanes);
            i += half;
        }
        T all[kSideBySide];
        for (int k = 0; k < count; ++k) store(sums[k], all + k * lanes);
        sum = fold<kSideBySide>(all, [](auto& p, const auto& q) { p += q; });
    }
    for (; i < n; ++i) sum += term(i);
    return sum;
}

double sum_of(Index n, const Real* x) {
    return sum_of_terms<double>(
        n, [=](Index i) { return load_as<double>(x + i); }, [=](Index i) { return wide(x[i]); });
}

// --- softmax -------------------------------------------------------------------------------------

// Rows are worked on in blocks of about this many values, which stay in the nearest cache.
constexpr Index kBlock = 2048;

// Calls f(first row, number of rows) for blocks of rows.
template <class F>
void for_each_block(Index rows, Index n, F f) {
    const Index most = n < kBlock ? kBlock / n : 1;
    for (Index r = 0; r < rows; r += most) f(r, smaller(most, rows - r));
}

// y = e^(x - max x), with the maximum and the sum of each row.
void exponentials_of_block(Index rows, Index n, const Real* __restrict x, Real* __restrict y,
                           double* __restrict largest, double* __restrict sums) {
    for (Index r = 0; r < rows; ++r) {
        const Real top = largest_of(n, x + r * n);
        largest[r] = wide(top);
        for (Index i = r * n; i < (r + 1) * n; ++i) y[i] = x[i] - top;
    }
    // All rows together, because one may be shorter than a vector.
    for (Index i = 0; i < rows * n; ++i) y[i] = exp_below_0(y[i]);
    for (Index r = 0; r < rows; ++r) sums[r] = sum_of(n, y + r * n);
}

void exponentials(Index rows, Index n, const Real* x, Real* y, double* largest, double* sums) {
    for_each_block(rows, n, [=](Index first, Index count) {
        exponentials_of_block(count, n, x + first * n, y + first * n, largest + first,
                              sums + first);
    });
}

void divide(Index rows, Index n, const double* sums, Real* y) {
    for (Index r = 0; r < rows; ++r) {
        const auto factor = static_cast<Real>(1 / sums[r]);
        for (Index i = r * n; i < (r + 1) * n; ++i) y[i] *= factor;
    }
}

void softmax(Index rows, Index n, const Real* x, Real* y) {
    for_each_block(rows, n, [=](Index first, Index count) {
        double largest[kBlock], sums[kBlock];
        exponentials_of_block(count, n, x + first * n, y + first * n, largest, sums);
        divide(count, n, sums, y + first * n);
    });
}

// ln x, with the digits that a Real needs.
[[gnu::always_inline]] inline double log_of(double x) {
    if constexpr (sizeof(Real) == sizeof(double)) return log(x);
    return short_log2(x) * 0.69314718055994531;
}

// Subtracts the largest first, because added to a large number, the logarithm would be lost to
// rounding.
void subtract(Index n, const Real* __restrict x, Real largest, Real log, Real* __restrict y) {
    for (Index i = 0; i < n; ++i) y[i] = (x[i] - largest) - log;
}

void log_softmax(Index rows, Index n, const Real* x, Real* y) {
    for_each_block(rows, n, [=](Index first, Index count) {
        double largest[kBlock], logs[kBlock];
        const Index begin = first * n;
        exponentials_of_block(count, n, x + begin, y + begin, largest, logs);
        for (Index r = 0; r < count; ++r) logs[r] = log_of(logs[r]);
        for (Index r = 0; r < count; ++r) {
            const Index at = begin + r * n;
            subtract(n, x + at, static_cast<Real>(largest[r]), static_cast<Real>(logs[r]), y + at);
        }
    });
}

// Lines side by side. With `keep`, y = e^(x - max x). Sets the maximum and the sum of each line.
template <bool keep>
[[gnu::always_inline]] inline void exponentials_of_columns(Index n, Index stride, Index count,
                                                           const Real* __restrict x,
                                                           Real* __restrict y,
                                                           Real* __restrict largest,
                                                           double* __restrict sums) {
    for (Index c = 0; c < count; ++c) {
        largest[c] = -static_cast<Real>(__builtin_inff());
        sums[c] = 0;
    }
    for (Index i = 0; i < n; ++i) {
        for (Index c = 0; c < count; ++c) largest[c] = larger(largest[c], x[i * stride + c]);
    }
    for (Index i = 0; i < n; ++i) {
        for (Index c = 0; c < count; ++c) {
            const Real e = exp_below_0(x[i * stride + c] - largest[c]);
            if constexpr (keep) y[i * stride + c] = e;
            sums[c] += wide(e);
        }
    }
}

void softmax_columns(Index n, Index stride, Index count, const Real* __restrict x,
                     Real* __restrict y) {
    Real largest[SoftmaxKernels::kColumns], factors[SoftmaxKernels::kColumns];
    double sums[SoftmaxKernels::kColumns];
    exponentials_of_columns<true>(n, stride, count, x, y, largest, sums);
    for (Index c = 0; c < count; ++c) factors[c] = static_cast<Real>(1 / sums[c]);
    for (Index i = 0; i < n; ++i) {
        for (Index c = 0; c < count; ++c) y[i * stride + c] *= factors[c];
    }
}

void log_softmax_columns(Index n, Index stride, Index count, const Real* __restrict x,
                         Real* __restrict y) {
    Real largest[SoftmaxKernels::kColumns], logs[SoftmaxKernels::kColumns];
    double sums[SoftmaxKernels::kColumns];
    exponentials_of_columns<false>(n, stride, count, x, y, largest, sums);
    for (Index c = 0; c < count; ++c) logs[c] = static_cast<Real>(log_of(sums[c]));
    for (Index i = 0; i < n; ++i) {
        for (Index c = 0; c < count; ++c) {
            y[i * stride + c] = (x[i * stride + c] - largest[c]) - logs[c];
        }
    }
}

// The definition.
void backward_in_double(Index n, const Real* y, const Real* dy, Real* dx) {
    double weighted = 0, sum = 0;
    for (Index i = 0; i < n; ++i) {
        weighted += wide(y[i]) * wide(dy[i]);
        sum += wide(y[i]);
    }
    const double mean = weighted / sum;
    for (Index i = 0; i < n; ++i) dx[i] = static_cast<Real>(wide(y[i]) * (wide(dy[i]) - mean));
}

// The sum of y (dy - center).
Real weighted_sum(Index n, const Real* y, const Real* dy, Real center) {
    return sum_of_terms<Real>(
        n, [=](Index i) { return load(y + i) * (load(dy + i) - center); },
        [=](Index i) { return y[i] * (dy[i] - center); });
}

// The sum of a long row, in halves, because what is added to a sum that has become large loses its
// last digits.
Real weighted_sum_in_halves(Index n, const Real* y, const Real* dy, Real center) {
    if (n <= kBlock) return weighted_sum(n, y, dy, center);
    const Index half = n / 2;
    return weighted_sum_in_halves(half, y, dy, center) +
           weighted_sum_in_halves(n - half, y + half, dy + half, center);
}

// dx = y ((dy - mean) - rest)
void scaled_difference(Index n, const Real* __restrict y, const Real* __restrict dy, Real mean,
                       Real rest, Real* __restrict dx) {
    for (Index i = 0; i < n; ++i) dx[i] = y[i] * ((dy[i] - mean) - rest);
}

// The sum of y dy is the mean of dy, as the sum of y is 1; but both are rounded. The mean of dy -
// mean is what the first one lacks. With it, what all dy have in common cancels. One step for all
// rows of a block, then the next, because in a single row each step waits for the one before.
void softmax_backward(Index rows, Index n, const Real* y, const Real* dy, Real* dx) {
    constexpr Real limit = 1e30F;  // beyond, differences may overflow
    for_each_block(rows, n, [=](Index first, Index count) {
        Real means[kBlock], rests[kBlock];
        const Index begin = first * n;
        const auto weighted = [=](Index r, Real center) {
            const Index at = begin + r * n;
            return n <= kBlock ? weighted_sum(n, y + at, dy + at, center)
                               : weighted_sum_in_halves(n, y + at, dy + at, center);
        };
        for (Index r = 0; r < count; ++r) means[r] = weighted(r, 0);
        for (Index r = 0; r < count; ++r) rests[r] = weighted(r, means[r]);
        for (Index r = 0; r < count; ++r) {
            const Index at = begin + r * n;
            if (magnitude(means[r]) < limit) {
                scaled_difference(n, y + at, dy + at, means[r], rests[r], dx + at);
            } else {
                backward_in_double(n, y + at, dy + at, dx + at);
            }
        }
    });
}

void log_softmax_backward(Index rows, Index n, const Real* y, const Real* dy, Real* dx) {
    for_each_block(rows, n, [=](Index first, Index count) {
        const Index begin = first * n, end = (first + count) * n;
        for (Index i = begin; i < end; ++i) dx[i] = exp_below_0(y[i]);
        for (Index r = first; r < first + count; ++r) {
            const auto sum = static_cast<Real>(sum_of(n, dy + r * n));
            for (Index i = r * n; i < (r + 1) * n; ++i) dx[i] = dy[i] - dx[i] * sum;
        }
    });
}

}  // namespace

SoftmaxKernels softmax_kernels() {
    return {.exponentials = exponentials,
            .divide = divide,
            .softmax = softmax,
            .log_softmax = log_softmax,
            .softmax_columns = softmax_columns,
            .log_softmax_columns = log_softmax_columns,
            .softmax_backward = softmax_backward,
            .log_softmax_backward = log_softmax_backward};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

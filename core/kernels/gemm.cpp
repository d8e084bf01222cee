#include "primer/core/kernels/gemm.h"

#include <algorithm>
#include <optional>

#include "primer/core/kernels/parallel.h"
#include "primer/core/kernels/storage.h"

namespace primer::kernels {

void reference::gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a,
                     const Real* b, Real* c, bool accumulate) {
    for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
            Real sum = accumulate ? c[i * n + j] : Real(0);
            for (Index p = 0; p < k; ++p) {
                sum += (trans_a == Trans::no ? a[i * k + p] : a[p * m + i]) *
                       (trans_b == Trans::no ? b[p * n + j] : b[j * k + p]);
            }
            c[i * n + j] = sum;
        }
    }
}

namespace {

constexpr Index kRows = 4;       // rows of C that share one pass over B
constexpr Index kColumns = 256;  // columns of B at a time: with 4 rows of C they stay in L1
constexpr Index kDepth = 128;    // rows of B at a time: 128 x 256 floats stay in L2

// C [rows, columns] += A [rows, depth] B [depth, columns] for one block. The inner loop runs along
// the rows of B and C, which lie contiguous in memory, so the compiler can vectorise it; the order
// i, j, p of the definition would walk down B's columns instead. Four rows of C at once read each
// row of B once instead of four times.
void block(Index rows, Index columns, Index depth, const Real* a, Index stride_i, Index stride_p,
           const Real* b, Real* c, Index n) {
    Index i = 0;
    for (; i + kRows <= rows; i += kRows) {
        Real *c0 = c + i * n, *c1 = c0 + n, *c2 = c1 + n, *c3 = c2 + n;
        for (Index p = 0; p < depth; ++p) {
            const Real* ap = a + i * stride_i + p * stride_p;
            const Real a0 = ap[0], a1 = ap[stride_i], a2 = ap[2 * stride_i], a3 = ap[3 * stride_i];
            const Real* bp = b + p * n;
            for (Index j = 0; j < columns; ++j) {
                const Real bj = bp[j];
                c0[j] += a0 * bj;
                c1[j] += a1 * bj;
                c2[j] += a2 * bj;
                c3[j] += a3 * bj;
            }
        }
    }
    for (; i < rows; ++i) {
        for (Index p = 0; p < depth; ++p) {
            const Real ap = a[i * stride_i + p * stride_p];
            for (Index j = 0; j < columns; ++j) c[i * n + j] += ap * b[p * n + j];
        }
    }
}

}  // namespace

void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, bool accumulate) {
    if (m == 0 || n == 0) return;
    std::optional<Storage> b_rows;  // B as [k, n], if it lies in memory as [n, k]
    if (trans_b == Trans::yes && k > 0) {
        b_rows.emplace(k * n);
        transpose(n, k, b, b_rows->data());
        b = b_rows->data();
    }
    const Index stride_i = trans_a == Trans::no ? k : 1;
    const Index stride_p = trans_a == Trans::no ? 1 : m;
    // A chunk of rows is worth a thread from some hundred thousand multiplications on.
    const Index work = std::max(Index{1}, n * k);
    const Index grain = (std::max(Index{1}, 200000 / work) + kRows - 1) / kRows * kRows;
    parallel_for(m, grain, [&](Index begin, Index end) {
        if (!accumulate) std::fill(c + begin * n, c + end * n, Real(0));
        for (Index p = 0; p < k; p += kDepth) {
            for (Index j = 0; j < n; j += kColumns) {
                block(end - begin, std::min(kColumns, n - j), std::min(kDepth, k - p),
                      a + begin * stride_i + p * stride_p, stride_i, stride_p, b + p * n + j,
                      c + begin * n + j, n);
            }
        }
    });
}

void transpose(Index rows, Index cols, const Real* x, Real* y) {
    constexpr Index tile = 16;  // squares that fit the cache: one side is always read against rows
    parallel_for((rows + tile - 1) / tile, std::max(Index{1}, 1024 / std::max(Index{1}, cols)),
                 [&](Index begin, Index end) {
                     for (Index r0 = begin * tile; r0 < std::min(end * tile, rows); r0 += tile) {
                         for (Index c0 = 0; c0 < cols; c0 += tile) {
                             for (Index c = c0; c < std::min(c0 + tile, cols); ++c) {
                                 for (Index r = r0; r < std::min(r0 + tile, rows); ++r) {
                                     y[c * rows + r] = x[r * cols + c];
                                 }
                             }
                         }
                     }
                 });
}

}  // namespace primer::kernels

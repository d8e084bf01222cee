#pragma once

#include "primer/core/real.h"
#include "primer/core/shape.h"

namespace primer::kernels {

/// Whether gemm takes a matrix as it lies in memory or transposed.
enum class Trans { no, yes };

/// C [m, n] = op(A) [m, k] op(B) [k, n], or C += with `accumulate`; row-major, without gaps. With
/// Trans::yes, A lies in memory as [k, m] (B as [n, k]). Each element of C is added up in the order
/// of k whatever the number of threads.
void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, bool accumulate = false);

/// How many Reals of scratch memory one such call takes from Storage: for a caller that runs many
/// of them at once and wants to have the memory ready.
Index gemm_scratch(Index m, Index n, Index k);

/// y [cols, rows] = transpose of x [rows, cols].
void transpose(Index rows, Index cols, const Real* x, Real* y);

namespace reference {
/// The definition: three loops. What gemm is compared with.
void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, bool accumulate = false);
}  // namespace reference

}  // namespace primer::kernels

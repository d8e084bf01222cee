#pragma once

#include "../real.h"
#include "../shape.h"

namespace primer::kernels {

/// Whether gemm transposes a matrix.
enum class Trans { no, yes };

/// What gemm does besides multiplying, while a piece of C is in registers.
struct GemmOptions {
    bool accumulate = false;     ///< C += instead of C =
    const Real* bias = nullptr;  ///< [n], added to each row of C
    bool relu = false;           ///< max(C, 0) at the end
    /// B, packed by pack_right; nullptr: gemm packs what it needs. With either, b must be there.
    const Real* packed = nullptr;
};

/// The number of values that pack_right writes.
Index packed_right_size(Index n, Index k);
/// Packs op(B) [k, n] for calls of gemm with any number of rows.
void pack_right(Trans trans_b, Index n, Index k, const Real* b, Real* packed);

/// C [m, n] = op(A) [m, k] op(B) [k, n]; row-major, without gaps. With Trans::yes, A is stored as
/// [k, m] (B as [n, k]). The order in which each element of C is summed depends only on the sizes,
/// never on the number of threads.
void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, const GemmOptions& options = {});

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

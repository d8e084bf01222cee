#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// The innermost step of gemm, at one instruction set: C [rows, columns] = A [rows, depth]
/// B [depth, columns], or C += with `accumulate`. A and B are packed: A's values in the order of
/// its columns, depth x rows; B's in the order of its rows, depth x columns. C's rows begin
/// `stride` apart.
struct GemmTile {
    std::int64_t rows, columns;
    void (*run)(std::int64_t depth, const Real* a, const Real* b, Real* c, std::int64_t stride,
                bool accumulate);
};

namespace baseline {
GemmTile gemm_tile();
}
namespace avx2 {
GemmTile gemm_tile();
}
namespace avx512 {
GemmTile gemm_tile();
}

}  // namespace primer::kernels

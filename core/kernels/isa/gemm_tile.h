#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// The innermost step of gemm and of convolution: C [rows, columns] = A [rows, depth] B [depth,
/// columns], where C is a tile that the processor's registers can hold.
struct TileProduct {
    /// At step p of the walk over depth, A's column begins at a + p * a_step and B's row at
    /// b + p * b_step. A row's elements lie side by side, and so do a column's, unless
    /// `rows_apart`: then they are a vector register's `lanes` apart.
    const Real *a, *b;
    std::int64_t depth, a_step, b_step;
    bool rows_apart = false;
    /// The walk can be made of several runs, which in turn make up a level of their own: after each
    /// run of `depth` steps, a and b are moved on by the skips of `runs`, and after runs.count of
    /// them by those of `groups`.
    struct Level {
        std::int64_t count = 1, a_skip = 0, b_skip = 0;
    } runs = {}, groups = {};

    Real* c;  ///< its rows begin `stride` apart
    std::int64_t stride;
    bool accumulate;                    ///< C += instead of C =
    const Real* row_bias = nullptr;     ///< [rows] or nullptr: added to each row
    const Real* column_bias = nullptr;  ///< [columns] or nullptr
};

/// No tile has more columns, at any instruction set.
constexpr std::int64_t kMaxTileColumns = 32;

/// That step at one instruction set, and what goes with it.
struct GemmTile {
    std::int64_t rows, columns;  ///< of the largest tile
    /// For 1 <= rows <= the largest, and columns likewise. Of A and B, only whole vector registers
    /// are read: B's rows must be readable up to the next multiple of `lanes` columns.
    void (*run)(std::int64_t rows, std::int64_t columns, const TileProduct& product);
    std::int64_t lanes;  ///< Reals in a vector register

    /// y[i] = sum over p of lines[i * line_step + p] * x[p], or y[i] +=.
    void (*dots)(std::int64_t count, std::int64_t depth, std::int64_t line_step, const Real* lines,
                 const Real* x, Real* y, bool accumulate);

    /// to[p * to_step + i] = from[i * line_step + p] for i < lines, p < depth, and nothing else.
    void (*transpose_into)(std::int64_t lines, std::int64_t line_step, std::int64_t depth,
                           const Real* from, std::int64_t to_step, Real* to);

    /// to[p * width + i] = from[i * line_step + p] for i < lines, p < depth. If width > lines,
    /// the rest of each row becomes 0. Writes depth * width values. Needs lines <= width.
    void (*transpose)(std::int64_t lines, std::int64_t line_step, std::int64_t depth,
                      const Real* from, std::int64_t width, Real* to);

    /// `rows` times: copies pieces[0 ... count), where each is relative to `from` + offsets[row]
    /// and to `to` + row * width.
    struct Piece {
        std::int64_t from, to, length;
    };
    void (*gather)(std::int64_t rows, const std::int64_t* offsets, const Real* from,
                   std::int64_t count, const Piece* pieces, std::int64_t width, Real* to);

    /// Copies `rows` rows of `length` values, whose starts lie that far apart.
    void (*copy_rows)(std::int64_t rows, std::int64_t length, const Real* from,
                      std::int64_t from_step, Real* to, std::int64_t to_step);
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

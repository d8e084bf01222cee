#pragma once

#include <algorithm>
#include <functional>

#include "../shape.h"
#include "isa/table.h"

// The middle of gemm, between the loops over a whole matrix and the tile of C: one thread's work on
// strips that fit its caches. Convolution uses it, too. gemm.cpp explains it at its top.

namespace primer::kernels {

inline Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

/// `total` things, cut into pieces of equal size, except that the last may be smaller.
struct Cut {
    Index total, size, count;

    Cut(Index all, Index piece) : total(all), size(piece), count(ceil_div(all, piece)) {}
    /// Cuts into as few pieces of at most `most` as possible, about equal.
    static Cut evenly(Index all, Index most) {
        const Index pieces = std::max(Index{1}, ceil_div(all, most));
        return {all, std::max(Index{1}, ceil_div(all, pieces))};
    }

    Index begin(Index piece) const { return piece * size; }
    Index length(Index piece) const { return std::min(size, total - piece * size); }
};

/// The left matrix [rows, depth], packed: cut into pieces of depth, and each piece into strips of
/// rows as high as a tile. In a strip, the values of a column are adjacent.
struct PackedRows {
    Cut strips;  ///< of the rows
    Cut depths;
    const Real* data;

    const Real* strip(Index strip, Index depth) const {
        return data + depths.begin(depth) * strips.total +
               strips.begin(strip) * depths.length(depth);
    }
};

/// How PackedRows cuts a matrix.
PackedRows cut_rows(Index rows, Index depth);

/// Fills packed.data, rows * depth values, from a matrix whose element (i, p) is at from[i *
/// row_step + p * depth_step]. One of the steps must be 1.
void pack_rows(const PackedRows& packed, const Real* from, Index row_step, Index depth_step);

/// A strip of the right matrix for one piece of depth: row p begins at data + p * step.
struct Strip {
    const Real* data;
    Index step;
};

/// This many multiplications are worth another thread, which takes some microseconds to begin.
inline constexpr Index kWorthAThread = 500'000;

/// The strips of B that one thread works on at a time: 256 KB, which L2 holds.
inline constexpr Index kBlockStrips = 8;

/// Part of a product: some strips of A times at most kBlockStrips strips of B.
struct BlockProduct {
    PackedRows a;
    Index first_row_strip, last_row_strip;  ///< the strips of A to use: first ... last - 1
    Cut columns;                            ///< of B and C: strips as wide as a tile
    Index first_strip, last_strip;          ///< the strips of B to use: first ... last - 1
    /// Returns rows begin, ..., begin + depth - 1 of one strip of B: in place, or packed to
    /// `scratch`, where each row is as wide as a tile.
    std::function<Strip(Index strip, Index begin, Index depth, Real* scratch)> b;
    Real* c;  ///< element (i, j) of C is c[i * stride + j]
    Index stride;
    bool accumulate = false;
    const Real *row_bias = nullptr, *column_bias = nullptr;
    bool relu = false;
};

/// Computes the product on the calling thread.
void multiply(const BlockProduct& product);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

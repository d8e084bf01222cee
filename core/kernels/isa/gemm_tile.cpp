// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL (table.h).
// Include only declarations and functions with internal linkage here. The linker keeps one copy of
// an inline function for the whole program; it could be the one compiled here, with instructions
// that an old processor lacks.
#include "table.h"
#include "vector.h"

#include <utility>  // std::integer_sequence, a type without code

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// The tile of C is as large as the processor's registers allow: kRows x kVectors registers hold it
// for the whole walk over depth, and two or three more hold B's row and A's value.
#if defined(__AVX512F__)
constexpr int kRows = 12, kVectors = 2;  // of 32 registers
#elif defined(__aarch64__)
constexpr int kRows = 10, kVectors = 2;  // of 32; with more, GCC stores some of them at each step
#else
constexpr int kRows = 6, kVectors = 2;  // of 16
#endif
static_assert(kVectors * kLanes <= kMaxTileColumns);

// Computes a tile of `rows` rows and kLanes * `vectors` columns.
template <int rows, int vectors, int row_step>
void whole_tile(const TileProduct& t) {
    // Fetches C's rows early, so that they have arrived when the multiplications end.
    for (int i = 0; i < rows; ++i) {
        for (int v = 0; v < vectors; ++v) __builtin_prefetch(t.c + i * t.stride + v * kLanes, 1);
    }
    Vector sum[rows][vectors] = {};
    const Real *a = t.a, *b = t.b;
    const Index a_step = t.a_step, b_step = t.b_step;
    for (Index group = t.groups.count; group > 0; --group) {
        for (Index run = t.runs.count; run > 0; --run) {
            for (Index p = t.depth; p > 0; --p, a += a_step, b += b_step) {
                Vector row_of_b[vectors];
                PRIMER_UNROLL for (int v = 0; v < vectors; ++v) row_of_b[v] = load(b + v * kLanes);
                PRIMER_UNROLL for (int i = 0; i < rows; ++i) {
                    PRIMER_UNROLL for (int v = 0; v < vectors; ++v) {
                        sum[i][v] += a[i * row_step] * row_of_b[v];
                    }
                }
            }
            a += t.runs.a_skip;
            b += t.runs.b_skip;
        }
        a += t.groups.a_skip;
        b += t.groups.b_skip;
    }
    const Vector none = {};
    PRIMER_UNROLL for (int i = 0; i < rows; ++i) {
        PRIMER_UNROLL for (int v = 0; v < vectors; ++v) {
            Real* const out = t.c + i * t.stride + v * kLanes;
            Vector value = sum[i][v];
            if (t.accumulate) value += load(out);
            if (t.row_bias != nullptr) value += t.row_bias[i];
            if (t.column_bias != nullptr) value += load(t.column_bias + v * kLanes);
            if (t.relu) value = value < none ? none : value;
            store(value, out);
        }
    }
}

// One function for each height, because C's number of rows is seldom a multiple of kRows.
template <int vectors, int row_step, int height = kRows>
void tile_of_height(Index rows, const TileProduct& t) {
    if (rows == height) return whole_tile<height, vectors, row_step>(t);
    if constexpr (height > 1) tile_of_height<vectors, row_step, height - 1>(rows, t);
}

void run(Index rows, Index columns, const TileProduct& product) {
    const auto narrow = product.rows_apart ? tile_of_height<1, kLanes> : tile_of_height<1, 1>;
    const auto wide =
        product.rows_apart ? tile_of_height<kVectors, kLanes> : tile_of_height<kVectors, 1>;
    const auto tile = columns <= kLanes ? narrow : wide;
    if (columns % kLanes == 0) return tile(rows, product);

    // The tile reaches over C's edge: compute it in a buffer and copy the valid part.
    Real beside[kRows * kVectors * kLanes];
    const Index width = kVectors * kLanes;
    TileProduct t = product;
    t.c = beside;
    t.stride = width;
    t.column_bias = nullptr;
    if (t.accumulate || product.column_bias != nullptr) {
        for (Index i = 0; i < rows; ++i) {
            for (Index j = 0; j < columns; ++j) {
                const Real bias = product.column_bias != nullptr ? product.column_bias[j] : 0;
                const Real start = t.accumulate ? product.c[i * product.stride + j] : 0;
                beside[i * width + j] = start + bias;
            }
            for (Index j = columns; j < width; ++j) beside[i * width + j] = 0;
        }
        t.accumulate = true;
    }
    tile(rows, t);
    for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) {
            product.c[i * product.stride + j] = beside[i * width + j];
        }
    }
}

// Several at a time, because then x is loaded once for all, and the sums do not wait for each
// other.
template <int count>
void dots_together(Index depth, Index line_step, const Real* lines, const Real* x, Real* y,
                   bool accumulate) {
    constexpr int lanes = 16, parts = lanes / kLanes;  // of a sum
    static_assert(lanes % kLanes == 0);
    Vector sum[count][parts] = {};
    Index p = 0;
    for (; p + lanes <= depth; p += lanes) {
        PRIMER_UNROLL for (int part = 0; part < parts; ++part) {
            const Index at = p + part * kLanes;
            const Vector factor = load(x + at);
            PRIMER_UNROLL for (int i = 0; i < count; ++i) {
                sum[i][part] += factor * load(lines + i * line_step + at);
            }
        }
    }
    PRIMER_UNROLL for (int i = 0; i < count; ++i) {
        Real total = accumulate ? y[i] : 0;
        for (int lane = 0; lane < lanes; ++lane) total += sum[i][lane / kLanes][lane % kLanes];
        for (Index q = p; q < depth; ++q) total += x[q] * lines[i * line_step + q];
        y[i] = total;
    }
}

void dots(Index count, Index depth, Index line_step, const Real* lines, const Real* x, Real* y,
          bool accumulate) {
    constexpr int together = kBytes > 16 ? 4 : 2;  // as many sums as there are registers for
    Index i = 0;
    for (; i + together <= count; i += together) {
        dots_together<together>(depth, line_step, lines + i * line_step, x, y + i, accumulate);
    }
    for (; i < count; ++i) {
        dots_together<1>(depth, line_step, lines + i * line_step, x, y + i, accumulate);
    }
}

// a[start], b[start], a[start + 1], b[start + 1], ...: half of the values of a and b.
template <int start, int... i>
Vector interleave(const Vector& a, const Vector& b, std::integer_sequence<int, i...>) {
    return __builtin_shufflevector(a, b, (start + i / 2 + i % 2 * kLanes)...);
}

// Transposes a square of kLanes x kLanes. Interleaving the two halves of this list of kLanes^2
// values rotates the bits of each value's index to the left by one. After log2(kLanes) times, row
// and column have changed places.
void transpose_square(Vector (&rows)[kLanes]) {
    for (int step = kLanes; step > 1; step /= 2) {
        Vector next[kLanes];
        for (int i = 0; i < kLanes / 2; ++i) {
            constexpr auto lanes = std::make_integer_sequence<int, kLanes>();
            next[2 * i] = interleave<0>(rows[i], rows[i + kLanes / 2], lanes);
            next[2 * i + 1] = interleave<kLanes / 2>(rows[i], rows[i + kLanes / 2], lanes);
        }
        for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
    }
}

// Transposes lines first, first + 1, ..., at most kLanes of them, and writes `filled` values to
// each row.
void transpose_lines(Index first, Index lines, Index line_step, Index depth, const Real* from,
                     Index width, Index filled, Real* to) {
    Index p = 0;
    // Stores a whole register for each row, whatever `filled` is. The excess lands at the beginning
    // of the next row. Where it would land beyond the end, the loop below takes over.
    while (p + kLanes <= depth && (p + kLanes - 1) * width + first + kLanes <= depth * width) {
        Vector rows[kLanes];
        for (int i = 0; i < kLanes; ++i) {
            rows[i] = i < lines ? load(from + (first + i) * line_step + p) : Vector{};
        }
        transpose_square(rows);
        for (int i = 0; i < kLanes; ++i) store(rows[i], to + (p + i) * width + first);
        p += kLanes;
    }
    for (; p < depth; ++p) {
        Real* const row = to + p * width + first;
        for (Index i = 0; i < lines; ++i) row[i] = from[(first + i) * line_step + p];
        for (Index i = lines; i < filled; ++i) row[i] = 0;
    }
}

// The last lines first, so that their excess at the beginning of the next rows is overwritten.
void transpose(Index lines, Index line_step, Index depth, const Real* from, Index width, Real* to) {
    for (Index first = (width - 1) / kLanes * kLanes; first >= 0; first -= kLanes) {
        transpose_lines(first, lines > first ? smaller(lines - first, kLanes) : 0, line_step, depth,
                        from, width, smaller(width - first, kLanes), to);
    }
}

void transpose_into(Index lines, Index line_step, Index depth, const Real* from, Index to_step,
                    Real* to) {
    for (Index i = 0; i < lines; i += kLanes) {
        for (Index p = 0; p < depth; p += kLanes) {
            if (lines - i >= kLanes && depth - p >= kLanes) {
                Vector rows[kLanes];
                for (int k = 0; k < kLanes; ++k) rows[k] = load(from + (i + k) * line_step + p);
                transpose_square(rows);
                for (int k = 0; k < kLanes; ++k) store(rows[k], to + (p + k) * to_step + i);
                continue;
            }
            for (Index q = p; q < smaller(depth, p + kLanes); ++q) {
                for (Index k = i; k < smaller(lines, i + kLanes); ++k) {
                    to[q * to_step + k] = from[k * line_step + q];
                }
            }
        }
    }
}

// Copies n values, usually few. With a call of memcpy for each, packing would take longer than
// multiplying.
void copy(Index n, const Real* from, Real* to) {
    if (n >= kLanes) {
        for (Index i = 0; i < n - kLanes; i += kLanes) store(load(from + i), to + i);
        store(load(from + n - kLanes), to + n - kLanes);  // overlaps the one before
        return;
    }
    using Half [[gnu::vector_size(kBytes / 2)]] = Real;
    constexpr Index half = kLanes / 2;
    if (n >= half) {
        Half first, last;
        __builtin_memcpy(&first, from, sizeof first);
        __builtin_memcpy(&last, from + n - half, sizeof last);
        __builtin_memcpy(to, &first, sizeof first);
        __builtin_memcpy(to + n - half, &last, sizeof last);
        return;
    }
    for (Index i = 0; i < n; ++i) to[i] = from[i];
}

void gather(Index rows, const Index* offsets, const Real* from, Index count,
            const GemmTile::Piece* pieces, Index width, Real* to) {
    for (Index row = 0; row < rows; ++row, to += width) {
        const Real* const here = from + offsets[row];
        for (Index i = 0; i < count; ++i) {
            copy(pieces[i].length, here + pieces[i].from, to + pieces[i].to);
        }
    }
}

void copy_rows(Index rows, Index length, const Real* from, Index from_step, Real* to,
               Index to_step) {
    for (Index row = 0; row < rows; ++row) copy(length, from + row * from_step, to + row * to_step);
}

}  // namespace

GemmTile gemm_tile() {
    return {.rows = kRows,
            .columns = kVectors * kLanes,
            .run = run,
            .lanes = kLanes,
            .dots = dots,
            .transpose_into = transpose_into,
            .transpose = transpose,
            .gather = gather,
            .copy_rows = copy_rows};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

// How C = A B gets fast, in a page.
//
// The definition (reference::gemm, below) takes 2 m n k operations, and nearly all of them wait for
// memory: each step loads two numbers to multiply them once. The cure is to load a piece of A and a
// piece of B once and use each number many times while it is near. There is a piece for each kind
// of near:
//
//     registers   A *tile* of C, 12 x 32 numbers with AVX-512, is held in registers while a column
//                 of A and a row of B go by: 44 loads for 384 multiplications. (isa/gemm_tile.cpp)
//     L1 cache    B is cut into *strips* as wide as a tile and kDepth long. One strip stays in L1
//                 while the tiles of a column of C are computed with it, one below the other.
//     L2 cache    A is cut into strips as high as a tile. A *block* of them, kBlockRows in all,
//                 stays in L2 while strip after strip of B goes by.
//
//            k                      n                         n
//        +--------+           +--+--+--+--+            +--+--+--+--+
//        |   A    |           |  |s |  |  |          m |  |t |  |  |  tile = strip of A
//      m |========| strip     |  |t |  |  | kDepth     +--+i-+--+--+         x strip of B
//        |        | (rows     |  |r |  |  | of k       |  |l |  |  |
//        +--------+  of a     |  |ip|  |  |            |  |e |  |  |
//                    tile)    +--+--+--+--+            +--+--+--+--+
//
// Strips are *packed*: copied so that the tile's loop reads memory in one straight line, whatever
// the matrices' own order. That also does away with transposes, and with edges: what is missing
// from the last strip is filled with zeros, and the tile there is computed beside C and its valid
// part copied over.
//
// k is cut into pieces of kDepth, one after the other; each adds to C. Within a tile the products
// are added in the order of k. So every element of C is made in the same order, however the tiles
// are shared out among threads.
//
// Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; Van Zee and van
// de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015.

#include "primer/core/kernels/gemm.h"

#include <algorithm>
#include <array>

#include "primer/core/kernels/isa.h"
#include "primer/core/kernels/isa/gemm_tile.h"
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

constexpr Index kDepth = 256;      // of a strip: 32 KB of B, which L1 holds
constexpr Index kBlockRows = 144;  // of A: 144 KB, which L2 holds beside B's strips
constexpr Index kBlockStrips = 8;  // of B, for one task: enough to be worth a block of A
constexpr Index kMaxTile = 12 * 32;

// Multiplications that are worth handing to another thread, which takes some microseconds.
constexpr Index kWorthAThread = 1'000'000;

GemmTile tile_for(Isa isa) {
    switch (isa) {
#ifdef __x86_64__
        case Isa::avx2:
            return avx2::gemm_tile();
        case Isa::avx512:
            return avx512::gemm_tile();
#endif
        default:
            return baseline::gemm_tile();
    }
}

Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

// One operand, seen as strips: `width` of its rows (A) or columns (B) to a strip, `count` in all.
// Element p of line i lies at data[i * line_step + p * depth_step].
struct Operand {
    const Real* data;
    Index count, line_step, depth_step, width;

    Index strips() const { return ceil_div(count, width); }

    // Writes depth x width values of one strip, zeros where there are no more lines.
    void pack(Index strip, Index first_depth, Index depth, Real* out) const {
        const Index first = strip * width, lines = std::min(width, count - first);
        const Real* from = data + first * line_step + first_depth * depth_step;
        if (line_step == 1) {
            for (Index p = 0; p < depth; ++p, from += depth_step, out += width) {
                for (Index i = 0; i < lines; ++i) out[i] = from[i];
                for (Index i = lines; i < width; ++i) out[i] = 0;
            }
            return;
        }
        for (Index i = 0; i < width; ++i) {
            for (Index p = 0; p < depth; ++p) {
                out[p * width + i] = i < lines ? from[i * line_step + p * depth_step] : Real(0);
            }
        }
    }
};

void pack_all(const Operand& operand, Index first_depth, Index depth, Real* out) {
    const Index strip_size = depth * operand.width;
    parallel_for(operand.strips(), std::max(Index{1}, 65536 / strip_size),
                 [&](Index begin, Index end) {
                     for (Index s = begin; s < end; ++s) {
                         operand.pack(s, first_depth, depth, out + s * strip_size);
                     }
                 });
}

// C's tile at (row, column), of which only rows x columns lie within C.
void compute_tile(const GemmTile& tile, Index depth, const Real* a, const Real* b, Real* c,
                  Index stride, Index rows, Index columns, bool accumulate) {
    if (rows >= tile.rows && columns >= tile.columns) {
        tile.run(depth, a, b, c, stride, accumulate);
        return;
    }
    std::array<Real, kMaxTile> whole;
    tile.run(depth, a, b, whole.data(), tile.columns, false);
    for (Index i = 0; i < std::min(rows, tile.rows); ++i) {
        for (Index j = 0; j < std::min(columns, tile.columns); ++j) {
            const Real value = whole[static_cast<std::size_t>(i * tile.columns + j)];
            c[i * stride + j] = accumulate ? c[i * stride + j] + value : value;
        }
    }
}

// Without packing, for products so small that copying would take longer than multiplying.
void small_gemm(const Operand& a, const Operand& b, Index k, Real* c, bool accumulate) {
    for (Index i = 0; i < a.count; ++i) {
        Real* const row = c + i * b.count;
        if (!accumulate) std::fill_n(row, b.count, Real(0));
        for (Index p = 0; p < k; ++p) {
            const Real value = a.data[i * a.line_step + p * a.depth_step];
            const Real* from = b.data + p * b.depth_step;
            if (b.line_step == 1) {
                for (Index j = 0; j < b.count; ++j) row[j] += value * from[j];
            } else {
                for (Index j = 0; j < b.count; ++j) row[j] += value * from[j * b.line_step];
            }
        }
    }
}

const GemmTile& the_tile() {
    static const GemmTile tile = tile_for(isa());
    return tile;
}

// Up to here packing costs more than it saves.
bool is_small(Index m, Index n, Index k) { return m * n * k <= 8192; }

}  // namespace

Index gemm_scratch(Index m, Index n, Index k) {
    if (is_small(m, n, k)) return 0;
    const GemmTile& tile = the_tile();
    return (ceil_div(m, tile.rows) * tile.rows + ceil_div(n, tile.columns) * tile.columns) *
           std::min(k, kDepth);
}

void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, bool accumulate) {
    const GemmTile& tile = the_tile();
    if (m == 0 || n == 0) return;
    const Operand lines_of_a{.data = a,
                             .count = m,
                             .line_step = trans_a == Trans::no ? k : 1,
                             .depth_step = trans_a == Trans::no ? 1 : m,
                             .width = tile.rows};
    const Operand lines_of_b{.data = b,
                             .count = n,
                             .line_step = trans_b == Trans::no ? 1 : k,
                             .depth_step = trans_b == Trans::no ? n : 1,
                             .width = tile.columns};
    if (is_small(m, n, k)) {
        small_gemm(lines_of_a, lines_of_b, k, c, accumulate);
        return;
    }

    // Tasks are blocks of C; how many depends on the sizes alone. Eight keep many threads busy.
    const Index strips_a = lines_of_a.strips(), strips_b = lines_of_b.strips();
    const Index block_a = std::clamp(ceil_div(strips_a, 8), Index{1}, kBlockRows / tile.rows);
    const Index blocks_a = ceil_div(strips_a, block_a);
    const Index block_b = std::clamp(ceil_div(strips_b * blocks_a, 8), Index{1}, kBlockStrips);
    const Index blocks_b = ceil_div(strips_b, block_b);

    Storage scratch(gemm_scratch(m, n, k));
    Real* const packed_a = scratch.data();
    Real* const packed_b = packed_a + strips_a * tile.rows * std::min(k, kDepth);
    for (Index p = 0; p < k; p += kDepth) {
        const Index depth = std::min(kDepth, k - p);
        pack_all(lines_of_a, p, depth, packed_a);
        pack_all(lines_of_b, p, depth, packed_b);
        const Index task_work = block_a * tile.rows * block_b * tile.columns * depth;
        const auto task = [&](Index block) {
            const Index first_a = block % blocks_a * block_a, first_b = block / blocks_a * block_b;
            for (Index j = first_b; j < std::min(first_b + block_b, strips_b); ++j) {
                for (Index i = first_a; i < std::min(first_a + block_a, strips_a); ++i) {
                    const Index row = i * tile.rows, column = j * tile.columns;
                    compute_tile(tile, depth, packed_a + row * depth, packed_b + column * depth,
                                 c + row * n + column, n, m - row, n - column, accumulate || p > 0);
                }
            }
        };
        parallel_for(blocks_a * blocks_b, std::max(Index{1}, kWorthAThread / task_work),
                     [&](Index begin, Index end) {
                         for (Index block = begin; block < end; ++block) task(block);
                     });
    }
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

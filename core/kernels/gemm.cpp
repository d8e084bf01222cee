// Only speed: how C = A B becomes fast, on one page.
//
// The definition (reference::gemm) takes 2 m n k operations, and nearly all of them wait for
// memory, because each step loads two numbers and multiplies them once. The cure is to load a piece
// of A and a piece of B once and to use each number many times while it is close to the processor.
// Each level of memory has its own piece:
//
//     registers   A *tile* of C, 12 x 32 numbers with AVX-512, stays in registers while a column
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
// Strips are *packed*: copied so that the tile's loop reads memory sequentially, whatever the order
// of the matrices. Packing also handles transposes and edges. The last strip of B takes whole
// registers, with anything in their unused lanes; the tile there is computed in a buffer, and its
// valid part is copied to C.
//
// k is cut into pieces of kDepth, one after the other; each adds to C. Within a tile the products
// are added in the order of k. So every element of C is summed in the same order, however the
// threads share the tiles.
//
// Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; Van Zee and van
// de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015.

#include "gemm.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "gemm_blocks.h"
#include "isa.h"
#include "parallel.h"
#include "reference.h"
#include "storage.h"

namespace primer::kernels {

namespace {

constexpr Index kDepth = 256;      // of a strip: 32 KB of B, which L1 holds
constexpr Index kBlockRows = 288;  // of A: 288 KB, which L2 holds

// Values of A that are packed at a time, unless this would be very few rows. For each such part of
// A, all of B is packed again.
constexpr Index kMostPacked = 6'000'000;
// Up to this many rows of A, the threads divide A first and not B: see Tasks.
constexpr Index kFewRows = 256;
// Packing this many values is worth another thread.
constexpr Index kWorthPacking = 65'536;

}  // namespace

PackedRows cut_rows(Index rows, Index depth) {
    return {.strips = Cut::evenly(rows, table().gemm.rows),
            .depths = Cut::evenly(depth, kDepth),
            .data = nullptr};
}

void pack_rows(const PackedRows& packed, const Real* from, Index row_step, Index depth_step) {
    const Cut &strips = packed.strips, &depths = packed.depths;
    const auto pack = [&](Index strip, Index piece) {
        Real* const to = const_cast<Real*>(packed.strip(strip, piece));
        const Real* const source =
            from + strips.begin(strip) * row_step + depths.begin(piece) * depth_step;
        const Index height = strips.length(strip), depth = depths.length(piece);
        if (row_step == 1) {
            table().gemm.copy_rows(depth, height, source, depth_step, to, height);
        } else {
            table().gemm.transpose(height, row_step, depth, source, height, to);
        }
    };
    const Index strip_size = strips.size * std::max(Index{1}, depths.total);
    rows(strips.count, strip_size, kWorthPacking, [&](Index begin, Index end) {
        for (Index piece = 0; piece < depths.count; ++piece) {
            for (Index strip = begin; strip < end; ++strip) pack(strip, piece);
        }
    });
}

namespace {

// Memory for packed strips, which each thread keeps from call to call, because for small products
// asking the shared cache of blocks would take too long. Destructors of static objects may still
// multiply after the thread's memory has been destroyed. They see this by `gone`, which has no
// destructor.
class Scratch {
  public:
    Scratch() { gone = false; }
    ~Scratch() { gone = true; }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // This thread's memory, or `otherwise` if that has been destroyed.
    static Real* of_size(Index size, std::vector<Real>& otherwise) {
        if (gone) return grown(otherwise, size);
        thread_local Scratch scratch;
        return grown(scratch.values_, size);
    }

  private:
    static Real* grown(std::vector<Real>& values, Index size) {
        values.resize(std::max(values.size(), static_cast<std::size_t>(size)));
        return values.data();
    }

    static thread_local bool gone;
    std::vector<Real> values_;
};

thread_local bool Scratch::gone = false;

}  // namespace

void multiply(const BlockProduct& product) {
    const GemmTile& tile = table().gemm;
    const PackedRows& a = product.a;
    const Index strip_count = product.last_strip - product.first_strip;
    std::vector<Real> at_exit;
    Real* const scratch = Scratch::of_size(strip_count * a.depths.size * tile.columns, at_exit);
    std::array<Strip, kBlockStrips> strips;
    for (Index piece = 0; piece < a.depths.count; ++piece) {
        const Index depth = a.depths.length(piece);
        const bool first = piece == 0, last = piece + 1 == a.depths.count;
        for (Index j = 0; j < strip_count; ++j) {
            strips[static_cast<std::size_t>(j)] =
                product.b(product.first_strip + j, a.depths.begin(piece), depth,
                          scratch + j * a.depths.size * tile.columns);
        }
        const Index block = kBlockRows / tile.rows;
        for (Index begin = product.first_row_strip; begin < product.last_row_strip;
             begin += block) {
            const Index end = std::min(begin + block, product.last_row_strip);
            for (Index j = 0; j < strip_count; ++j) {
                const Strip& strip = strips[static_cast<std::size_t>(j)];
                const Index column = product.columns.begin(product.first_strip + j);
                const Index width = product.columns.length(product.first_strip + j);
                for (Index i = begin; i < end; ++i) {
                    const Index row = a.strips.begin(i), height = a.strips.length(i);
                    TileProduct t{.a = a.strip(i, piece),
                                  .b = strip.data,
                                  .depth = depth,
                                  .a_step = height,
                                  .b_step = strip.step,
                                  .c = product.c + row * product.stride + column,
                                  .stride = product.stride,
                                  .accumulate = product.accumulate || !first};
                    if (last) {
                        t.row_bias = product.row_bias != nullptr ? product.row_bias + row : nullptr;
                        t.column_bias =
                            product.column_bias != nullptr ? product.column_bias + column : nullptr;
                        t.relu = product.relu;
                    }
                    tile.run(height, width, t);
                }
            }
        }
    }
}

namespace {

// How the threads divide gemm: a task is a block of C. There are more tasks than threads, so that a
// delayed thread does not keep the others waiting. Every thread computes an element of C in the
// same way, so the tasks may depend on the number of threads.
struct Tasks {
    Cut row_parts, strip_parts;  // of A's strips and of B's

    // Every part of the rows packs B again. So B is divided first, unless it is used in place and
    // rows are few. Then the rows are divided first: each part is one piece of C's memory, and
    // mostly the same thread goes on with it (see parallel.cpp).
    Tasks(Index row_strips, Index strips, bool rows_first)
        : row_parts(row_strips, row_strips), strip_parts(strips, kBlockStrips) {
        const Index threads = num_threads(), parts = threads == 1 ? 1 : 4 * threads;
        if (rows_first) cut(row_parts, parts, 3);
        cut(strip_parts, parts / row_parts.count, 1);
        if (!rows_first) cut(row_parts, parts / strip_parts.count, 4);
    }
    Index count() const { return row_parts.count * strip_parts.count; }

  private:
    // Cuts into at least `parts`, unless they would be smaller than `smallest`.
    static void cut(Cut& whole, Index parts, Index smallest) {
        const Index size = std::max(smallest, ceil_div(whole.total, std::max(Index{1}, parts)));
        whole = Cut::evenly(whole.total, std::min(whole.size, size));
    }
};

// B in memory: element (p, j) is at data[p * depth_step + j * line_step].
struct RightMatrix {
    const Real* data;
    Index depth_step, line_step;
    bool in_place;       // used in place, without packing, if possible
    const Real* packed;  // by pack_right, or nullptr
    Index packed_width;

    Strip strip(Index column, Index width, Index begin, Index depth, Real* scratch) const {
        const GemmTile& tile = table().gemm;
        if (packed != nullptr) {
            return {packed + begin * packed_width + column * depth, tile.columns};
        }
        const Real* const from = data + begin * depth_step + column * line_step;
        if (line_step != 1) {
            tile.transpose(width, line_step, depth, from, tile.columns, scratch);
        } else if (in_place && width == tile.columns) {
            return {from, depth_step};
        } else {
            tile.copy_rows(depth, width, from, depth_step, scratch, tile.columns);
        }
        return {scratch, tile.columns};
    }
};

// Whether the rows of a strip of B, n values apart, spread over the cache. If n is a multiple of a
// large power of two, they all compete for the same few places.
bool rows_spread(Index n, Index depth) {
    constexpr Index page = 4096, ways = 8;
    const Index places = page / std::gcd(page, n * static_cast<Index>(sizeof(Real)));
    return depth <= ways * places;
}

// Whether a strip of B with contiguous rows is best used in place: A has so few rows that packing
// would hardly pay.
bool better_in_place(Index rows, Index n, Index depth) {
    return rows <= 96 && rows_spread(n, depth);
}

// gemm for so few rows of A that they can be packed at once.
void gemm_rows(Index m, Index n, Index k, const Real* a, Index row_step, Index depth_step,
               const RightMatrix& right, Real* c, const GemmOptions& options) {
    const Index width = table().gemm.columns;
    PackedRows packed = cut_rows(m, k);
    Storage memory(m * k);
    packed.data = memory.data();
    pack_rows(packed, a, row_step, depth_step);

    const Cut columns(n, width);
    const Tasks tasks(packed.strips.count, columns.count,
                      right.line_step == 1 && m <= kFewRows && rows_spread(n, packed.depths.size));
    RightMatrix b = right;
    b.in_place = better_in_place(m / tasks.row_parts.count, n, packed.depths.size);
    const auto run = [&](Index task) {
        const Index part = task / tasks.strip_parts.count, strips = task % tasks.strip_parts.count;
        const Index row = tasks.row_parts.begin(part), strip = tasks.strip_parts.begin(strips);
        multiply({.a = packed,
                  .first_row_strip = row,
                  .last_row_strip = row + tasks.row_parts.length(part),
                  .columns = columns,
                  .first_strip = strip,
                  .last_strip = strip + tasks.strip_parts.length(strips),
                  .b =
                      [&](Index j, Index begin, Index depth, Real* scratch) {
                          return b.strip(columns.begin(j), columns.length(j), begin, depth,
                                         scratch);
                      },
                  .c = c,
                  .stride = n,
                  .accumulate = options.accumulate,
                  .column_bias = options.bias,
                  .relu = options.relu});
    };
    rows(tasks.count(), m * n * k / tasks.count(), kWorthAThread, [&](Index begin, Index end) {
        for (Index task = begin; task < end; ++task) run(task);
    });
}

// One row of A times the columns of B, each contiguous.
void row_times_columns(Index n, Index k, const Real* a, const Real* b, Real* c,
                       const GemmOptions& options) {
    rows(n, k, kWorthAThread, [&](Index begin, Index end) {
        table().gemm.dots(end - begin, k, k, b + begin * k, a, c + begin, options.accumulate);
        for (Index j = begin; j < end; ++j) {
            if (options.bias != nullptr) c[j] += options.bias[j];
        }
        if (options.relu) table().activation.relu(end - begin, c + begin, c + begin);
    });
}

// Of the packed strips of a right matrix with n columns.
Index packed_width(Index n) { return Cut(n, table().gemm.columns).count * table().gemm.columns; }

}  // namespace

Index packed_right_size(Index n, Index k) { return k * packed_width(n); }

void pack_right(Trans trans_b, Index n, Index k, const Real* b, Real* packed) {
    const Index width = table().gemm.columns;
    const Cut columns(n, width), depths = Cut::evenly(k, kDepth);
    const RightMatrix right{.data = b,
                            .depth_step = trans_b == Trans::no ? n : 1,
                            .line_step = trans_b == Trans::no ? 1 : k,
                            .in_place = false,
                            .packed = nullptr,
                            .packed_width = packed_width(n)};
    rows(columns.count, width * k, kWorthPacking, [&](Index begin, Index end) {
        for (Index piece = 0; piece < depths.count; ++piece) {
            const Index row = depths.begin(piece), depth = depths.length(piece);
            for (Index j = begin; j < end; ++j) {
                right.strip(columns.begin(j), columns.length(j), row, depth,
                            packed + row * right.packed_width + columns.begin(j) * depth);
            }
        }
    });
}

void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, const GemmOptions& options) {
    if (isa() == Isa::reference || k == 0) {
        return reference::gemm(trans_a, trans_b, m, n, k, a, b, c, options);
    }
    if (m == 0 || n == 0) return;
    if (m == 1 && trans_b == Trans::yes) return row_times_columns(n, k, a, b, c, options);

    const Index row_step = trans_a == Trans::no ? k : 1, depth_step = trans_a == Trans::no ? 1 : m;
    const RightMatrix right{.data = b,
                            .depth_step = trans_b == Trans::no ? n : 1,
                            .line_step = trans_b == Trans::no ? 1 : k,
                            .in_place = false,
                            .packed = options.packed,
                            .packed_width = packed_width(n)};
    const Cut parts = Cut::evenly(m, std::max(kBlockRows, kMostPacked / k));
    for (Index part = 0; part < parts.count; ++part) {
        const Index row = parts.begin(part);
        gemm_rows(parts.length(part), n, k, a + row * row_step, row_step, depth_step, right,
                  c + row * n, options);
    }
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

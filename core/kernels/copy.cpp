// Only speed: core/ops/view.cpp defines what moves where.

#include "copy.h"

#include <algorithm>
#include <vector>

#include "elementwise.h"
#include "parallel.h"

namespace primer::kernels {
namespace {

// Memory is read and written in cache lines. If neighbours in x are far apart in y, as in a
// transposition, then a tile of kRows times kRows elements uses every line that it touches.
constexpr Index kRows = 16;
constexpr Index kColumns = 1024;  // of what a thread copies at a time: kRows * kColumns = kGrain

// One dimension of a copy: its size, and how far apart neighbours lie in x and in y.
struct Dimension {
    Index size = 1, x = 0, y = 0;
};

void copy_tile(const Dimension& across, const Dimension& along, const Real* x, Real* y) {
    if (along.x == 1 && along.y == 1) {
        for (Index r = 0; r < across.size; ++r) {
            std::copy_n(x + r * across.x, along.size, y + r * across.y);
        }
        return;
    }
    if (along.x == 0 && along.y == 1) {  // one value for the whole line
        for (Index r = 0; r < across.size; ++r) {
            std::fill_n(y + r * across.y, along.size, x[r * across.x]);
        }
        return;
    }
    for (Index c0 = 0; c0 < along.size; c0 += kRows) {
        for (Index r = 0; r < across.size; ++r) {
            const Real* const from = x + r * across.x;
            Real* const to = y + r * across.y;
            for (Index c = c0; c < std::min(c0 + kRows, along.size); ++c) {
                to[c * along.y] = from[c * along.x];
            }
        }
    }
}

// Takes out the dimension that makes up tiles together with the innermost one, `along`: the one
// whose neighbours are adjacent in x or, if there is none, the next to innermost.
Dimension take_across(std::vector<Dimension>& dimensions, const Dimension& along) {
    if (dimensions.empty()) return {};
    auto found = std::ranges::find(dimensions, Index{1}, &Dimension::x);
    if (along.x == 1 || found == dimensions.end()) found = dimensions.end() - 1;
    const Dimension across = *found;
    dimensions.erase(found);
    return across;
}

// Piece `index` of a dimension that is cut into pieces of `size`.
Dimension piece_of(const Dimension& whole, Index size, Index index) {
    return {std::min(size, whole.size - index * size), whole.x, whole.y};
}

}  // namespace

void copy_strided(const Shape& shape, const Real* x, const Strides& stride_x, Real* y,
                  const Strides& stride_y) {
    if (shape.numel() == 0) return;
    const Broadcast loop(shape, stride_x, stride_y);
    std::vector<Dimension> around;
    for (std::size_t d = 0; d < static_cast<std::size_t>(loop.rank); ++d) {
        around.push_back({loop.size[d], loop.stride_a[d], loop.stride_b[d]});
    }
    const Dimension along = around.back();
    around.pop_back();
    const Dimension across = take_across(around, along);
    const Index in_row = (along.size + kColumns - 1) / kColumns;  // tiles
    const Index in_column = (across.size + kRows - 1) / kRows;
    const Index count = shape.numel() / (along.size * across.size) * in_row * in_column;
    const Index tile = std::min(along.size, kColumns) * std::min(across.size, kRows);
    rows(count, tile, kGrain, [&](Index begin, Index end) {
        for (Index t = begin; t < end; ++t) {
            const Index column = t % in_row, row = t / in_row % in_column;
            Index at_x = column * kColumns * along.x + row * kRows * across.x;
            Index at_y = column * kColumns * along.y + row * kRows * across.y;
            Index rest = t / in_row / in_column;
            for (auto d = around.rbegin(); d != around.rend(); rest /= d->size, ++d) {
                at_x += rest % d->size * d->x;
                at_y += rest % d->size * d->y;
            }
            copy_tile(piece_of(across, kRows, row), piece_of(along, kColumns, column), x + at_x,
                      y + at_y);
        }
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

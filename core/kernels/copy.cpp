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
struct Line {
    Index size = 1, x = 0, y = 0;
};

void copy_tile(const Line& across, const Line& along, const Real* x, Real* y) {
    if (along.x == 1 && along.y == 1) {
        for (Index r = 0; r < across.size; ++r) {
            std::copy_n(x + r * across.x, along.size, y + r * across.y);
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
Line take_across(std::vector<Line>& lines, const Line& along) {
    if (lines.empty()) return {};
    auto found = std::ranges::find(lines, Index{1}, &Line::x);
    if (along.x == 1 || found == lines.end()) found = lines.end() - 1;
    const Line across = *found;
    lines.erase(found);
    return across;
}

// Piece `index` of a line that is cut into pieces of `size`.
Line piece_of(const Line& line, Index size, Index index) {
    return {std::min(size, line.size - index * size), line.x, line.y};
}

}  // namespace

void copy_strided(const Shape& shape, const Real* x, const Strides& stride_x, Real* y,
                  const Strides& stride_y) {
    if (shape.numel() == 0) return;
    const Broadcast loop(shape, stride_x, stride_y);
    std::vector<Line> around;
    for (std::size_t d = 0; d < static_cast<std::size_t>(loop.rank); ++d) {
        around.push_back({loop.size[d], loop.stride_a[d], loop.stride_b[d]});
    }
    const Line along = around.back();
    around.pop_back();
    const Line across = take_across(around, along);
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
            for (auto line = around.rbegin(); line != around.rend(); rest /= line->size, ++line) {
                at_x += rest % line->size * line->x;
                at_y += rest % line->size * line->y;
            }
            copy_tile(piece_of(across, kRows, row), piece_of(along, kColumns, column), x + at_x,
                      y + at_y);
        }
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

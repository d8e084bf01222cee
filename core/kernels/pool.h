#pragma once

#include <vector>

#include "../real.h"
#include "window.h"

// Pooling of x [planes, height, width]: each channel of each image is a plane.

namespace primer::kernels {

struct MaxPoolSizes {
    Index planes;
    Window h, w;
};

/// The memory for the numbers of the cells that the windows have taken: one byte per window, or
/// four if a window has more cells than a byte can number.
Index bytes_taken(const MaxPoolSizes& sizes);

/// y [planes, h.out, w.out] = the largest x in the window; `taken`, bytes_taken(sizes) bytes
/// aligned to four, records the cell where it is. The first of equal values is taken, and a NaN
/// counts as larger than anything before it. A window that sees nothing but padding (possible with
/// dilation) gives -infinity and has taken no cell.
void max_pool2d(const MaxPoolSizes& sizes, const Real* x, Real* y, void* taken);
/// dx = the sum of dy over the outputs that took x.
void max_pool2d_backward(const MaxPoolSizes& sizes, const void* taken, const Real* dy, Real* dx);

/// One output's average along one direction: the sum over `cells` divided by `count`.
struct Average {
    Range cells;
    Index count;
};

/// The averages of a sliding window without dilation. The cells are those inside the image. The
/// count is their number or, with `count_padding`, the number of cells inside the padded image.
std::vector<Average> sliding_averages(const Window& window, bool count_padding);
/// Divides `in` cells among `out` outputs as evenly as possible: output o has the cells from o in /
/// out, rounded down, to (o + 1) in / out, rounded up. Neighbours may overlap by one cell.
std::vector<Range> adaptive_cells(Index in, Index out);
/// The averages of these cells.
std::vector<Average> adaptive_averages(Index in, Index out);

struct AvgPoolSizes {
    Index planes, in_h, in_w;
    std::vector<Average> h, w;  ///< one for each row, and for each column, of the output
};

/// y [planes, h.size(), w.size()] = the averages over cells of h times cells of w.
void avg_pool2d(const AvgPoolSizes& sizes, const Real* x, Real* y);
/// dx = the sum of dy / count over the outputs whose cells include x.
void avg_pool2d_backward(const AvgPoolSizes& sizes, const Real* dy, Real* dx);

struct AdaptiveMaxPoolSizes {
    Index planes, in_h, in_w;
    std::vector<Range> h, w;  ///< one for each row, and for each column, of the output; not empty
};

/// y [planes, h.size(), w.size()] = the largest of the cells of h times cells of w, chosen as
/// max_pool2d does; `taken`, four bytes for each and aligned to four, is its position in the plane.
void adaptive_max_pool2d(const AdaptiveMaxPoolSizes& sizes, const Real* x, Real* y, void* taken);
/// dx = the sum of dy over the outputs that took x.
void adaptive_max_pool2d_backward(const AdaptiveMaxPoolSizes& sizes, const void* taken,
                                  const Real* dy, Real* dx);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include <vector>

#include "../real.h"
#include "window.h"

// Pooling of x [planes, height, width]: each channel of each image is a plane of its own.

namespace primer::kernels {

struct MaxPoolSizes {
    Index planes;
    Window h, w;
};

/// The memory for the number of the cell that each window has taken: a byte for each, or four where
/// a window has more cells than a byte can number.
Index bytes_taken(const MaxPoolSizes& sizes);

/// y [planes, h.out, w.out] = the largest x that the window sees; `taken`, of bytes_taken(sizes)
/// bytes aligned to four, says which of its cells that is. Of several the first is taken, and a NaN
/// counts as larger than anything before it. A window that sees nothing but padding (possible if it
/// is dilated) gives -infinity, and has taken none.
void max_pool2d(const MaxPoolSizes& sizes, const Real* x, Real* y, void* taken);
/// dx = the sum of dy over the outputs that took x.
void max_pool2d_backward(const MaxPoolSizes& sizes, const void* taken, const Real* dy, Real* dx);

/// What one output averages along one direction: the sum over `cells` divided by `count`.
struct Average {
    Range cells;
    Index count;
};

/// The averages of a sliding window without dilation. The cells are those inside the image; the
/// count is theirs or, with `count_padding`, that of the cells inside the padded image.
std::vector<Average> sliding_averages(const Window& window, bool count_padding);
/// The averages that divide `in` cells among `out` outputs as evenly as possible: output o has the
/// cells from o in / out, rounded down, to (o + 1) in / out, rounded up. They may overlap by one.
std::vector<Average> adaptive_averages(Index in, Index out);

struct AvgPoolSizes {
    Index planes, in_h, in_w;
    std::vector<Average> h, w;  ///< one for each row, and for each column, of the output
};

/// y [planes, h.size(), w.size()] = the averages over cells of h times cells of w.
void avg_pool2d(const AvgPoolSizes& sizes, const Real* x, Real* y);
/// dx = the sum of dy / count over the outputs that x is in.
void avg_pool2d_backward(const AvgPoolSizes& sizes, const Real* dy, Real* dx);

}  // namespace primer::kernels

#pragma once

#include <cstdint>
#include <vector>

#include "primer/core/kernels/window.h"
#include "primer/core/real.h"

// Pooling of x [planes, height, width]: each channel of each image is a plane of its own.

namespace primer::kernels {

struct MaxPoolSizes {
    Index planes;
    Window h, w;
};

/// y [planes, h.out, w.out] = the largest x that the window sees; `taken` is its position in its
/// plane, row * w.in + column, which must fit into 32 bits. Of several the first is taken, and a
/// NaN counts as larger than anything before it. A window that sees nothing but padding (possible
/// if it is dilated) gives -infinity and position -1.
void max_pool2d(const MaxPoolSizes& sizes, const Real* x, Real* y, std::int32_t* taken);
/// dx = the sum of dy over the outputs that took x.
void max_pool2d_backward(const MaxPoolSizes& sizes, const std::int32_t* taken, const Real* dy,
                         Real* dx);

namespace reference {
/// The definition: plain loops. What max_pool2d is compared with.
void max_pool2d(const MaxPoolSizes& sizes, const Real* x, Real* y, std::int32_t* taken);
}  // namespace reference

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

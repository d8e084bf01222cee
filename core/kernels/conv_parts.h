#pragma once

#include <algorithm>
#include <vector>

#include "../real.h"
#include "../shape.h"
#include "conv.h"

// What the fast convolutions are made of. The page that explains them is at the top of conv.cpp.

namespace primer::kernels {

/// A cell of the kernel, and where its value meets the input: at output o * stride + at.
struct Tap {
    Index cell, at;
};

/// One direction of a correlation.
struct Line {
    Index in, out, stride;
    std::vector<Tap> taps;  ///< from left to right

    Index first() const { return std::ranges::min(taps, {}, &Tap::at).at; }
    Index last() const { return std::ranges::max(taps, {}, &Tap::at).at; }
    /// How much of the input `outputs` neighbouring outputs see.
    Index seen(Index outputs) const { return (outputs - 1) * stride + last() - first() + 1; }
};

/// The taps of a convolution: at output o, cell k meets the input at o * stride - padding + k *
/// dilation.
Line forward_line(const Window& window);

/// The shape of
///     y[n, g, r, oh, ow] = bias[g, r] + sum over c, th, tw of
///                          weight[g, r, (c, th, tw)] x[n, g, c, oh * stride + at(th), ... at(tw)]
/// with x [batch, groups, channels, h.in, w.in] and y [batch, groups, rows, h.out, w.out]; outside
/// the image, x is 0.
struct Correlation {
    Index batch, groups, channels, rows;
    Line h, w;

    Index depth() const { return channels * std::ssize(h.taps) * std::ssize(w.taps); }
    Index in() const { return channels * h.in * w.in; }
    Index outputs() const { return h.out * w.out; }
};

/// Computes y. `bias` may be nullptr.
void correlate(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
               Real* y);

/// A copy of the part of an image that some rows of outputs see, with the padding filled in, and
/// with its columns in order of their phase: first those that the first tap of all meets, from
/// output to output, then their right neighbours, `stride` phases in all. So the values that one
/// tap meets along a row of outputs lie side by side, whatever the stride.
struct Frame {
    Index first_row, rows;  ///< of the image; may be outside
    Index first_column, columns;
    Index stride;           ///< of the columns
    Index phase;            ///< columns of one phase
    Index row_size, plane;  ///< values in a row, and from one channel to the next

    Frame(const Line& h, const Line& w, Index first_output_row, Index output_rows);

    Index row_of(const Line& h, Index tap_at) const { return tap_at - h.first(); }
    /// Where column `tap_at`, counted as Tap::at, is within a row.
    Index column_of(Index tap_at) const {
        const Index column = tap_at - first_column;
        return column % stride * phase + column / stride;
    }
    /// Whether all of it lies within the image, as it is.
    bool is_image(const Line& h, const Line& w) const;
    /// Copies what it has of `channels` planes of an image to `to`, of channels * plane values. The
    /// padding there must be 0 already.
    void fill(const Line& h, const Line& w, Index channels, const Real* image, Real* to) const;
    /// Where each row (c, th, tw) of the matrix of columns, which is never written down, begins.
    std::vector<Index> offsets(const Line& h, const Line& w, Index channels) const;
};

/// Whether Winograd's algorithm can compute it, and is faster.
bool winograd_wins(const Correlation& correlation);
/// The same as correlate, to rounding: relative to the largest values in a tile of 6x6 inputs.
/// Images whose results are not all finite are given to correlate.
void winograd(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
              Real* y);
/// The gradient of the weight of such a forward: weight_gradient to rounding. Returns false if it
/// is not all finite, which weight_gradient's may be.
[[nodiscard]] bool winograd_weight_gradient(const Correlation& correlation, const Real* x,
                                            const Real* dy, Real* dweight);

/// The gradient of the weight, for batch >= 1.
void weight_gradient(const ConvSizes& sizes, const Real* x, const Real* dy, Real* dweight);

/// Both again, for groups of one channel in and one out.
void depthwise(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
               Real* y);
void depthwise_weight_gradient(const ConvSizes& sizes, const Real* x, const Real* dy,
                               Real* dweight);

}  // namespace primer::kernels

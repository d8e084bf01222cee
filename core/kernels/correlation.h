#pragma once

#include <algorithm>
#include <vector>

#include "../real.h"
#include "../shape.h"
#include "conv.h"

// Correlations: what the fast convolutions and their gradients are made of. conv.cpp explains them
// at its top.

namespace primer::kernels {

/// A cell of the kernel, and the position that it meets: for output o, o * stride + at.
struct Tap {
    Index cell, at;
};

/// One direction of a correlation.
struct Direction {
    Index in, out, stride;
    std::vector<Tap> taps;  ///< from left to right

    Index first() const { return std::ranges::min(taps, {}, &Tap::at).at; }
    Index last() const { return std::ranges::max(taps, {}, &Tap::at).at; }
    /// How many positions of the input `outputs` neighbouring outputs see.
    Index seen(Index outputs) const { return (outputs - 1) * stride + last() - first() + 1; }
};

/// The taps of a convolution: for output o, cell k meets the input at o * stride - padding + k *
/// dilation.
Direction forward_direction(const Window& window);

/// The sizes of the correlation
///     y[n, g, r, oh, ow] = bias[g, r] + sum over c, th, tw of
///                          weight[g, r, (c, th, tw)] x[n, g, c, oh * stride + at(th), ... at(tw)]
/// with x [batch, groups, channels, h.in, w.in] and y [batch, groups, rows, h.out, w.out]; outside
/// the image, x is 0.
struct Correlation {
    Index batch, groups, channels, rows;
    Direction h, w;

    Index depth() const { return channels * std::ssize(h.taps) * std::ssize(w.taps); }
    Index in() const { return channels * h.in * w.in; }
    Index outputs() const { return h.out * w.out; }
};

/// Computes y. `bias` may be nullptr.
void correlate(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
               Real* y);
/// The two steps of correlate: packs the weight (as many values as it has), and computes y.
void pack_weight(const Correlation& correlation, const Real* weight, Real* packed);
void correlate_packed(const Correlation& correlation, const Real* x, const Real* packed,
                      const ConvEpilogue& epilogue, Real* y);

/// A padded copy of the part of an image that some rows of outputs see. Its columns are ordered by
/// phase: first those that the leftmost tap meets, from output to output, then their right
/// neighbours, `stride` phases in all. So the values that one tap meets along a row of outputs are
/// adjacent, whatever the stride.
struct Frame {
    Index first_row, rows;  ///< of the image; may lie outside
    Index first_column, columns;
    Index stride;           ///< of the columns
    Index phase;            ///< columns of one phase
    Index row_size, plane;  ///< values in a row, and from one channel to the next

    Frame(const Direction& h, const Direction& w, Index first_output_row, Index output_rows);

    Index row_of(const Direction& h, Index tap_at) const { return tap_at - h.first(); }
    /// Where column `tap_at`, in the units of Tap::at, is within a row.
    Index column_of(Index tap_at) const {
        const Index column = tap_at - first_column;
        return column % stride * phase + column / stride;
    }
    /// Whether the frame is just a part of the image, so that no copy is needed.
    bool is_image(const Direction& h, const Direction& w) const;
    /// Copies the frame of `channels` planes of an image to `to`, channels * plane values. The
    /// padding there must already be 0.
    void fill(const Direction& h, const Direction& w, Index channels, const Real* image,
              Real* to) const;
    /// Where each row (c, th, tw) of the matrix of columns begins in the frame.
    std::vector<Index> offsets(const Direction& h, const Direction& w, Index channels) const;
};

/// Whether Winograd's algorithm applies and is faster, if the transform of the weight is part of
/// the work.
bool winograd_wins(const Correlation& correlation);
/// Likewise, if the transformed weight is at hand. Does not depend on the batch.
bool winograd_wins_prepared(const Correlation& correlation);
/// Computes what correlate does, with rounding errors relative to the largest values in a tile of
/// 6x6 inputs. Images whose results are not all finite are left to correlate.
void winograd(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
              Real* y);
/// The two steps of winograd: transforms the weight (transformed_size values), and computes y.
Index transformed_size(const Correlation& correlation);
void transform_weight(const Correlation& correlation, const Real* weight, Real* transformed);
void winograd_transformed(const Correlation& correlation, const Real* x, const Real* weight,
                          const Real* transformed, const ConvEpilogue& epilogue, Real* y);
/// The gradient of the weight for such a correlation: weight_gradient up to rounding. Returns false
/// if some of it is not finite; weight_gradient's may be finite even then.
[[nodiscard]] bool winograd_weight_gradient(const Correlation& correlation, const Real* x,
                                            const Real* dy, Real* dweight);

/// The gradient of the weight, for batch >= 1.
void weight_gradient(const ConvSizes& sizes, const Real* x, const Real* dy, Real* dweight);

/// The forward and the gradient of the weight for groups of one input and one output channel.
void depthwise(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
               Real* y);
void depthwise_weight_gradient(const ConvSizes& sizes, const Real* x, const Real* dy,
                               Real* dweight);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

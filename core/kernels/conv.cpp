// Only speed: how a convolution becomes fast, on one page.
//
// The definition (reference::conv2d) is seven loops. With one image it is a matrix product, y
// [C_out, outputs] = weight [C_out, (C_in, kh, kw)] columns [(C_in, kh, kw), outputs], where a
// column is the patch of x that the window sees at one output. So gemm's blocks can compute it
// (gemm.cpp explains them). The task that remains is to avoid writing out `columns`, known as
// im2col, which for a 3x3 kernel is 9 times as large as x.
//
//     one channel of x,        the values that the tap          the row (c, kh, kw) of columns
//     padded: the frame        (kh, kw) meets: a window
//      0 0 0 0 0 0              . . . . . .
//      0 a b c d 0              . A B C D .                      A B C D E F G H I J K L
//      0 e f g h 0              . E F G H .
//      0 i j k l 0              . I J K L .
//      0 0 0 0 0 0              . . . . . .
//
// A row of columns is a window onto the frame, beginning at some offset. So packing a strip of 32
// outputs means copying, for each row, a few pieces of rows of the frame (conv_correlate.cpp). The
// strips are in the cache when they are used, and the frame is padded, so no copy has to check for
// edges.
//
// The gradient of x is a correlation, too: dx[i] is the sum of weight[j] dy[o] over the taps j that
// meet x[i] at some output o = (i + padding - j dilation) / stride. With stride 1 this is one
// correlation of dy. With a larger stride, only every stride-th tap meets a given x. So the
// positions of x fall into stride x stride phases, i modulo the stride, and each phase is a
// correlation with its own taps.
//
// The gradient of the weight is explained at the top of conv_weight.cpp. 3x3 windows over many
// channels need fewer multiplications with Winograd's algorithm: conv_winograd.cpp. A depthwise
// convolution, where each channel has its own kernels, gains nothing from matrices:
// conv_depthwise.cpp.
//
// Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks for Document
// Processing", 2006, introduced the matrix of columns.

#include "conv.h"

#include <algorithm>

#include "correlation.h"
#include "gemm_blocks.h"
#include "isa.h"
#include "isa/table.h"
#include "parallel.h"
#include "pool.h"
#include "reference.h"
#include "storage.h"

namespace primer::kernels {
namespace {

bool is_depthwise(const Correlation& c) { return c.groups > 1 && c.channels == 1 && c.rows == 1; }

void best_correlate(const Correlation& c, const Real* x, const Real* weight, const Real* bias,
                    Real* y) {
    const auto way = is_depthwise(c) ? depthwise : winograd_wins(c) ? winograd : correlate;
    way(c, x, weight, bias, y);
}

Correlation forward_correlation(const ConvSizes& s) {
    return {.batch = s.batch,
            .groups = s.groups,
            .channels = s.in_channels / s.groups,
            .rows = s.out_channels / s.groups,
            .h = forward_direction(s.h),
            .w = forward_direction(s.w)};
}

}  // namespace

void conv2d(const ConvSizes& s, const Real* x, const Real* weight, const Real* bias, Real* y) {
    // Without channels there is nothing to multiply, but y must be written.
    if (isa() == Isa::reference || s.in_channels == 0) {
        return reference::conv2d(s, x, weight, bias, y);
    }
    best_correlate(forward_correlation(s), x, weight, bias, y);
}

ConvWeight::Form ConvWeight::form_for(const ConvSizes& s) {
    const Correlation c = forward_correlation(s);
    if (isa() == Isa::reference || s.in_channels == 0 || is_depthwise(c)) return Form::plain;
    return winograd_wins_prepared(c) ? Form::transformed : Form::packed;
}

ConvWeight::ConvWeight(const ConvSizes& s, const Real* weight)
    : form_(form_for(s)),
      plain_(weight),
      made_(form_ == Form::plain    ? 0
            : form_ == Form::packed ? s.out_channels * forward_correlation(s).depth()
                                    : transformed_size(forward_correlation(s))) {
    if (form_ == Form::packed) pack_weight(forward_correlation(s), weight, made_.data());
    if (form_ == Form::transformed) transform_weight(forward_correlation(s), weight, made_.data());
}

bool ConvWeight::suits(const ConvSizes& s) const { return form_ == form_for(s); }

namespace {

// Convolves without a prepared weight, and applies the epilogue in passes of its own.
void convolve_plainly(const ConvSizes& s, const Real* x, const Real* weight,
                      const ConvEpilogue& epilogue, Real* y) {
    const Index planes = s.batch * s.out_channels, size = planes * s.h.out * s.w.out;
    Storage unpooled(epilogue.max_pool ? size : 0);
    Real* const sums = epilogue.max_pool ? unpooled.data() : y;
    conv2d(s, x, weight, epilogue.bias, sums);
    if (epilogue.relu) {
        rows(size, 1, kGrain, [&](Index begin, Index end) {
            table().activation.relu(end - begin, sums + begin, sums + begin);
        });
    }
    if (!epilogue.max_pool) return;
    const MaxPoolSizes pooled{
        .planes = planes, .h = {s.h.out, 2, 2, 0, 1}, .w = {s.w.out, 2, 2, 0, 1}};
    Storage taken(ceil_div(bytes_taken(pooled), static_cast<Index>(sizeof(Real))));
    max_pool2d(pooled, sums, y, taken.data());
}

}  // namespace

void ConvWeight::convolve(const ConvSizes& s, const Real* x, const ConvEpilogue& epilogue,
                          Real* y) const {
    const Correlation c = forward_correlation(s);
    switch (form_) {
        case Form::plain:
            return convolve_plainly(s, x, plain_, epilogue, y);
        case Form::packed:
            return correlate_packed(c, x, made_.data(), epilogue, y);
        case Form::transformed:
            return winograd_transformed(c, x, plain_, made_.data(), epilogue, y);
    }
}

namespace {

// The positions i = phase, phase + stride, ... of the input, and the taps that meet them: cell k
// meets i at output (i + padding - k * dilation) / stride, if that is a whole number.
Direction backward_direction(const Window& window, Index phase) {
    const Index count = (window.in - phase + window.stride - 1) / window.stride;
    Direction direction{
        .in = window.out, .out = std::max(Index{0}, count), .stride = 1, .taps = {}};
    for (Index k = window.kernel - 1; k >= 0; --k) {
        const Index distance = phase + window.padding - k * window.dilation;
        if (distance % window.stride == 0) direction.taps.push_back({k, distance / window.stride});
    }
    return direction;
}

// Rearranges weight [groups, out, in, kh, kw] to [groups, in, (out, th, tw)]: for each channel of
// x, the weights that meet it.
void transpose_weight(const ConvSizes& s, const Correlation& c, const Real* weight, Real* to) {
    const Index cells = s.h.kernel * s.w.kernel;
    rows(c.groups * c.rows, c.depth(), kGrain, [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            const Index group = row / c.rows, in = row % c.rows;
            Real* out = to + row * c.depth();
            for (Index o = 0; o < c.channels; ++o) {
                const Real* const from = weight + ((group * c.channels + o) * c.rows + in) * cells;
                for (const Tap& h : c.h.taps) {
                    for (const Tap& w : c.w.taps) {
                        *out++ = from[h.cell * s.w.kernel + w.cell];
                    }
                }
            }
        }
    });
}

// Writes dx at the positions of one phase: dx_phase, or 0 if that is nullptr.
void scatter(const ConvSizes& s, Index phase_h, Index phase_w, const Correlation& c,
             const Real* dx_phase, Real* dx) {
    rows(s.batch * s.in_channels, c.outputs(), kGrain, [&](Index begin, Index end) {
        for (Index plane = begin; plane < end; ++plane) {
            for (Index i = 0; i < c.outputs(); ++i) {
                const Index row = phase_h + i / c.w.out * s.h.stride;
                const Index column = phase_w + i % c.w.out * s.w.stride;
                dx[(plane * s.h.in + row) * s.w.in + column] =
                    dx_phase != nullptr ? dx_phase[plane * c.outputs() + i] : Real(0);
            }
        }
    });
}

}  // namespace

void conv2d_backward_input(const ConvSizes& s, const Real* weight, const Real* dy, Real* dx) {
    if (isa() == Isa::reference) return reference::conv2d_backward_input(s, weight, dy, dx);
    const bool one_phase = s.h.stride == 1 && s.w.stride == 1;
    const Index phases_h = std::min(s.h.stride, s.h.in), phases_w = std::min(s.w.stride, s.w.in);
    for (Index phase = 0; phase < phases_h * phases_w; ++phase) {
        const Index phase_h = phase / phases_w, phase_w = phase % phases_w;
        const Correlation c{.batch = s.batch,
                            .groups = s.groups,
                            .channels = s.out_channels / s.groups,
                            .rows = s.in_channels / s.groups,
                            .h = backward_direction(s.h, phase_h),
                            .w = backward_direction(s.w, phase_w)};
        if (c.outputs() == 0) continue;
        if (c.depth() == 0) {
            scatter(s, phase_h, phase_w, c, nullptr, dx);
            continue;
        }
        Storage transposed(s.in_channels * c.depth());
        transpose_weight(s, c, weight, transposed.data());
        Storage dx_phase(one_phase ? 0 : s.batch * s.in_channels * c.outputs());
        best_correlate(c, dy, transposed.data(), nullptr, one_phase ? dx : dx_phase.data());
        if (!one_phase) scatter(s, phase_h, phase_w, c, dx_phase.data(), dx);
    }
}

void conv2d_backward_weight(const ConvSizes& s, const Real* x, const Real* dy, Real* dweight) {
    if (isa() == Isa::reference || s.batch == 0 || s.in_channels == 0) {
        return reference::conv2d_backward_weight(s, x, dy, dweight);
    }
    const Correlation forward = forward_correlation(s);
    if (is_depthwise(forward)) return depthwise_weight_gradient(s, x, dy, dweight);
    if (winograd_wins(forward) && winograd_weight_gradient(forward, x, dy, dweight)) return;
    weight_gradient(s, x, dy, dweight);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

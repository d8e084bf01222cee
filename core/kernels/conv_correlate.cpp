// Only speed: the definition is in reference.cpp, the explanation at the top of conv.cpp.

#include <array>

#include "correlation.h"
#include "gemm_blocks.h"
#include "parallel.h"
#include "storage.h"

namespace primer::kernels {

Direction forward_direction(const Window& window) {
    Direction direction{.in = window.in, .out = window.out, .stride = window.stride, .taps = {}};
    for (Index k = 0; k < window.kernel; ++k) direction.taps.push_back({k, window.at(0, k)});
    return direction;
}

Frame::Frame(const Direction& h, const Direction& w, Index first_output_row, Index output_rows)
    : first_row(first_output_row * h.stride + h.first()),
      rows(h.seen(output_rows)),
      first_column(w.first()),
      columns(w.seen(w.out)),
      stride(w.stride),
      phase(ceil_div(columns, stride)),
      row_size(stride * phase),
      plane(rows * row_size) {
    // Planes that are whole pages apart would compete for the same cache lines.
    if (plane % 1024 == 0) plane += 16;
    if (is_image(h, w)) {
        row_size = w.in;
        plane = h.in * w.in;
    }
}

bool Frame::is_image(const Direction& h, const Direction& w) const {
    return stride == 1 && first_row >= 0 && first_row + rows <= h.in && first_column >= 0 &&
           first_column + columns <= w.in;
}

void Frame::fill(const Direction& h, const Direction& w, Index channels, const Real* image,
                 Real* to) const {
    const Index top = std::max(Index{0}, first_row), bottom = std::min(h.in, first_row + rows);
    const Index left = std::max(Index{0}, first_column);
    const Index right = std::min(w.in, first_column + columns);
    if (top >= bottom || left >= right) return;  // nothing but padding
    for (Index c = 0; c < channels; ++c) {
        const Real* const from = image + (c * h.in + top) * w.in;
        Real* const out = to + c * plane + (top - first_row) * row_size;
        if (stride == 1) {
            table().gemm.copy_rows(bottom - top, right - left, from + left, w.in,
                                   out + left - first_column, row_size);
            continue;
        }
        for (Index i = 0; i < bottom - top; ++i) {
            for (Index j = left; j < right; ++j) {
                out[i * row_size + column_of(j)] = from[i * w.in + j];
            }
        }
    }
}

std::vector<Index> Frame::offsets(const Direction& h, const Direction& w, Index channels) const {
    std::vector<Index> offsets;
    for (Index c = 0; c < channels; ++c) {
        for (const Tap& th : h.taps) {
            for (const Tap& tw : w.taps) {
                offsets.push_back(c * plane + row_of(h, th.at) * row_size + column_of(tw.at));
            }
        }
    }
    return offsets;
}

namespace {

class Correlator {
  public:
    Correlator(const Correlation& correlation, const Real* x, const Real* bias, Real* y)
        : shape_(correlation),
          columns_(correlation.outputs(), table().gemm.columns),
          pieces_(Cut::evenly(columns_.count, strips_of_a_piece(correlation, columns_.count))),
          frame_(shape_.h, shape_.w, 0, shape_.h.out),
          is_image_(frame_.is_image(shape_.h, shape_.w)),
          x_(x),
          bias_(bias),
          y_(y) {
        if (!is_image_) frame_ = Frame(shape_.h, shape_.w, 0, rows_of_a_piece());
        offsets_ = frame_.offsets(shape_.h, shape_.w, shape_.channels);
    }

    void run(const std::vector<PackedRows>& weights) const {
        const Index items = shape_.batch * shape_.groups * pieces_.count;
        const Index work = shape_.rows * shape_.depth() * shape_.outputs() / pieces_.count;
        const Index copy_size = is_image_ ? 0 : shape_.channels * frame_.plane;
        const Index threads = std::min(items, Index{num_threads()});
        reserve_storage(threads, copy_size);
        rows(items, work, kWorthAThread, [&](Index begin, Index end) {
            Storage copy(copy_size);
            for (Index item = begin; item < end; ++item) {
                // All images have the same padding.
                if (item == begin || pieces_.count > 1) {
                    std::fill_n(copy.data(), copy_size, Real(0));
                }
                run_piece(weights, item, copy.data());
            }
        });
    }

  private:
    // One piece per image, unless there are too few images to keep eight threads busy.
    static Index strips_of_a_piece(const Correlation& c, Index strips) {
        return std::max(Index{1}, ceil_div(strips * std::min(Index{8}, c.batch * c.groups), 8));
    }

    // The largest number of output rows that a piece touches.
    Index rows_of_a_piece() const {
        const Index outputs = std::min(columns_.begin(pieces_.size), columns_.total);
        const Index begins_within_a_row = pieces_.count > 1 ? 1 : 0;
        return std::min(ceil_div(outputs, shape_.w.out) + begins_within_a_row, shape_.h.out);
    }

    void run_piece(const std::vector<PackedRows>& weights, Index item, Real* copy) const {
        const Index block = item / pieces_.count, piece = item % pieces_.count;
        const Index first_strip = pieces_.begin(piece);
        const Index last_strip = first_strip + pieces_.length(piece);
        const Index first_row = is_image_ ? 0 : columns_.begin(first_strip) / shape_.w.out;
        const Real* image = x_ + block * shape_.in();
        if (is_image_) {
            image += frame_.first_row * frame_.row_size + frame_.first_column;
        } else {
            Frame frame = frame_;
            frame.first_row += first_row * shape_.h.stride;
            frame.fill(shape_.h, shape_.w, shape_.channels, image, copy);
            image = copy;
        }
        const Index group = block % shape_.groups;
        BlockProduct product{
            .a = weights[static_cast<std::size_t>(group)],
            .first_row_strip = 0,
            .last_row_strip = weights[static_cast<std::size_t>(group)].strips.count,
            .columns = columns_,
            .first_strip = 0,
            .last_strip = 0,
            .b =
                [&](Index strip, Index begin, Index depth, Real* scratch) {
                    gather(strip, first_row, depth, offsets_.data() + begin, image, scratch);
                    return Strip{scratch, table().gemm.columns};
                },
            .c = y_ + block * shape_.rows * columns_.total,
            .stride = columns_.total,
            .row_bias = bias_ != nullptr ? bias_ + group * shape_.rows : nullptr};
        for (Index strip = first_strip; strip < last_strip; strip += kBlockStrips) {
            product.first_strip = strip;
            product.last_strip = std::min(strip + kBlockStrips, last_strip);
            multiply(product);
        }
    }

    // Packs `depth` rows of a strip. Each is a few pieces of rows of the frame, which begins at
    // output row `first_row`.
    void gather(Index strip, Index first_row, Index depth, const Index* offsets, const Real* image,
                Real* to) const {
        const Index row_step = shape_.h.stride * frame_.row_size;
        std::array<GemmTile::Piece, kMaxTileColumns> pieces;
        std::size_t count = 0;
        Index output = columns_.begin(strip);
        const Index begin = output, end = output + columns_.length(strip);
        while (output < end) {
            const Index row = output / shape_.w.out, column = output % shape_.w.out;
            const Index length = std::min(end - output, shape_.w.out - column);
            const Index from = (row - first_row) * row_step + column;
            if (count > 0 && pieces[count - 1].from + pieces[count - 1].length == from) {
                pieces[count - 1].length += length;
            } else {
                pieces[count++] = {.from = from, .to = output - begin, .length = length};
            }
            output += length;
        }
        table().gemm.gather(depth, offsets, image, static_cast<Index>(count), pieces.data(),
                            table().gemm.columns, to);
    }

    const Correlation& shape_;
    const Cut columns_;  // the outputs of an image, cut into strips
    const Cut pieces_;   // the strips, cut into tasks
    Frame frame_;        // of the first piece; the others have the same, further down
    const bool is_image_;
    std::vector<Index> offsets_;
    const Real *x_, *bias_;
    Real* y_;
};

}  // namespace

void correlate(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
               Real* y) {
    const Index rows = correlation.rows, depth = correlation.depth();
    Storage memory(correlation.groups * rows * depth);
    std::vector<PackedRows> packed;
    for (Index g = 0; g < correlation.groups; ++g) {
        packed.push_back(cut_rows(rows, depth));
        packed.back().data = memory.data() + g * rows * depth;
        pack_rows(packed.back(), weight + g * rows * depth, depth, 1);
    }
    Correlator(correlation, x, bias, y).run(packed);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

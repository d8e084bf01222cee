// Only speed: the definition is in reference.cpp, the explanation at the top of conv.cpp.

#include <array>
#include <cstdint>

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
    Correlator(const Correlation& correlation, const Real* x, const ConvEpilogue& epilogue, Real* y)
        : shape_(correlation),
          pieces_(epilogue.max_pool ? bands(correlation) : runs_of_strips(correlation)),
          frame_(shape_.h, shape_.w, 0, shape_.h.out),
          is_image_(frame_.is_image(shape_.h, shape_.w)),
          x_(x),
          epilogue_(epilogue),
          y_(y) {
        if (!is_image_) frame_ = Frame(shape_.h, shape_.w, 0, rows_of_a_piece());
        offsets_ = frame_.offsets(shape_.h, shape_.w, shape_.channels);
    }

    void run(const std::vector<PackedRows>& weights) const {
        const Index items = shape_.batch * shape_.groups * pieces_.count;
        const Index work = shape_.rows * shape_.depth() * shape_.outputs() / pieces_.count;
        const Index copy_size = is_image_ ? 0 : shape_.channels * frame_.plane;
        const Index unpooled_size = epilogue_.max_pool ? shape_.rows * pieces_.size : 0;
        const Index threads = std::min(items, Index{num_threads()});
        reserve_storage(threads, copy_size);
        reserve_storage(threads, unpooled_size);
        rows(items, work, kWorthAThread, [&](Index begin, Index end) {
            Storage copy(copy_size), unpooled(unpooled_size);
            for (Index item = begin; item < end; ++item) {
                // All images have the same padding.
                if (item == begin || pieces_.count > 1) {
                    std::fill_n(copy.data(), copy_size, Real(0));
                }
                run_piece(weights, item, copy.data(), unpooled.data());
            }
        });
    }

  private:
    // At most how many of `all` parts of an image are a piece: all of them, unless there are too
    // few images to keep eight threads busy.
    static Index part(const Correlation& c, Index all) {
        return std::max(Index{1}, ceil_div(all * std::min(Index{8}, c.batch * c.groups), 8));
    }

    // The outputs of an image, cut into runs of whole strips.
    static Cut runs_of_strips(const Correlation& c) {
        const Index width = table().gemm.columns, strips = ceil_div(c.outputs(), width);
        return {c.outputs(), width * Cut::evenly(strips, part(c, strips)).size};
    }

    // The outputs that are pooled, cut into bands of whole rows of windows. A band waits in the
    // cache until it is pooled.
    static Cut bands(const Correlation& c) {
        constexpr Index most = 65'536;  // values
        const Index of_windows = c.h.out / 2, size = 2 * c.w.out;
        const Index fit = std::max(Index{1}, most / (c.rows * size));
        return {of_windows * size,
                size * Cut::evenly(of_windows, std::min(part(c, of_windows), fit)).size};
    }

    // The largest number of output rows that a piece touches.
    Index rows_of_a_piece() const {
        const Index outputs = std::min(pieces_.size, pieces_.total);
        const Index begins_within_a_row = pieces_.count > 1 ? 1 : 0;
        return std::min(ceil_div(outputs, shape_.w.out) + begins_within_a_row, shape_.h.out);
    }

    void run_piece(const std::vector<PackedRows>& weights, Index item, Real* copy,
                   Real* unpooled) const {
        const Index block = item / pieces_.count, piece = item % pieces_.count;
        const Index begin = pieces_.begin(piece);
        const Cut columns(pieces_.length(piece), table().gemm.columns);
        const Index first_row = is_image_ ? 0 : begin / shape_.w.out;
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
            .columns = columns,
            .first_strip = 0,
            .last_strip = 0,
            .b =
                [&](Index strip, Index row, Index depth, Real* scratch) {
                    gather(begin + columns.begin(strip), columns.length(strip), first_row, depth,
                           offsets_.data() + row, image, scratch);
                    return Strip{scratch, table().gemm.columns};
                },
            .c = epilogue_.max_pool ? unpooled : y_ + block * shape_.rows * pieces_.total + begin,
            .stride = epilogue_.max_pool ? columns.total : pieces_.total,
            .row_bias = epilogue_.bias != nullptr ? epilogue_.bias + group * shape_.rows : nullptr,
            .relu = epilogue_.relu};
        for (Index strip = 0; strip < columns.count; strip += kBlockStrips) {
            product.first_strip = strip;
            product.last_strip = std::min(strip + kBlockStrips, columns.count);
            multiply(product);
        }
        if (epilogue_.max_pool) pool(block, begin / shape_.w.out, columns.total, unpooled);
    }

    // Pools a band that begins at output row `first_row`.
    void pool(Index block, Index first_row, Index outputs, const Real* band) const {
        const Index h = outputs / shape_.w.out / 2, w = shape_.w.out / 2;
        const Index plane = shape_.h.out / 2 * w;
        Real* const to = y_ + block * shape_.rows * plane + first_row / 2 * w;
        Storage taken(h * w);  // which cells were the largest: only a backward asks
        for (Index row = 0; row < shape_.rows; ++row) {
            table().pool.max_by_2({1, 2 * h, shape_.w.out, h, w}, band + row * outputs,
                                  to + row * plane, reinterpret_cast<std::uint8_t*>(taken.data()));
        }
    }

    // Packs `depth` rows of a strip, the outputs begin, ..., begin + width - 1. Each is a few
    // pieces of rows of the frame, which begins at output row `first_row`.
    void gather(Index begin, Index width, Index first_row, Index depth, const Index* offsets,
                const Real* image, Real* to) const {
        const Index row_step = shape_.h.stride * frame_.row_size;
        std::array<GemmTile::Piece, kMaxTileColumns> pieces;
        std::size_t count = 0;
        Index output = begin;
        const Index end = begin + width;
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
    const Cut pieces_;  // the outputs of an image, cut into tasks
    Frame frame_;       // of the first piece; the others have the same, further down
    const bool is_image_;
    std::vector<Index> offsets_;
    const Real* x_;
    const ConvEpilogue epilogue_;
    Real* y_;
};

std::vector<PackedRows> packed_groups(const Correlation& c, const Real* packed) {
    std::vector<PackedRows> groups;
    for (Index g = 0; g < c.groups; ++g) {
        groups.push_back(cut_rows(c.rows, c.depth()));
        groups.back().data = packed + g * c.rows * c.depth();
    }
    return groups;
}

}  // namespace

void pack_weight(const Correlation& c, const Real* weight, Real* packed) {
    for (const PackedRows& group : packed_groups(c, packed)) {
        pack_rows(group, weight + (group.data - packed), c.depth(), 1);
    }
}

void correlate_packed(const Correlation& c, const Real* x, const Real* packed,
                      const ConvEpilogue& epilogue, Real* y) {
    Correlator(c, x, epilogue, y).run(packed_groups(c, packed));
}

void correlate(const Correlation& c, const Real* x, const Real* weight, const Real* bias, Real* y) {
    Storage packed(c.groups * c.rows * c.depth());
    pack_weight(c, weight, packed.data());
    correlate_packed(c, x, packed.data(), {.bias = bias}, y);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

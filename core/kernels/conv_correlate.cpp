#include "primer/core/kernels/conv_parts.h"
#include "primer/core/kernels/gemm_blocks.h"
#include "primer/core/kernels/parallel.h"
#include "primer/core/kernels/storage.h"

namespace primer::kernels {

Line forward_line(const Window& window) {
    Line line{.in = window.in, .out = window.out, .stride = window.stride, .taps = {}};
    for (Index k = 0; k < window.kernel; ++k) line.taps.push_back({k, window.at(0, k)});
    return line;
}

Frame::Frame(const Line& h, const Line& w, Index first_output_row, Index output_rows)
    : first_row(first_output_row * h.stride + h.first()),
      rows(h.seen(output_rows)),
      first_column(w.first()),
      columns(w.seen(w.out)),
      stride(w.stride),
      sort(ceil_div(columns, stride)),
      row_size(stride * sort),
      plane(rows * row_size) {
    // Planes whole pages apart would all fall into the same lines of the cache.
    if (plane % 1024 == 0) plane += 16;
    if (is_image(h, w)) {
        row_size = w.in;
        plane = h.in * w.in;
    }
}

bool Frame::is_image(const Line& h, const Line& w) const {
    return stride == 1 && first_row >= 0 && first_row + rows <= h.in && first_column >= 0 &&
           first_column + columns <= w.in;
}

void Frame::fill(const Line& h, const Line& w, Index channels, const Real* image, Real* to) const {
    std::fill_n(to, channels * plane, Real(0));
    const Index top = std::max(Index{0}, first_row), bottom = std::min(h.in, first_row + rows);
    const Index left = std::max(Index{0}, first_column);
    const Index right = std::min(w.in, first_column + columns);
    if (top >= bottom || left >= right) return;  // it sees nothing but padding
    for (Index c = 0; c < channels; ++c) {
        const Real* const from = image + (c * h.in + top) * w.in;
        Real* const out = to + c * plane + (top - first_row) * row_size;
        if (stride == 1) {
            the_tile().copy_rows(bottom - top, right - left, from + left, w.in,
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

std::vector<Index> Frame::offsets(const Line& h, const Line& w, Index channels) const {
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
          columns_(correlation.outputs(), the_tile().columns),
          pieces_(Cut::evenly(columns_.count, strips_of_a_piece(correlation, columns_.count))),
          x_(x),
          bias_(bias),
          y_(y) {}

    void run(const std::vector<PackedRows>& weights) const {
        const Index items = shape_.batch * shape_.groups * pieces_.count;
        const Index work = shape_.rows * shape_.depth() * shape_.outputs() / pieces_.count;
        const Index threads = std::min(items, Index{num_threads()});
        reserve_storage(threads, frame_of(0, pieces_.length(0)).plane * shape_.channels);
        reserve_storage(threads, std::min(kBlockStrips, pieces_.size) * the_tile().columns *
                                     weights[0].depths.size);
        parallel_for(items, std::max(Index{1}, 500'000 / std::max(Index{1}, work)),
                     [&](Index begin, Index end) {
                         for (Index item = begin; item < end; ++item) run_piece(weights, item);
                     });
    }

  private:
    // One piece for each image, unless there are too few images to keep eight threads busy.
    static Index strips_of_a_piece(const Correlation& c, Index strips) {
        return std::max(Index{1}, ceil_div(strips * std::min(Index{8}, c.batch * c.groups), 8));
    }

    Frame frame_of(Index first_strip, Index strips) const {
        const Index first = columns_.begin(first_strip) / shape_.w.out;
        const Index last_output =
            std::min(columns_.begin(first_strip + strips), columns_.total) - 1;
        return {shape_.h, shape_.w, first, last_output / shape_.w.out - first + 1};
    }

    void run_piece(const std::vector<PackedRows>& weights, Index item) const {
        const Index block = item / pieces_.count, piece = item % pieces_.count;
        const Index first_strip = pieces_.begin(piece), strips = pieces_.length(piece);
        const Frame frame = frame_of(first_strip, strips);
        const Real* image = x_ + block * shape_.in();
        const bool is_image = frame.is_image(shape_.h, shape_.w);
        Storage copy(is_image ? 0 : shape_.channels * frame.plane);
        if (is_image) {
            image += frame.first_row * frame.row_size + frame.first_column;
        } else {
            frame.fill(shape_.h, shape_.w, shape_.channels, image, copy.data());
            image = copy.data();
        }
        const Index group = block % shape_.groups;
        const std::vector<Index> offsets = frame.offsets(shape_.h, shape_.w, shape_.channels);
        const Index first_row = columns_.begin(first_strip) / shape_.w.out;
        for (Index strip = first_strip; strip < first_strip + strips; strip += kBlockStrips) {
            const PackedRows& a = weights[static_cast<std::size_t>(group)];
            multiply({.a = a,
                      .first_row_strip = 0,
                      .last_row_strip = a.strips.count,
                      .columns = columns_,
                      .first_strip = strip,
                      .last_strip = std::min(strip + kBlockStrips, first_strip + strips),
                      .b =
                          [&](Index j, Index begin, Index depth, Real* scratch) {
                              gather(frame, first_row, j, depth, offsets.data() + begin, image,
                                     scratch);
                              return Strip{scratch, the_tile().columns};
                          },
                      .c = y_ + block * shape_.rows * columns_.total,
                      .stride = columns_.total,
                      .row_bias = bias_ != nullptr ? bias_ + group * shape_.rows : nullptr});
        }
    }

    // Packs `depth` rows of a strip: each is a few pieces of rows of the frame.
    void gather(const Frame& frame, Index first_row, Index strip, Index depth, const Index* offsets,
                const Real* image, Real* to) const {
        const Index row_step = shape_.h.stride * frame.row_size;
        std::vector<GemmTile::Piece> pieces;
        Index output = columns_.begin(strip);
        const Index end = output + columns_.length(strip);
        for (Index to_column = 0; output < end;) {
            const Index row = output / shape_.w.out, column = output % shape_.w.out;
            const Index length = std::min(end - output, shape_.w.out - column);
            const Index from = (row - first_row) * row_step + column;
            if (!pieces.empty() && pieces.back().from + pieces.back().length == from) {
                pieces.back().length += length;
            } else {
                pieces.push_back({.from = from, .to = to_column, .length = length});
            }
            output += length;
            to_column += length;
        }
        the_tile().gather(depth, offsets, image, std::ssize(pieces), pieces.data(),
                          the_tile().columns, to);
    }

    const Correlation& shape_;
    const Cut columns_;  // the outputs of an image, into strips
    const Cut pieces_;   // the strips, into tasks
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

// Only speed: the definition is in reference.cpp.

#include "correlation.h"
#include "gemm_blocks.h"
#include "parallel.h"
#include "storage.h"

// For each tap, dweight[co, ci, kh, kw] is a matrix product,
//     sum over all outputs p of dy[co, p] x[ci, p + tap]
// whose depth is long, the outputs of all images, and whose operands are contiguous along the
// depth. A tile needs the opposite: for each p, its columns (here channels of dy) and rows
// (channels of x) must be adjacent. So x and dy are transposed first, some images at a time:
//
//     x, padded  [block of channels] [image, row, column] [channel in the block]
//     dy         [strip of channels] [image, row, column] [channel in the strip]
//
// Now the operands of every tap are in place: that of x begins a few rows and columns further on.
// Nothing is copied per tap. And the channels of neighbouring columns are adjacent, so those of
// neighbouring taps can be the rows of one tile.

namespace primer::kernels {
namespace {

constexpr Index kSegment = 1'000'000;  // values of x and dy transposed at a time: 4 MB
constexpr Index kRun = 192;            // outputs in one sum of a tile: 24 KB of dy, which L1 holds

// The widest registers' lanes and tile's columns. Whatever decides in which order values are added
// depends on these, in place of the registers in use: so avx2, avx512 and neon give the same bits.
constexpr Index kMostLanes = 64 / sizeof(Real), kMostColumns = 2 * kMostLanes;

class WeightGradient {
  public:
    WeightGradient(const ConvSizes& s, Index group, const Real* x, const Real* dy)
        : sizes_(s),
          x_(x + group * (s.in_channels / s.groups) * s.h.in * s.w.in),
          dy_(dy + group * (s.out_channels / s.groups) * s.h.out * s.w.out),
          h_(forward_direction(s.h)),
          w_(forward_direction(s.w)),
          frame_(h_, w_, 0, s.h.out),
          row_(frame_.stride * frame_.phase),
          pixels_(frame_.rows * row_),
          outputs_(s.h.out * s.w.out),
          blocks_(s.in_channels / s.groups, table().gemm.lanes),
          strips_(s.out_channels / s.groups, table().gemm.columns),
          images_(Cut::evenly(s.batch, std::max(Index{1}, kSegment / values_of_an_image()))),
          chunks_(Cut::evenly(images_.size, ceil_div(images_.size, chunks_wanted()))) {}

    // Writes the gradient of the group's weight, [out, in, kernel height, kernel width].
    void run(Real* dweight) {
        Storage x(images_.size * pixels_ * blocks_.total);
        Storage dy(images_.size * outputs_ * strip_offset(strips_.count));
        Storage sums(chunks_.count * blocks_.total * taps() * strip_offset(strips_.count));
        std::fill_n(x.data(), x.size(), Real(0));  // for the padding, which stays 0
        for (Index segment = 0; segment < images_.count; ++segment) {
            transpose_images(segment, x.data(), dy.data());
            add_products(segment, x.data(), dy.data(), sums.data());
        }
        collect(sums.data(), dweight);
    }

  private:
    Index taps() const { return sizes_.h.kernel * sizes_.w.kernel; }
    Index values_of_an_image() const {
        return pixels_ * blocks_.total +
               outputs_ * ceil_div(strips_.total, kMostLanes) * kMostLanes;
    }
    // A task is one strip by one block. If there are few of them, images are divided as well, and
    // each chunk of images has its own sums. The number of chunks, and so the bits, depend only on
    // the sizes.
    Index chunks_wanted() const {
        const Index tasks =
            ceil_div(strips_.total, kMostColumns) * ceil_div(blocks_.total, kMostLanes);
        return std::clamp(ceil_div(8, tasks), Index{1}, images_.size);
    }

    // The width of the strips before this one. Each strip takes whole registers.
    Index strip_offset(Index strip) const {
        const Index lanes = table().gemm.lanes;
        return strip < strips_.count ? strips_.begin(strip)
                                     : ceil_div(strips_.total, lanes) * lanes;
    }
    Index strip_width(Index strip) const { return strip_offset(strip + 1) - strip_offset(strip); }

    Real* x_of(Real* x, Index block, Index image) const {
        return x + (blocks_.begin(block) * images_.size + image * blocks_.length(block)) * pixels_;
    }
    Real* dy_of(Real* dy, Index strip, Index image) const {
        return dy + (strip_offset(strip) * images_.size + image * strip_width(strip)) * outputs_;
    }
    Real* sums_of(Real* sums, Index chunk, Index strip, Index block) const {
        return sums + taps() * (chunk * blocks_.total * strip_offset(strips_.count) +
                                strip_offset(strip) * blocks_.total +
                                blocks_.begin(block) * strip_width(strip));
    }

    void transpose_images(Index segment, Real* x, Real* dy) const {
        const Index parts = blocks_.count + strips_.count;
        const Index size = table().gemm.lanes * outputs_;
        rows(images_.length(segment) * parts, size, 32768, [&](Index begin, Index end) {
            for (Index item = begin; item < end; ++item) {
                const Index image = item / parts, part = item % parts;
                const Index n = images_.begin(segment) + image;
                if (part < blocks_.count) {
                    transpose_x(n, part, x_of(x, part, image));
                } else {
                    const Index strip = part - blocks_.count;
                    const Real* const from =
                        dy_ + (n * sizes_.out_channels + strips_.begin(strip)) * outputs_;
                    table().gemm.transpose(strips_.length(strip), outputs_, outputs_, from,
                                           strip_width(strip), dy_of(dy, strip, image));
                }
            }
        });
    }

    void transpose_x(Index n, Index block, Real* to) const {
        const Index plane = h_.in * w_.in, length = blocks_.length(block);
        const Real* const from = x_ + (n * sizes_.in_channels + blocks_.begin(block)) * plane;
        const Index top = std::max(Index{0}, frame_.first_row);
        const Index bottom = std::min(h_.in, frame_.first_row + frame_.rows);
        const Index left = std::max(Index{0}, frame_.first_column);
        const Index right = std::min(w_.in, frame_.first_column + frame_.columns);
        for (Index row = top; row < bottom && left < right; ++row) {
            const Real* const line = from + row * w_.in;
            Real* const out = to + (row - frame_.first_row) * row_ * length;
            if (frame_.stride == 1) {
                table().gemm.transpose(length, plane, right - left, line + left, length,
                                       out + (left - frame_.first_column) * length);
                continue;
            }
            for (Index column = left; column < right; ++column) {
                Real* const pixel = out + frame_.column_of(column) * length;
                for (Index c = 0; c < length; ++c) pixel[c] = line[c * plane + column];
            }
        }
    }

    void add_products(Index segment, Real* x, Real* dy, Real* sums) const {
        const Index tasks = chunks_.count * strips_.count * blocks_.count;
        parallel_for(tasks, 1, [&](Index begin, Index end) {
            for (Index task = begin; task < end; ++task) {
                const Index block = task % blocks_.count;
                const Index strip = task / blocks_.count % strips_.count;
                const Index chunk = task / blocks_.count / strips_.count;
                add_product(segment, chunk, x_of(x, block, 0), dy_of(dy, strip, 0), strip, block,
                            sums_of(sums, chunk, strip, block));
            }
        });
    }

    // A chunk's images in runs. A run is some whole images, if they are small, or some rows of one.
    void add_product(Index segment, Index chunk, const Real* x, const Real* dy, Index strip,
                     Index block, Real* sums) const {
        const Index length = blocks_.length(block), width = strip_width(strip);
        const Index images_of_a_run = std::max(Index{1}, kRun / outputs_);
        const Index rows_of_a_run = std::clamp(kRun / sizes_.w.out, Index{1}, sizes_.h.out);
        const Index end = std::min(chunks_.begin(chunk + 1), images_.length(segment));
        bool first = segment == 0;
        for (Index image = chunks_.begin(chunk); image < end; image += images_of_a_run) {
            for (Index row = 0; row < sizes_.h.out; row += rows_of_a_run) {
                TileProduct run{
                    .a = x + (image * pixels_ + row * h_.stride * row_) * length,
                    .b = dy + (image * outputs_ + row * sizes_.w.out) * width,
                    .depth = sizes_.w.out,
                    .a_step = length,
                    .b_step = width,
                    .runs = {.count = std::min(rows_of_a_run, sizes_.h.out - row),
                             .a_skip = (h_.stride * row_ - sizes_.w.out) * length},
                    .groups = {.count = std::min(images_of_a_run, end - image),
                               .a_skip = (pixels_ - sizes_.h.out * h_.stride * row_) * length},
                    .c = sums,
                    .stride = width,
                    .accumulate = !first};
                add_taps(run, length);
                first = false;
            }
        }
    }

    // The rows of the sums are (kh, kw, channel of x). Where the taps along a row are adjacent in
    // memory, (kw, channel) is one list of rows.
    void add_taps(TileProduct run, Index channels) const {
        const bool neighbours = frame_.stride == 1 && sizes_.w.dilation == 1;
        const Index lists = neighbours ? 1 : sizes_.w.kernel;
        const Cut rows = Cut::evenly(channels * sizes_.w.kernel / lists, table().gemm.rows);
        const Real* const x = run.a;
        for (const Tap& h : h_.taps) {
            for (Index list = 0; list < lists; ++list) {
                const Index column = frame_.column_of(w_.taps[static_cast<std::size_t>(list)].at);
                const Real* const begin = x + (frame_.row_of(h_, h.at) * row_ + column) * channels;
                for (Index i = 0; i < rows.count; ++i) {
                    run.a = begin + rows.begin(i);
                    table().gemm.run(rows.length(i), run.stride, run);
                    run.c += rows.length(i) * run.stride;
                }
            }
        }
    }

    // dweight[co, ci, kh, kw] is the sum of the chunks' sums, added in order.
    void collect(Real* sums, Real* dweight) const {
        const Index tasks = strips_.count * blocks_.count;
        rows(tasks, 512 * taps(), 32768, [&](Index begin, Index end) {
            for (Index task = begin; task < end; ++task) {
                collect_block(task / blocks_.count, task % blocks_.count, sums, dweight);
            }
        });
    }

    void collect_block(Index strip, Index block, Real* sums, Real* dweight) const {
        const Index length = blocks_.length(block), width = strip_width(strip);
        Real* const total = sums_of(sums, 0, strip, block);
        for (Index chunk = 1; chunk < chunks_.count; ++chunk) {
            const Real* const more = sums_of(sums, chunk, strip, block);
            for (Index i = 0; i < taps() * length * width; ++i) total[i] += more[i];
        }
        for (Index lane = 0; lane < strips_.length(strip); ++lane) {
            Real* to =
                dweight +
                ((strips_.begin(strip) + lane) * blocks_.total + blocks_.begin(block)) * taps();
            for (Index c = 0; c < length; ++c) {
                for (Index tap = 0; tap < taps(); ++tap) {
                    *to++ = total[(tap * length + c) * width + lane];
                }
            }
        }
    }

    const ConvSizes& sizes_;
    const Real *x_, *dy_;
    const Direction h_, w_;
    const Frame frame_;  // of a whole image; its pixels are vectors of channels
    const Index row_, pixels_, outputs_;
    const Cut blocks_, strips_;  // of the channels of x and of dy
    const Cut images_, chunks_;  // of the batch, and of one segment of it
};

}  // namespace

void weight_gradient(const ConvSizes& sizes, const Real* x, const Real* dy, Real* dweight) {
    const Index weights = sizes.out_channels / sizes.groups * (sizes.in_channels / sizes.groups) *
                          sizes.h.kernel * sizes.w.kernel;
    for (Index group = 0; group < sizes.groups; ++group) {
        WeightGradient(sizes, group, x, dy).run(dweight + group * weights);
    }
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

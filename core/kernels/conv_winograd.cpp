// Only speed: a 3x3 convolution with a quarter of the multiplications, on one page.
//
// Take 4 outputs in a row, y = (y0 ... y3), that see 6 inputs d = (d0 ... d5) through 3 weights w.
// The plain sum takes 4 * 3 = 12 multiplications. But the outputs are coefficients of a product of
// polynomials, and its values at 6 points determine such a product: 6 multiplications. With the
// points 0, 1, -1, 2, -2 and infinity,
//
//     y = A^T ((G w) * (B^T d))        where * is element by element, and
//
//             4  0 -5  0  1  0             1/4    0     0
//             0 -4 -4  1  1  0            -1/6  -1/6  -1/6             1  1  1  1  1  0
//     B^T  =  0  4 -4 -1  1  0      G  =  -1/6   1/6  -1/6     A^T  =  0  1 -1  2 -2  0
//             0 -2 -1  2  1  0            1/24  1/12   1/6             0  1  1  4  4  0
//             0  2 -1 -2  1  0            1/24 -1/12   1/6             0  1 -1  8 -8  1
//             0  4  0 -5  0  1              0     0     1
//
// In two dimensions a tile of 4x4 outputs sees 6x6 inputs, and with U = G w G^T, V = B^T d B:
//
//     y = A^T (U * V) A                36 multiplications instead of 144
//
// With channels, U * V becomes a sum over the input channels. For each of the 36 places, this sum
// over all tiles is a matrix product: M [tile, out] = V [tile, in] U [in, out].
//
// So: transform the weights once. Then, for a group of tiles that fits the cache, transform the
// inputs, compute 36 products and transform the result. The transforms, mostly additions, work on
// vectors of channels; x and y are transposed on the way in and out. This pays from about 32
// channels on. Rounding errors are about ten times those of the plain sum, and relative to the
// largest values of the tile, because its outputs share intermediate results.
//
// The outputs of a tile also share an infinity or NaN among its inputs, and B^T d B may overflow
// where y does not. Either leaves a result that is not finite. So images whose results are not all
// finite are computed again by plain sums (correlate). The gradient of the weight, if not all
// finite, is computed again as a whole.
//
// Winograd, "Arithmetic Complexity of Computations", 1980. Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016, have F(4x4, 3x3) and these matrices.

#include <algorithm>
#include <vector>

#include "correlation.h"
#include "gemm_blocks.h"
#include "isa/table.h"
#include "parallel.h"
#include "storage.h"

namespace primer::kernels {
namespace {

constexpr Index kPlaces = 36;  // 6x6
constexpr Index kTiles = 48;   // in work at a time: they and their results fit L2

bool is_three_in_a_row(const Direction& direction) {
    return direction.stride == 1 && direction.taps.size() == 3 &&
           direction.taps[1].at == direction.taps[0].at + 1 &&
           direction.taps[2].at == direction.taps[1].at + 1;
}

// Tiles of 4x4 outputs, in groups: the tiles of some images, or some rows of the tiles of one.
class Tiles {
  public:
    explicit Tiles(const Correlation& c)
        : h_(ceil_div(c.h.out, 4)),
          w_(ceil_div(c.w.out, 4)),
          images_(Cut(c.batch, std::max(Index{1}, kTiles / (h_ * w_)))),
          rows_(Cut::evenly(h_, std::max(Index{1}, kTiles / w_))) {}

    Index groups() const { return images_.count * rows_.count; }
    Index most() const { return images_.size * rows_.size * w_; }
    Index in_a_row() const { return w_; }

    struct Group {
        Index first_image, images, first_row, rows, tiles;
    };
    Group group(Index i) const {
        const Index images = i / rows_.count, rows = i % rows_.count;
        Group group{.first_image = images_.begin(images),
                    .images = images_.length(images),
                    .first_row = rows_.begin(rows),
                    .rows = rows_.length(rows),
                    .tiles = 0};
        group.tiles = group.images * group.rows * w_;
        return group;
    }

  private:
    Index h_, w_;
    Cut images_, rows_;
};

// The distance between places of so many values: one cache line more. All 36 places are written
// together, and if they were a large power of two apart, they would evict each other from the
// cache.
Index place_of(Index values) { return values + 16; }

// Values of all tiles of a group: [36 places][block of channels][tile][channel in the block]. A
// block is as wide as a register for the operands of the products, and as a gemm tile for the
// results.
struct Blocks {
    Cut channels;
    Index tiles;

    Index place() const { return place_of(channels.total * tiles); }
    Index size() const { return kPlaces * place(); }
    Index begin(Index block) const { return channels.begin(block) * tiles; }
    Index width(Index block) const { return channels.length(block); }
};

// Some rows and columns of an image; they may lie outside, in the padding.
struct Window2d {
    Index first_row, rows, first_column, columns;
};

// Copies the window of `lanes` channels, each of h x w values, as [row][column][channel]. The
// padding in `to` must already be 0.
void transpose_window(const Window2d& window, Index h, Index w, const Real* image, Real* to) {
    const Index lanes = table().gemm.lanes;
    const Index top = std::max(Index{0}, window.first_row);
    const Index bottom = std::min(h, window.first_row + window.rows);
    const Index left = std::max(Index{0}, window.first_column);
    const Index right = std::min(w, window.first_column + window.columns);
    for (Index row = top; row < bottom; ++row) {
        const Index pixel = (row - window.first_row) * window.columns + left - window.first_column;
        table().gemm.transpose(lanes, h * w, right - left, image + row * w + left, lanes,
                               to + pixel * lanes);
    }
}

class Convolution {
  public:
    Convolution(const Correlation& c, const Real* x, const ConvEpilogue& epilogue, Real* y)
        : shape_(c),
          tiles_(c),
          lanes_(table().gemm.lanes),
          in_{Cut(c.channels, lanes_), tiles_.most()},
          out_{Cut(c.rows, table().gemm.columns), tiles_.most()},
          pitch_(4 * tiles_.in_a_row() + 2),
          x_(x),
          epilogue_(epilogue),
          y_(y) {}

    // Returns for each image whether all of its y are finite.
    std::vector<char> run(const Real* u) const {
        std::vector<char> finite(static_cast<std::size_t>(tiles_.groups()), 1);
        const Index threads = std::min(tiles_.groups(), Index{num_threads()});
        for (Index size : {in_.size(), out_.size(), patch_size(), band_size()}) {
            reserve_storage(threads, size);
        }
        const Index work = kPlaces * shape_.channels * shape_.rows * tiles_.most();
        rows(tiles_.groups(), work, kWorthAThread, [&](Index begin, Index end) {
            Storage v(in_.size()), m(out_.size());
            for (Index i = begin; i < end; ++i) {
                const Tiles::Group group = tiles_.group(i);
                transform_input(group, v.data());
                multiply(group, v.data(), u, m.data());
                finite[static_cast<std::size_t>(i)] = transform_output(group, m.data()) ? 1 : 0;
            }
        });
        std::vector<char> images(static_cast<std::size_t>(shape_.batch), 1);
        for (Index i = 0; i < tiles_.groups(); ++i) {
            const Tiles::Group group = tiles_.group(i);
            for (Index image = group.first_image; image < group.first_image + group.images;
                 ++image) {
                images[static_cast<std::size_t>(image)] &= finite[static_cast<std::size_t>(i)];
            }
        }
        return images;
    }

  private:
    Index weight_place() const { return place_of(shape_.channels * shape_.rows); }  // in U
    Index patch_size() const {
        return (4 * tiles_.most() / tiles_.in_a_row() + 2) * pitch_ * lanes_;
    }
    Index band_size() const { return 16 * tiles_.in_a_row() * lanes_; }

    // V = B^T d B.
    void transform_input(const Tiles::Group& group, Real* v) const {
        Storage patch(patch_size());
        std::fill_n(patch.data(), patch.size(), Real(0));  // all images have the same padding
        const Index row_of_tiles = tiles_.in_a_row();
        for (Index image = 0; image < group.images; ++image) {
            for (Index block = 0; block < in_.channels.count; ++block) {
                transpose_window({4 * group.first_row + shape_.h.first(), 4 * group.rows + 2,
                                  shape_.w.first(), pitch_},
                                 shape_.h.in, shape_.w.in,
                                 x_ + (group.first_image + image) * shape_.in() +
                                     in_.channels.begin(block) * shape_.h.in * shape_.w.in,
                                 patch.data());
                for (Index row = 0; row < group.rows; ++row) {
                    const Index tile = (image * group.rows + row) * row_of_tiles;
                    table().winograd.input(row_of_tiles,
                                           {patch.data() + 4 * row * pitch_ * lanes_, 4 * lanes_,
                                            pitch_ * lanes_, lanes_},
                                           {v + in_.begin(block) + tile * lanes_, lanes_,
                                            6 * in_.place(), in_.place()});
                }
            }
        }
    }

    // M = V U at each place.
    void multiply(const Tiles::Group& group, const Real* v, const Real* u, Real* m) const {
        const Cut heights = Cut::evenly(group.tiles, table().gemm.rows);
        for (Index place = 0; place < kPlaces; ++place) {
            for (Index strip = 0; strip < out_.channels.count; ++strip) {
                const Index width = out_.width(strip);
                for (Index i = 0; i < heights.count; ++i) {
                    const Index tile = heights.begin(i);
                    table().gemm.run(
                        heights.length(i), width,
                        {.a = v + place * in_.place() + tile * lanes_,
                         .b = u + place * weight_place() +
                              out_.channels.begin(strip) * shape_.channels,
                         .depth = lanes_,
                         .a_step = 1,
                         .b_step = width,
                         .rows_apart = true,
                         .runs = {.count = in_.channels.count, .a_skip = (in_.tiles - 1) * lanes_},
                         .c = m + place * out_.place() + out_.begin(strip) + tile * width,
                         .stride = width,
                         .accumulate = false});
                }
            }
        }
    }

    // y = A^T M A. Returns whether all of y is finite.
    bool transform_output(const Tiles::Group& group, const Real* m) const {
        bool finite = true;
        Storage band(band_size());  // four rows of outputs: [row][column][channel]
        const Index row_of_tiles = tiles_.in_a_row();
        for (Index channel = 0; channel < shape_.rows; channel += lanes_) {
            const Index strip = channel / out_.channels.size, width = out_.width(strip);
            const Real* const from = m + out_.begin(strip) + channel % out_.channels.size;
            for (Index image = 0; image < group.images; ++image) {
                for (Index row = 0; row < group.rows; ++row) {
                    const Index tile = (image * group.rows + row) * row_of_tiles;
                    table().winograd.output(
                        row_of_tiles, {from + tile * width, width, 6 * out_.place(), out_.place()},
                        {band.data(), 4 * lanes_, 4 * row_of_tiles * lanes_, lanes_});
                    finite &= table().winograd.finite(band.size(), band.data());
                    finish_band(channel, band.data());
                    write_band(group.first_image + image, channel, 4 * (group.first_row + row),
                               band.data());
                }
            }
        }
        return finite;
    }

    // The epilogue, for the four rows of outputs or, if they are pooled, the two rows of windows.
    // The largest of some sums plus the bias is the largest of the sums, plus the bias.
    void finish_band(Index channel, Real* band) const {
        const Index row_of_tiles = tiles_.in_a_row(), shrink = epilogue_.max_pool ? 2 : 1;
        if (epilogue_.max_pool) table().winograd.max_by_2(2, 2 * row_of_tiles, band);
        if (epilogue_.bias == nullptr && !epilogue_.relu) return;
        table().winograd.add_bias(16 * row_of_tiles / (shrink * shrink),
                                  epilogue_.bias != nullptr ? epilogue_.bias + channel : nullptr,
                                  epilogue_.relu, band);
    }

    void write_band(Index image, Index channel, Index first_output_row, const Real* band) const {
        const Index shrink = epilogue_.max_pool ? 2 : 1;
        const Index h = shape_.h.out / shrink, columns = shape_.w.out / shrink, plane = h * columns;
        const Index first_row = first_output_row / shrink;
        const Index rows = std::min(4 / shrink, h - first_row);
        const Index pitch = 4 / shrink * tiles_.in_a_row();
        Real* const to = y_ + (image * shape_.rows + channel) * plane + first_row * columns;
        if (pitch == columns) {
            table().gemm.transpose_into(rows * columns, lanes_, lanes_, band, plane, to);
        } else {
            for (Index row = 0; row < rows; ++row) {
                table().gemm.transpose_into(columns, lanes_, lanes_, band + row * pitch * lanes_,
                                            plane, to + row * columns);
            }
        }
    }

    const Correlation& shape_;
    const Tiles tiles_;
    const Index lanes_;
    const Blocks in_, out_;
    const Index pitch_;  // columns that a row of tiles sees
    const Real* x_;
    const ConvEpilogue epilogue_;
    Real* y_;
};

// The gradient of the weight. y = A^T (U * V) A is linear in U = G w G^T, so its backward applies
// the transposed matrices in reverse order:
//
//     dM = A dy A^T      dU [in, out] = sum over the tiles of V [tile, in] dM [tile, out]
//     dw = G^T dU G
//
// At each place dU is a matrix product whose depth is the tiles. All threads transform the tiles of
// some images; then the places are divided among the threads.
class WinogradWeightGradient {
  public:
    WinogradWeightGradient(const Correlation& c, const Real* x, const Real* dy)
        : shape_(c),
          lanes_(table().gemm.lanes),
          h_(ceil_div(c.h.out, 4)),
          w_(ceil_div(c.w.out, 4)),
          images_(Cut::evenly(c.batch, images_at_a_time(c, h_ * w_))),
          in_{Cut(c.channels, lanes_), images_.size * h_ * w_},
          out_{Cut(c.rows, table().gemm.columns), images_.size * h_ * w_},
          x_(x),
          dy_(dy) {}

    void run(Real* dweight) const {
        Storage v(in_.size()), dm(out_.size()), du(kPlaces * weight_place());
        for (Index segment = 0; segment < images_.count; ++segment) {
            transform(segment, v.data(), dm.data());
            add_products(segment, v.data(), dm.data(), du.data());
        }
        transform_back(du.data(), dweight);
    }

  private:
    Index weight_place() const { return place_of(shape_.channels * shape_.rows); }

    // Enough images for a worthwhile depth, as far as the outer cache holds them.
    static Index images_at_a_time(const Correlation& c, Index tiles) {
        const Index fit = 500'000 / (kPlaces * (c.channels + c.rows));
        return std::max(Index{1}, std::max(Index{96}, fit) / tiles);
    }

    void transform(Index segment, Real* v, Real* dm) const {
        const Index registers = (shape_.channels + shape_.rows) / lanes_;
        const Index items = images_.length(segment) * registers;
        const Index size = (4 * h_ + 2) * (4 * w_ + 2) * lanes_;
        reserve_storage(std::min(items, Index{num_threads()}), size);
        rows(items, size, 65536, [&](Index begin, Index end) {
            Storage window(size);
            for (Index item = begin; item < end; ++item) {
                const Index image = item / registers, channel = item % registers * lanes_;
                std::fill_n(window.data(), size, Real(0));
                if (channel < shape_.channels) {
                    transform_x(segment, image, channel, window.data(), v);
                } else {
                    transform_dy(segment, image, channel - shape_.channels, window.data(), dm);
                }
            }
        });
    }

    // V = B^T d B for one image and one register of channels.
    void transform_x(Index segment, Index image, Index channel, Real* window, Real* v) const {
        const Index pitch = 4 * w_ + 2;
        transpose_window({shape_.h.first(), 4 * h_ + 2, shape_.w.first(), pitch}, shape_.h.in,
                         shape_.w.in,
                         x_ + (images_.begin(segment) + image) * shape_.in() +
                             channel * shape_.h.in * shape_.w.in,
                         window);
        for (Index row = 0; row < h_; ++row) {
            table().winograd.input(
                w_, {window + 4 * row * pitch * lanes_, 4 * lanes_, pitch * lanes_, lanes_},
                {v + channel * in_.tiles + (image * h_ + row) * w_ * lanes_, lanes_,
                 6 * in_.place(), in_.place()});
        }
    }

    // dM = A dy A^T.
    void transform_dy(Index segment, Index image, Index channel, Real* window, Real* dm) const {
        const Index pitch = 4 * w_, strip = channel / out_.channels.size;
        const Index width = out_.width(strip);
        transpose_window(
            {0, 4 * h_, 0, pitch}, shape_.h.out, shape_.w.out,
            dy_ + ((images_.begin(segment) + image) * shape_.rows + channel) * shape_.outputs(),
            window);
        for (Index row = 0; row < h_; ++row) {
            table().winograd.output_gradient(
                w_, {window + 4 * row * pitch * lanes_, 4 * lanes_, pitch * lanes_, lanes_},
                {dm + out_.begin(strip) + channel % out_.channels.size +
                     (image * h_ + row) * w_ * width,
                 width, 6 * out_.place(), out_.place()});
        }
    }

    void add_products(Index segment, const Real* v, const Real* dm, Real* du) const {
        const Index strips = out_.channels.count;
        parallel_for(kPlaces * strips, 1, [&](Index begin, Index end) {
            for (Index item = begin; item < end; ++item) {
                const Index place = item / strips, strip = item % strips;
                add_product(
                    images_.length(segment) * h_ * w_, segment > 0, strip, v + place * in_.place(),
                    dm + place * out_.place() + out_.begin(strip),
                    du + place * weight_place() + out_.channels.begin(strip) * shape_.channels);
            }
        });
    }

    void add_product(Index tiles, bool accumulate, Index strip, const Real* v, const Real* dm,
                     Real* du) const {
        const Index width = out_.width(strip);
        const Cut heights = Cut::evenly(lanes_, table().gemm.rows);
        for (Index block = 0; block < in_.channels.count; ++block) {
            for (Index i = 0; i < heights.count; ++i) {
                const Index row = heights.begin(i);
                table().gemm.run(heights.length(i), width,
                                 {.a = v + in_.begin(block) + row,
                                  .b = dm,
                                  .depth = tiles,
                                  .a_step = lanes_,
                                  .b_step = width,
                                  .c = du + (block * lanes_ + row) * width,
                                  .stride = width,
                                  .accumulate = accumulate});
            }
        }
    }

    // dw = G^T dU G.
    void transform_back(const Real* du, Real* dweight) const {
        const Index cells = shape_.channels * 9, place = weight_place();
        const Index registers = shape_.rows / lanes_;
        reserve_storage(std::min(registers, Index{num_threads()}), cells * lanes_);
        rows(registers, cells * lanes_, kGrain, [&](Index begin, Index end) {
            Storage w(cells * lanes_);
            for (Index i = begin; i < end; ++i) {
                const Index row = i * lanes_, strip = row / out_.channels.size;
                const Real* const from =
                    du + out_.channels.begin(strip) * shape_.channels + row % out_.channels.size;
                table().winograd.weight_gradient(shape_.channels,
                                                 {from, out_.width(strip), 6 * place, place},
                                                 {w.data(), 9 * lanes_, 3 * lanes_, lanes_});
                table().gemm.transpose_into(cells, lanes_, lanes_, w.data(), cells,
                                            dweight + row * cells);
            }
        });
    }

    const Correlation& shape_;
    const Index lanes_, h_, w_;  // of tiles, in an image
    const Cut images_;
    const Blocks in_, out_;
    const Real *x_, *dy_;
};

}  // namespace

namespace {

Index tiles_of_an_image(const Correlation& c) {
    return ceil_div(c.h.out, 4) * ceil_div(c.w.out, 4);
}

// Channels must fill whole registers, on any instruction set, and be enough for the transforms to
// pay off.
bool winograd_applies(const Correlation& c) {
    return c.groups == 1 && is_three_in_a_row(c.h) && is_three_in_a_row(c.w) &&
           c.channels % 16 == 0 && c.rows % 16 == 0 && c.channels >= 32 && c.rows >= 32;
}

}  // namespace

bool winograd_wins(const Correlation& c) {
    // Tiles must be enough for the transform of the weight to pay off.
    return winograd_applies(c) && c.batch * tiles_of_an_image(c) >= 12;
}

bool winograd_wins_prepared(const Correlation& c) {
    return winograd_applies(c) && tiles_of_an_image(c) >= 4;
}

Index transformed_size(const Correlation& c) { return kPlaces * place_of(c.channels * c.rows); }

// U = G w G^T: [36][strip of rows][channel][row in the strip].
void transform_weight(const Correlation& c, const Real* weight, Real* u) {
    const Index lanes = table().gemm.lanes, depth = c.channels * 9;
    const Index place = place_of(c.channels * c.rows);
    const Cut strips(c.rows, table().gemm.columns);
    rows(c.rows / lanes, depth * lanes, kGrain, [&](Index begin, Index end) {
        Storage w(depth * lanes);
        for (Index i = begin; i < end; ++i) {
            const Index row = i * lanes, strip = row / strips.size;
            table().gemm.transpose(lanes, depth, depth, weight + row * depth, lanes, w.data());
            table().winograd.weight(c.channels, {w.data(), 9 * lanes, 3 * lanes, lanes},
                                    {u + strips.begin(strip) * c.channels + row % strips.size,
                                     strips.length(strip), 6 * place, place});
        }
    });
}

void winograd(const Correlation& correlation, const Real* x, const Real* weight, const Real* bias,
              Real* y) {
    Storage u(transformed_size(correlation));
    transform_weight(correlation, weight, u.data());
    winograd_transformed(correlation, x, weight, u.data(), {.bias = bias}, y);
}

void winograd_transformed(const Correlation& correlation, const Real* x, const Real* weight,
                          const Real* transformed, const ConvEpilogue& epilogue, Real* y) {
    const std::vector<char> finite = Convolution(correlation, x, epilogue, y).run(transformed);
    const Index out =
        correlation.rows * (epilogue.max_pool ? correlation.h.out / 2 * (correlation.w.out / 2)
                                              : correlation.outputs());
    Correlation rest = correlation;
    for (Index n = 0; n < correlation.batch; n += std::max(Index{1}, rest.batch)) {
        const auto from = finite.begin() + static_cast<std::ptrdiff_t>(n);
        const auto until = std::find(from, finite.end(), char{1});
        rest.batch = until - from;
        if (rest.batch == 0) continue;
        Storage packed(rest.rows * rest.depth());
        pack_weight(rest, weight, packed.data());
        correlate_packed(rest, x + n * rest.in(), packed.data(), epilogue, y + n * out);
    }
}

bool winograd_weight_gradient(const Correlation& correlation, const Real* x, const Real* dy,
                              Real* dweight) {
    WinogradWeightGradient(correlation, x, dy).run(dweight);
    return table().winograd.finite(correlation.rows * correlation.channels * 9, dweight);
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

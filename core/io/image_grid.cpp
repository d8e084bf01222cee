#include "image_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "../error.h"

namespace primer {
namespace {

constexpr double kLeastSpread = 1e-5;  // torchvision's, so that pictures of one value stay finite
constexpr Index kMostPadding = 16384;

struct Sizes {
    Index count = 1, channels = 1, height = 1, width = 1;
};

Sizes sizes_of(const Shape& shape) {
    Sizes sizes;
    const int rank = shape.rank();
    const bool fits = rank >= 2 && rank <= 4;
    if (fits) {
        sizes.width = shape[-1];
        sizes.height = shape[-2];
        sizes.channels = rank >= 3 ? shape[-3] : 1;
        sizes.count = rank == 4 ? shape[0] : 1;
    }
    check(
        fits && shape.numel() > 0 && (sizes.channels == 1 || sizes.channels == 3),
        "make_grid: expected [N, C, H, W], [C, H, W] or [H, W] with 1 or 3 channels and not empty, "
        "got ",
        shape);
    return sizes;
}

/// The values for black and white.
struct Range {
    double black = 0, white = 1;

    std::uint8_t byte(Real value, bool round) const {
        const double x = std::clamp(static_cast<double>(value), black, white);
        const double share = (x - black) / std::max(white - black, kLeastSpread);
        // In float, as PyTorch computes it, because the result is rounded down, and the last bit
        // can decide.
        const float byte = static_cast<float>(share) * 255 + (round ? 0.5F : 0.0F);
        return std::isnan(byte) ? std::uint8_t{0} : static_cast<std::uint8_t>(byte);
    }
};

Range range_of(std::span<const Real> values) {
    Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (Real value : values) {
        if (!std::isfinite(value)) continue;
        range.black = std::min(range.black, static_cast<double>(value));
        range.white = std::max(range.white, static_cast<double>(value));
    }
    return range.black <= range.white ? range : Range{};
}

Range common_range(const Tensor& images, const GridOptions& options) {
    if (!options.normalize) return {};
    if (!options.value_range) return range_of(images.values());
    const auto [black, white] = *options.value_range;
    check(std::isfinite(black) && std::isfinite(white) && black < white,
          "make_grid: expected a value_range of two numbers in rising order, got ", black, " and ",
          white);
    return {black, white};
}

}  // namespace

Image make_grid(const Tensor& images, const GridOptions& options) {
    const Sizes sizes = sizes_of(images.shape());
    check(options.nrow >= 1, "make_grid: expected an nrow of at least 1, got ", options.nrow);
    check(options.padding >= 0 && options.padding <= kMostPadding,
          "make_grid: expected a padding from 0 to ", kMostPadding, ", got ", options.padding);
    const Range range = common_range(images, options);
    const Index padding = sizes.count == 1 ? 0 : options.padding;
    const Index columns = std::min(options.nrow, sizes.count);
    const Index rows = (sizes.count + columns - 1) / columns;
    const Index across = sizes.width + padding, down = sizes.height + padding;
    Image grid(columns * across + padding, rows * down + padding, sizes.channels,
               Range{}.byte(static_cast<Real>(options.pad_value), options.round));

    const Index pixels = sizes.height * sizes.width;
    for (Index n = 0; n < sizes.count; ++n) {
        const std::span<const Real> picture =
            images.values().subspan(static_cast<std::size_t>(n * sizes.channels * pixels),
                                    static_cast<std::size_t>(sizes.channels * pixels));
        const bool by_itself = options.normalize && options.scale_each && !options.value_range;
        const Range its_range = by_itself ? range_of(picture) : range;
        const Index left = n % columns * across + padding, top = n / columns * down + padding;
        for (Index i = 0; i < sizes.channels * pixels; ++i) {
            const Index channel = i / pixels, y = i % pixels / sizes.width, x = i % sizes.width;
            grid.at(left + x, top + y, channel) =
                its_range.byte(picture[static_cast<std::size_t>(i)], options.round);
        }
    }
    return grid;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

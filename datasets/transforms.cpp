#include "transforms.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "../core/error.h"

namespace primer {
namespace {

void check_picture(const char* who, std::span<const Real> image, const Shape& shape) {
    check(shape.rank() == 3, who, ": expected a picture of shape [channels, height, width], got ",
          shape);
    check(static_cast<Index>(image.size()) == shape.numel(), who, ": expected ", shape.numel(),
          " values for the shape ", shape, ", got ", image.size());
}

/// new(y, x) = old(y + down, x + right), or 0 if that lies outside.
void shift(Real* plane, Size2 size, Index down, Index right) {
    const Index first = std::max<Index>(0, -right);  // columns first ... last - 1 stay inside
    const Index last = std::min(size.w, size.w - right);
    for (Index i = 0; i < size.h; ++i) {
        // In an order that overwrites no row before it has been moved.
        const Index y = down >= 0 ? i : size.h - 1 - i;
        Real* const row = plane + y * size.w;
        if (y + down < 0 || y + down >= size.h) {
            std::fill_n(row, size.w, Real(0));
            continue;
        }
        std::memmove(row + first, plane + ((y + down) * size.w + right + first),
                     static_cast<std::size_t>(last - first) * sizeof(Real));
        std::fill(row, row + first, Real(0));
        std::fill(row + last, row + size.w, Real(0));
    }
}

}  // namespace

RandomCrop::RandomCrop(Size2 size, Size2 padding) : size_(size), padding_(padding) {
    check_at_least(1, size, "RandomCrop", "size");
    check(padding.h >= 0 && padding.w >= 0 && padding.h < size.h && padding.w < size.w,
          "RandomCrop: expected a padding of at least 0 and below the size, ", size, ", got ",
          padding);
}

void RandomCrop::operator()(std::span<Real> image, const Shape& shape, Rng& rng) const {
    check_picture("RandomCrop", image, shape);
    check(shape[1] == size_.h && shape[2] == size_.w,
          "RandomCrop: expected pictures of the crop's own size, ", size_, ", got the shape ",
          shape);
    const Index down = rng.below(2 * padding_.h + 1) - padding_.h;
    const Index right = rng.below(2 * padding_.w + 1) - padding_.w;
    for (Index c = 0; c < shape[0]; ++c) {
        shift(image.data() + c * size_.h * size_.w, size_, down, right);
    }
}

RandomHorizontalFlip::RandomHorizontalFlip(Only<double> p) : p_(p) {
    check(p >= 0 && p <= 1, "RandomHorizontalFlip: expected a probability from 0 to 1, got ", p);
}

void RandomHorizontalFlip::operator()(std::span<Real> image, const Shape& shape, Rng& rng) const {
    check_picture("RandomHorizontalFlip", image, shape);
    if (static_cast<double>(rng.uniform()) >= p_) return;
    const Index width = shape[2];
    for (Index row = 0; row < shape[0] * shape[1]; ++row) {
        std::reverse(image.data() + row * width, image.data() + (row + 1) * width);
    }
}

Cutout::Cutout(Only<Index> size) : size_(size) {
    check(size >= 1, "Cutout: expected a size of 1 or more, got ", size);
}

void Cutout::operator()(std::span<Real> image, const Shape& shape, Rng& rng) const {
    check_picture("Cutout", image, shape);
    const Index height = shape[1], width = shape[2];
    const Index top = rng.below(height) - size_ / 2, left = rng.below(width) - size_ / 2;
    const Index first = std::max<Index>(0, left), last = std::min(width, left + size_);
    for (Index c = 0; c < shape[0]; ++c) {
        for (Index y = std::max<Index>(0, top); y < std::min(height, top + size_); ++y) {
            std::fill_n(image.data() + (c * height + y) * width + first, last - first, Real(0));
        }
    }
}

void ToTensor::operator()(std::span<Real> image, const Shape& /*shape*/, Rng& /*rng*/) const {
    for (Real& x : image) x /= 255;
}

Normalize::Normalize(std::vector<Real> mean, std::vector<Real> stddev)
    : mean_(std::move(mean)), stddev_(std::move(stddev)) {
    check(!mean_.empty() && mean_.size() == stddev_.size(),
          "Normalize: expected a mean and a standard deviation for each channel, got ",
          mean_.size(), " and ", stddev_.size());
    for (std::size_t c = 0; c < mean_.size(); ++c) {
        check(std::isfinite(mean_[c]), "Normalize: expected a finite mean, got ", mean_[c],
              " for channel ", c);
        check(stddev_[c] > 0 && std::isfinite(stddev_[c]),
              "Normalize: expected a standard deviation above 0, got ", stddev_[c], " for channel ",
              c);
    }
}

void Normalize::operator()(std::span<Real> image, const Shape& shape, Rng& /*rng*/) const {
    const std::size_t channels = mean_.size();
    check(shape.rank() == 3 && shape[0] == static_cast<Index>(channels),
          "Normalize: expected the shape [", channels,
          ", height, width], because it has a mean and a standard deviation for each of ", channels,
          " channels, got ", shape);
    check(static_cast<Index>(image.size()) == shape.numel(), "Normalize: expected ", shape.numel(),
          " values for the shape ", shape, ", got ", image.size());
    const std::size_t area = image.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
        const Real mean = mean_[c], stddev = stddev_[c];
        for (Real& x : image.subspan(c * area, area)) x = (x - mean) / stddev;
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "primer/datasets/transforms.h"

#include <cmath>
#include <utility>

#include "primer/core/error.h"

namespace primer {

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
          ", height, width], for it has a mean and a standard deviation for each of ", channels,
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

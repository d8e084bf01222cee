#include "dataset.h"

#include <algorithm>
#include <utility>

#include "../core/error.h"

namespace primer {

ImageDataset::ImageDataset(const Shape& shape, Index classes, std::vector<std::uint8_t> pixels,
                           std::vector<std::uint8_t> labels)
    : shape_(shape), classes_(classes), pixels_(std::move(pixels)), labels_(std::move(labels)) {
    check(shape.rank() == 3,
          "ImageDataset: expected the shape [channels, height, width] of one picture, got ", shape);
    check(shape.numel() > 0,
          "ImageDataset: expected the shape [channels, height, width] of pictures of at least "
          "one value, got ",
          shape);
    check(classes >= 1 && classes <= 256, "ImageDataset: expected 1 to 256 classes, got ", classes);

    const auto size = static_cast<std::size_t>(shape.numel());
    check(pixels_.size() % size == 0 && pixels_.size() / size == labels_.size(),
          "ImageDataset: expected ", labels_.size(), " pictures of shape ", shape,
          ", one for each label, got ", pixels_.size(), " bytes of pixels, enough for ",
          pixels_.size() / size);

    const auto bad = std::ranges::find_if(labels_, [&](int label) { return label >= classes; });
    if (bad != labels_.end()) {
        fail("ImageDataset: expected labels from 0 to ", classes - 1, ", got ", int{*bad},
             " for example ", bad - labels_.begin());
    }
}

void ImageDataset::check_index(Index i) const {
    check(i >= 0 && i < size(), "ImageDataset: there is no example ", i, ": it has ", size(),
          ", numbered from 0");
}

Index ImageDataset::label(Index i) const {
    check_index(i);
    return labels_[static_cast<std::size_t>(i)];
}

std::span<const std::uint8_t> ImageDataset::pixels(Index i) const {
    check_index(i);
    const auto size = static_cast<std::size_t>(shape_.numel());
    return std::span(pixels_).subspan(static_cast<std::size_t>(i) * size, size);
}

void ImageDataset::load(Index i, std::span<Real> out) const {
    const std::span<const std::uint8_t> picture = pixels(i);
    check(out.size() == picture.size(), "ImageDataset::load: expected room for ", picture.size(),
          " values of a picture of shape ", shape_, ", got ", out.size());
    std::ranges::copy(picture, out.begin());
}

}  // namespace primer

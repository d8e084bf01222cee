#include "dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "../core/error.h"

namespace primer {

namespace {

void check_example(const char* who, Index i, Index size) {
    check(i >= 0 && i < size, who, ": there is no example ", i, ": it has ", size,
          ", numbered from 0");
}

/// Row i of x [N, ...].
void copy_row(const Tensor& x, Index i, std::span<Real> out, const char* who, const char* what) {
    check_example(who, i, x.shape()[0]);
    const auto size = static_cast<std::size_t>(x.numel() / x.shape()[0]);
    check(out.size() == size, who, ": expected room for ", size, " values of ", what, ", got ",
          out.size());
    std::ranges::copy(x.values().subspan(static_cast<std::size_t>(i) * size, size), out.begin());
}

}  // namespace

Index Dataset::label(Index) const {
    fail(
        "Dataset: it has no labels: its targets are values; or, if it has classes, override "
        "label() and classes()");
}

Shape Dataset::target_shape() const {
    fail(
        "Dataset: its targets are labels, not values; or, if it is meant for a regression, "
        "override target_shape() and load_target(), or else label() and classes()");
}

void Dataset::load_target(Index, std::span<Real>) const { target_shape(); }

// --- Pictures ------------------------------------------------------------------------------------

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

void ImageDataset::check_index(Index i) const { check_example("ImageDataset", i, size()); }

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

// --- Tensors -------------------------------------------------------------------------------------

TensorDataset::TensorDataset(const Tensor& examples, IntTensor labels, Only<Index> classes)
    : examples_(examples), labels_(std::move(labels)), classes_(classes) {
    labels_.check_whole("TensorDataset");
    check(examples.rank() >= 1 && labels_.shape == Shape{examples.shape()[0]},
          "TensorDataset: expected examples [N, ...] and labels [N], got ", examples.shape(),
          " and ", labels_.shape);
    check(classes >= 1, "TensorDataset: expected at least one class, got ", classes);
    const auto bad = std::ranges::find_if(
        labels_.values, [&](Index label) { return label < 0 || label >= classes_; });
    if (bad != labels_.values.end()) {
        fail("TensorDataset: expected labels from 0 to ", classes - 1, ", got ", *bad,
             " for example ", bad - labels_.values.begin());
    }
}

TensorDataset::TensorDataset(const Tensor& examples, const IntTensor& labels)
    : TensorDataset(examples, labels,
                    labels.values.empty() ? 1 : *std::ranges::max_element(labels.values) + 1) {}

TensorDataset::TensorDataset(const Tensor& examples, const Tensor& targets)
    : examples_(examples), targets_(targets) {
    check(examples.rank() >= 1 && targets.rank() >= 1 && examples.shape()[0] == targets.shape()[0],
          "TensorDataset: expected examples [N, ...] and targets [N, ...], got ", examples.shape(),
          " and ", targets.shape());
}

Shape TensorDataset::shape() const { return examples_.shape().slice(1, examples_.rank()); }

void TensorDataset::load(Index i, std::span<Real> out) const {
    copy_row(examples_, i, out, "TensorDataset::load", "an example");
}

Index TensorDataset::label(Index i) const {
    if (classes_ == 0) return Dataset::label(i);
    check_example("TensorDataset", i, size());
    return labels_.values[static_cast<std::size_t>(i)];
}

Shape TensorDataset::target_shape() const {
    return classes_ > 0 ? Dataset::target_shape() : targets_.shape().slice(1, targets_.rank());
}

void TensorDataset::load_target(Index i, std::span<Real> out) const {
    if (classes_ > 0) return Dataset::load_target(i, out);
    copy_row(targets_, i, out, "TensorDataset::load_target", "a target");
}

// --- Parts ---------------------------------------------------------------------------------------

Subset::Subset(const Dataset& dataset, std::vector<Index> indices)
    : dataset_(&dataset), alive_(dataset.lifetime().watch()), indices_(std::move(indices)) {
    for (const Index i : indices_) check_example("Subset", i, dataset.size());
}

const Dataset& Subset::whole() const {
    check(!alive_.expired(), "Subset: its dataset is gone; keep it as long as the subset is used");
    return *dataset_;
}

Index Subset::at(Index i) const {
    check_example("Subset", i, size());
    return indices_[static_cast<std::size_t>(i)];
}

std::vector<Subset> random_split(const Dataset& dataset, const std::vector<double>& lengths,
                                 Rng& rng) {
    const double sum = std::accumulate(lengths.begin(), lengths.end(), 0.0);
    const bool positive = std::ranges::all_of(lengths, [](double f) { return f > 0; });
    const bool whole = std::ranges::all_of(lengths, [](double f) { return f == std::floor(f); });
    const auto all = static_cast<double>(dataset.size());
    check(positive && (std::abs(sum - 1) < 1e-6 || (whole && sum == all)),
          "random_split: expected fractions above 0 that add up to 1, such as {0.9, 0.1}, or sizes "
          "that add up to the ",
          dataset.size(), " examples, got ", lengths.size(), " that add up to ", sum);
    const double unit = std::abs(sum - 1) < 1e-6 ? all : 1;  // examples for a length of 1
    std::vector<Index> sizes;
    Index left = dataset.size();
    for (const double length : lengths) {
        // The small addend makes up for fractions such as 0.29 that are not exact: 100 * 0.29 < 29.
        const double share = unit * length;
        sizes.push_back(static_cast<Index>(share + 1e-6));
        left -= sizes.back();
    }
    for (std::size_t k = 0; left > 0; k = (k + 1) % sizes.size(), --left) ++sizes[k];

    const std::vector<Index> order = rng.permutation(dataset.size());
    std::vector<Subset> parts;
    auto first = order.begin();
    for (const Index size : sizes) {
        check(size >= 1, "random_split: part ", parts.size(), " of ", sizes.size(),
              " would have none of the ", dataset.size(), " examples");
        const auto last = first + static_cast<std::ptrdiff_t>(size);
        parts.emplace_back(dataset, std::vector<Index>(first, last));
        first = last;
    }
    return parts;
}

ChannelStatistics channel_statistics(const Dataset& pictures) {
    const Shape shape = pictures.shape();
    check(shape.rank() == 3 && shape.numel() > 0 && pictures.size() > 0,
          "channel_statistics: expected pictures [channels, height, width], got ", pictures.size(),
          " examples of shape ", shape);
    const auto channels = static_cast<std::size_t>(shape[0]);
    const auto pixels = static_cast<std::size_t>(shape[1] * shape[2]);
    std::vector<double> sums(channels), squares(channels);
    std::vector<Real> picture(channels * pixels);
    for (Index i = 0; i < pictures.size(); ++i) {
        pictures.load(i, picture);
        for (std::size_t c = 0; c < channels; ++c) {
            for (const Real pixel : std::span(picture).subspan(c * pixels, pixels)) {
                const double x = static_cast<double>(pixel) / 255;
                sums[c] += x;
                squares[c] += x * x;
            }
        }
    }
    const auto count = static_cast<double>(pictures.size()) * static_cast<double>(pixels);
    ChannelStatistics found;
    for (std::size_t c = 0; c < channels; ++c) {
        const double mean = sums[c] / count;
        found.mean.push_back(static_cast<Real>(mean));
        found.stddev.push_back(
            static_cast<Real>(std::sqrt(std::max(0.0, squares[c] / count - mean * mean))));
    }
    return found;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/datasets/dataset.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include <primer/core/ops.h>
#include <primer/datasets/loader.h>
#include "support.h"

namespace primer {
namespace {

// Three pictures of two channels, 1 x 2: the bytes 0 ... 11.
ImageDataset three_pictures() {
    return ImageDataset({2, 1, 2}, 4, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}, {3, 0, 2});
}

TEST_CASE("ImageDataset: gives back what it was made of") {
    const ImageDataset pictures = three_pictures();
    const Dataset& dataset = pictures;
    CHECK(dataset.size() == 3);
    CHECK(dataset.shape() == Shape{2, 1, 2});
    CHECK(dataset.classes() == 4);
    CHECK(dataset.label(0) == 3);
    CHECK(dataset.label(1) == 0);
    CHECK(dataset.label(2) == 2);

    std::array<Real, 4> values{};
    dataset.load(1, values);
    CHECK(values == std::array<Real, 4>{4, 5, 6, 7});
    dataset.load(2, values);
    CHECK(values == std::array<Real, 4>{8, 9, 10, 255});

    CHECK(pictures.pixels(0).size() == 4);
    CHECK(pictures.pixels(2)[3] == 255);
}

TEST_CASE("ImageDataset: examples outside of it") {
    const ImageDataset pictures = three_pictures();
    std::array<Real, 4> values{};
    check_error([&] { pictures.label(3); }, {"ImageDataset", "no example 3", "it has 3"});
    check_error([&] { pictures.label(-1); }, {"no example -1"});
    check_error([&] { pictures.load(3, values); }, {"no example 3"});
    check_error([&] { pictures.pixels(-1); }, {"no example -1"});
}

TEST_CASE("ImageDataset: load needs room for one picture") {
    std::array<Real, 5> values{};
    check_error([&] { three_pictures().load(0, values); },
                {"ImageDataset::load", "expected room for 4 values", "[2, 1, 2]", "got 5"});
}

TEST_CASE("ImageDataset: parts that do not fit together") {
    check_error(
        [] {
            ImageDataset({1, 2}, 1, {0, 0}, {0});
        },
        {"ImageDataset", "[channels, height, width]", "got [1, 2]"});
    check_error([] { ImageDataset({1, 0, 2}, 1, {}, {}); }, {"got [1, 0, 2]"});
    check_error([] { ImageDataset({1, 1, 1}, 0, {}, {}); }, {"expected 1 to 256 classes, got 0"});
    check_error(
        [] {
            ImageDataset({1, 1, 1}, 257, {}, {});
        },
        {"expected 1 to 256 classes, got 257"});
    check_error(
        [] {
            ImageDataset({1, 1, 2}, 1, {1, 2, 3, 4}, {0});
        },
        {"expected 1 pictures of shape [1, 1, 2]", "got 4 bytes", "enough for 2"});
    check_error(
        [] {
            ImageDataset({1, 1, 2}, 1, {1, 2, 3}, {0});
        },
        {"got 3 bytes", "enough for 1"});
    check_error(
        [] {
            ImageDataset({1, 1, 1}, 10, {0, 0, 0}, {9, 10, 11});
        },
        {"expected labels from 0 to 9, got 10 for example 1"});
}

TEST_CASE("ImageDataset: 256 classes and no examples are both allowed") {
    CHECK(ImageDataset({1, 1, 1}, 256, {7}, {255}).label(0) == 255);
    CHECK(ImageDataset({1, 1, 1}, 1, {}, {}).size() == 0);
}

TEST_CASE("TensorDataset: labels, or targets of any shape") {
    const Tensor x = tensor({0, 1, 2, 3, 4, 5}, {3, 2});
    const TensorDataset classes(x, IntTensor{1, 0, 1}, 2);
    CHECK(classes.size() == 3);
    CHECK(classes.shape() == Shape{2});
    CHECK(classes.classes() == 2);
    CHECK(classes.label(2) == 1);
    std::array<Real, 2> values{};
    classes.load(1, values);
    CHECK(values == std::array<Real, 2>{2, 3});
    check_error([&] { classes.target_shape(); }, {"targets are labels"});
    check_error([&] { classes.load_target(0, values); }, {"targets are labels"});
    check_error([&] { classes.label(3); }, {"TensorDataset: there is no example 3"});
    check_error([&] { classes.load(-1, values); }, {"no example -1"});
    check_error([&] { classes.load(0, std::span(values).first(1)); }, {"room for 2", "got 1"});

    const TensorDataset regression(x, tensor({7, 8, 9, 10, 11, 12}, {3, 1, 2}));
    CHECK(regression.classes() == 0);
    CHECK(regression.target_shape() == Shape{1, 2});
    regression.load_target(2, values);
    CHECK(values == std::array<Real, 2>{11, 12});
    check_error([&] { regression.label(0); }, {"no labels"});
    check_error([&] { regression.load_target(3, values); }, {"no example 3"});
    CHECK(TensorDataset(x, tensor({1, 2, 3})).target_shape() == Shape{});
}

TEST_CASE("TensorDataset: as many classes as the largest label says, unless they are stated") {
    const IntTensor labels{0, 3, 1};
    const TensorDataset data(zeros({3, 2}), labels);
    CHECK(data.classes() == 4);
    CHECK(data.label(1) == 3);
    CHECK(TensorDataset(zeros({3, 2}), labels, 10).classes() == 10);
    check_error([] { TensorDataset(zeros({2, 1}), IntTensor{0, -1}); }, {"from 0 to 0, got -1"});
    check_error([] { TensorDataset(zeros({2, 1}), IntTensor{0}); }, {"[2, 1] and [1]"});
    // Its batches have labels and no targets, which is said where somebody takes these.
    DataLoader loader(data, {.batch_size = 3});
    check_error([&] { mse_loss(zeros({3}), (*loader.begin()).targets); }, {"batch.labels"});
}

TEST_CASE("TensorDataset: parts that do not fit together") {
    const Tensor x = zeros({3, 2});
    check_error([&] { TensorDataset(x, IntTensor{1, 0}, 2); }, {"got [3, 2] and [2]"});
    check_error(
        [&] {
            TensorDataset(x, IntTensor{1, 0, 2}, 2);
        },
        {"labels from 0 to 1, got 2 for example 2"});
    check_error([&] { TensorDataset(x, IntTensor{1, 0, -100}, 2); }, {"got -100"});
    check_error([&] { TensorDataset(x, zeros({2})); }, {"got [3, 2] and [2]"});
    check_error([&] { TensorDataset(Tensor(1.0), zeros({1})); }, {"got [] and [1]"});
}

TEST_CASE("Subset: examples in an order of their own") {
    const ImageDataset pictures = three_pictures();
    const Subset part(pictures, {2, 0});
    CHECK(part.size() == 2);
    CHECK(part.classes() == 4);
    CHECK(part.shape() == pictures.shape());
    CHECK(part.label(0) == 2);
    CHECK(part.label(1) == 3);
    std::array<Real, 4> values{};
    part.load(1, values);
    CHECK(values == std::array<Real, 4>{0, 1, 2, 3});
    check_error([&] { part.label(2); }, {"Subset: there is no example 2"});
    check_error([&] { Subset(pictures, {0, 3}); }, {"Subset: there is no example 3"});
    auto gone = std::make_unique<ImageDataset>(three_pictures());
    const Subset rest(*gone, {1});
    gone.reset();
    check_error([&] { rest.label(0); }, {"Subset: its dataset is gone"});
}

TEST_CASE("random_split: every example in one part, as many as PyTorch gives each") {
    const TensorDataset data(zeros({10, 1}), zeros({10}));
    Rng rng(3);
    const std::vector<Subset> parts = random_split(data, {0.7, 0.2, 0.1}, rng);
    CHECK(parts.size() == 3);
    std::vector<Index> all;
    for (const Subset& part : parts) {
        all.insert(all.end(), part.indices().begin(), part.indices().end());
    }
    CHECK(parts[0].size() == 7);
    CHECK(parts[1].size() == 2);
    CHECK(all != std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    std::ranges::sort(all);
    CHECK(all == std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

    // 3.33 each, rounded down, and the one that is left over to the first.
    const double third = 1.0 / 3;
    const std::vector<Subset> thirds = random_split(data, {third, third, third}, rng);
    CHECK(thirds[0].size() == 4);
    CHECK(thirds[1].size() == 3);
    CHECK(thirds[2].size() == 3);
    Rng again(3);
    CHECK(random_split(data, {0.7, 0.2, 0.1}, again)[0].indices() == parts[0].indices());
}

TEST_CASE("random_split: sizes instead of fractions") {
    const TensorDataset data(zeros({10, 1}), zeros({10}));
    Rng a(3), b(3);
    const std::vector<Subset> parts = random_split(data, {8, 2}, a);
    CHECK(parts[0].size() == 8);
    CHECK(parts[1].size() == 2);
    CHECK(parts[0].indices() == random_split(data, {0.8, 0.2}, b)[0].indices());
    CHECK(random_split(data, {1}, a)[0].size() == 10);  // one part of everything
    check_error([&] { random_split(data, {8, 1}, a); }, {"sizes", "the 10 examples", "up to 9"});
    check_error([&] { random_split(data, {7.5, 2.5}, a); }, {"the 10 examples", "up to 10"});
}

TEST_CASE("random_split: fractions that cannot be") {
    const TensorDataset data(zeros({10, 1}), zeros({10}));
    Rng rng(3);
    check_error([&] { random_split(data, {0.7, 0.2}, rng); }, {"add up to 1", "add up to 0.9"});
    check_error([&] { random_split(data, {1.5, -0.5}, rng); }, {"fractions above 0"});
    check_error([&] { random_split(data, {}, rng); }, {"got 0"});
    check_error([&] { random_split(data, {0.99, 0.01}, rng); }, {"part 1 of 2", "none of the 10"});
}

TEST_CASE("channel_statistics: over all pixels, divided by 255") {
    // Channel 0 holds 0 1 4 5 8 9, channel 1 the others.
    const ChannelStatistics found = channel_statistics(three_pictures());
    CHECK(found.mean.size() == 2);
    CHECK(found.mean[0] == doctest::Approx(4.5 / 255));
    CHECK(found.mean[1] == doctest::Approx(283.0 / 6 / 255));
    CHECK(found.stddev[0] == doctest::Approx(std::sqrt(187.0 / 6 - 4.5 * 4.5) / 255));
    check_error(
        [] {
            channel_statistics(TensorDataset(zeros({2, 3}), zeros({2})));
        },
        {"expected pictures", "2 examples of shape [3]"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/datasets/dataset.h>

#include <array>

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

}  // namespace
}  // namespace primer

#include <primer/datasets/pictures.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <primer/core/rng.h>
#include "support.h"

namespace primer {
namespace {

// --- sizes ---------------------------------------------------------------------------------------

TEST_CASE("resize: the same size changes nothing") {
    check_values(resize(tensor({1, 2, 3, 4, 5, 6}, {1, 2, 3}), 2, 3), {1, 2, 3},
                 {1, 2, 3, 4, 5, 6});
}

TEST_CASE("resize: to half the size, a smooth mean") {
    // The first result lies between the pixels 0 and 1; the weights fall to 0 over 2 pixels, so
    // they are 3/4, 3/4, 1/4 of 7/4: (5.25 + 10.5 + 7) / 1.75 = 13. The second: (3.5 + 21 + 42) /
    // 1.75 = 38.
    check_values(resize(tensor({7, 14, 28, 56}, {1, 1, 4}), 1, 2), {1, 1, 2}, {13, 38});
    check_values(resize(tensor({7, 14, 28, 56}, {1, 4, 1}), 2, 1), {1, 2, 1}, {13, 38});
}

TEST_CASE("resize: to twice the size, interpolated, with the border repeated") {
    // The places are -1/4, 1/4, 3/4 and 5/4; the pixels lie at 0 and 1.
    check_values(resize(tensor({4, 8}, {1, 1, 2}), 1, 4), {1, 1, 4}, {4, 5, 7, 8});
    check_values(resize(tensor({4, 8, 0, 0}, {2, 2, 1}), 4, 1), {2, 4, 1},
                 {4, 5, 7, 8, 0, 0, 0, 0});
}

TEST_CASE("resize: one colour stays one, at any size") {
    for (Index height : {1, 2, 7, 30}) {
        for (Index width : {1, 3, 40}) {
            const Tensor y = resize(full({2, 5, 9}, 77), height, width);
            CHECK(y.shape() == Shape{2, height, width});
            for (Real value : y.values()) CHECK(value == doctest::Approx(77));
        }
    }
}

TEST_CASE("resize: what cannot be") {
    check_error(
        [] {
            resize(ones({2, 2}), 1, 1);
        },
        {"resize: expected [C, H, W] and a size of at least 1, got [2, 2] and 1 x 1"});
    check_error([] { resize(ones({1, 2, 2}), 0, 1); }, {"got [1, 2, 2] and 0 x 1"});
    check_error([] { resize(ones({1, 0, 2}), 1, 1); }, {"got [1, 0, 2] and 1 x 1"});
}

// --- digits --------------------------------------------------------------------------------------

using Colour = std::vector<std::uint8_t>;

void fill(Image& image, Index left, Index top, Index width, Index height, const Colour& colour) {
    for (Index y = top; y < top + height; ++y) {
        for (Index x = left; x < left + width; ++x) {
            for (Index c = 0; c < image.channels; ++c) {
                image.at(x, y, c) = colour[static_cast<std::size_t>(c)];
            }
        }
    }
}

Image paper(Index width, Index height, const Colour& colour) {
    Image image(width, height, std::ssize(colour));
    fill(image, 0, 0, width, height, colour);
    return image;
}

// The box of what is not 0: left, top, right, bottom, the last two outside.
std::vector<Index> box_of(const Tensor& picture) {
    std::vector<Index> box{28, 28, 0, 0};
    for (Index i = 0; i < 28 * 28; ++i) {
        if (picture.data()[i] == 0) continue;
        box = {std::min(box[0], i % 28), std::min(box[1], i / 28), std::max(box[2], i % 28 + 1),
               std::max(box[3], i / 28 + 1)};
    }
    return box;
}

double largest_difference(const Tensor& a, const Tensor& b) {
    double largest = 0;
    for (Index i = 0; i < a.numel(); ++i) {
        largest = std::max(largest, static_cast<double>(std::abs(a.data()[i] - b.data()[i])));
    }
    return largest;
}

// A bar, 10 x 20, in the corner of a larger sheet.
Image bar(const Colour& sheet, const Colour& pen) {
    Image image = paper(60, 40, sheet);
    fill(image, 3, 2, 10, 20, pen);
    return image;
}

TEST_CASE("mnist_picture: light on dark, 20 pixels high, in the middle") {
    const Tensor picture = mnist_picture(bar({255}, {0}));
    REQUIRE(picture.shape() == Shape{1, 28, 28});
    for (Index y = 0; y < 28; ++y) {
        for (Index x = 0; x < 28; ++x) {
            const bool ink = x >= 9 && x < 19 && y >= 4 && y < 24;
            CHECK(picture.data()[y * 28 + x] == doctest::Approx(ink ? 255 : 0));
        }
    }
}

TEST_CASE("mnist_picture: the colours do not matter") {
    const Tensor expected = mnist_picture(bar({255}, {0}));
    CHECK(largest_difference(mnist_picture(bar({0}, {255})), expected) < 1e-3);
    CHECK(largest_difference(mnist_picture(bar({100}, {140})), expected) < 1e-3);
    CHECK(largest_difference(mnist_picture(bar({255, 255, 255}, {0, 0, 0})), expected) < 1e-3);
    // Two colours that are equally light.
    CHECK(largest_difference(mnist_picture(bar({200, 0, 0}, {0, 0, 200})), expected) < 1e-3);
}

TEST_CASE("mnist_picture: the size does not matter, either") {
    // Fitted to 20 pixels, the wide one is 20 x 10; far larger ones are shrunk in two steps.
    Image wide = paper(30, 30, {255});
    fill(wide, 5, 5, 20, 10, {0});
    CHECK(box_of(mnist_picture(wide)) == std::vector<Index>{4, 9, 24, 19});
    Image tiny = paper(10, 10, {255});
    fill(tiny, 4, 4, 2, 4, {0});
    CHECK(box_of(mnist_picture(tiny)) == std::vector<Index>{9, 4, 19, 24});
    Image large = paper(1200, 900, {255});
    fill(large, 1000, 600, 100, 200, {0});
    CHECK(box_of(mnist_picture(large)) == std::vector<Index>{9, 4, 19, 24});
}

TEST_CASE("mnist_picture: the centre of mass is in the middle, not the box") {
    // A block of 10 x 10 on a stem of 2 x 10 below its left end: the centre is at x = (100 * 5 + 20
    // * 1) / 120 = 4.33 and y = (100 * 5 + 20 * 15) / 120 = 6.67 of the box, so it begins at 14 -
    // 4.33 = 9.67, nearest to 10, and at 7.33.
    Image image = paper(40, 40, {255});
    fill(image, 10, 10, 10, 10, {0});
    fill(image, 10, 20, 2, 10, {0});
    CHECK(box_of(mnist_picture(image)) == std::vector<Index>{10, 7, 20, 27});

    // A wall at the left with a thin line to the right: moved as far as possible.
    Image flag = paper(40, 40, {255});
    fill(flag, 10, 10, 4, 20, {0});
    fill(flag, 14, 10, 16, 1, {0});
    const std::vector<Index> box = box_of(mnist_picture(flag));
    CHECK(box[0] == 8);
    CHECK(box[2] == 28);
}

TEST_CASE("mnist_picture: specks are no ink, and disappear") {
    const Tensor expected = mnist_picture(bar({255}, {0}));
    Image image = bar({255}, {0});
    fill(image, 50, 30, 2, 2, {0});  // 4 of the bar's 200 pixels: less than one part in 25
    CHECK(largest_difference(mnist_picture(image), expected) < 1e-3);
    // Larger spots belong to the digit, such as the separate bar above a 5.
    fill(image, 40, 10, 5, 5, {0});
    CHECK(largest_difference(mnist_picture(image), expected) > 100);
}

TEST_CASE("mnist_picture: a thin line is as white as a thick one") {
    Image image = paper(400, 400, {255});
    fill(image, 200, 50, 2, 300, {0});
    const Tensor picture = mnist_picture(image);
    CHECK(std::ranges::max(picture.values()) == doctest::Approx(255));
}

TEST_CASE("mnist_picture: noise on the paper disappears") {
    Image image = paper(80, 80, {200});
    fill(image, 35, 20, 10, 40, {40});
    Rng rng(1);
    for (std::uint8_t& value : image.pixels) {
        value = static_cast<std::uint8_t>(value + rng.below(31) - 15);
    }
    // The bar is 5 x 20 in the middle: 11.5, so the half may go to either side.
    const std::vector<Index> box = box_of(mnist_picture(image));
    CHECK(box[1] == 4);
    CHECK(box[3] == 24);
    CHECK(box[2] - box[0] == 5);
}

TEST_CASE("mnist_picture: no digit") {
    check_error([] { mnist_picture(Image(30, 20, 1, 100)); },
                {"expected a digit, got a picture of one colour, 30 x 20"});
    check_error([] { mnist_picture(Image(1, 1, 3, 0)); }, {"one colour, 1 x 1"});
    // Compression noise on plain paper is no digit, either.
    Image image(30, 20, 1, 100);
    fill(image, 10, 5, 5, 5, {104});
    check_error([&] { mnist_picture(image); }, {"expected a digit"});
}

TEST_CASE("mnist_picture: pictures of any shape give a digit, or an Error that there is none") {
    Rng rng(1);
    for (Index width : {1, 2, 3, 28, 500}) {
        for (Index height : {1, 2, 5, 300}) {
            Image image(width, height, 1 + 2 * rng.below(2));
            for (std::uint8_t& value : image.pixels) {
                value = static_cast<std::uint8_t>(rng.below(256));
            }
            try {
                const Tensor picture = mnist_picture(image);
                CHECK(picture.shape() == Shape{1, 28, 28});
                for (Real value : picture.values()) {
                    const bool right = value >= 0 && value <= Real(255.01);
                    REQUIRE(right);
                }
            } catch (const Error& error) {
                CHECK(std::string(error.what()).starts_with("expected a digit"));
            }
        }
    }
}

// --- other pictures ------------------------------------------------------------------------------

TEST_CASE("cifar_picture: the middle, in three channels") {
    Image image = paper(96, 32, {10});
    fill(image, 32, 0, 32, 32, {20});
    const Tensor grey = cifar_picture(image);
    CHECK(grey.shape() == Shape{3, 32, 32});
    for (Real value : grey.values()) CHECK(value == doctest::Approx(20));

    Image tall = paper(32, 64, {1, 2, 3});
    fill(tall, 0, 16, 32, 16, {10, 20, 30});
    const Tensor colours = cifar_picture(tall);
    for (Index i = 0; i < 3 * 32 * 32; ++i) {
        const Index channel = i / 1024, row = i / 32 % 32;
        const auto expected = static_cast<double>((channel + 1) * (row < 16 ? 10 : 1));
        CHECK(colours.data()[i] == doctest::Approx(expected));
    }
}

TEST_CASE("cifar_picture: of any size") {
    for (Index side : {1, 31, 64, 301}) {
        const Tensor picture = cifar_picture(Image(side + 7, side, 3, 90));
        CHECK(picture.shape() == Shape{3, 32, 32});
        for (Real value : picture.values()) CHECK(value == doctest::Approx(90));
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

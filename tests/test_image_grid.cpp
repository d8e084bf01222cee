#include <primer/core/io/image_grid.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "support.h"

namespace primer {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_grid(const Image& grid, Index width, Index height, Index channels, const Bytes& pixels) {
    CHECK(grid.width == width);
    CHECK(grid.height == height);
    CHECK(grid.channels == channels);
    CHECK(grid.pixels == pixels);
}

TEST_CASE("image_grid: rows of pictures with padding around each") {
    // Three pictures of 2 x 1, two in a row, 1 around: 1+2+1+2+1 wide, 1+1+1+1+1 high.
    const Tensor images = tensor({1, 0, 1, 1, 0, 1}, {3, 1, 1, 2});
    check_grid(make_grid(images, {.nrow = 2, .padding = 1, .pad_value = 0.5}), 7, 5, 1,
               {128, 128, 128, 128, 128, 128, 128,  //
                128, 255, 0,   128, 255, 255, 128,  //
                128, 128, 128, 128, 128, 128, 128,  //
                128, 0,   255, 128, 128, 128, 128,  //
                128, 128, 128, 128, 128, 128, 128});
    // All fit in one row; without padding.
    check_grid(make_grid(images, {.padding = 0}), 6, 1, 1, {255, 0, 255, 255, 0, 255});
    check_grid(make_grid(images, {.nrow = 1, .padding = 0}), 2, 3, 1, {255, 0, 255, 255, 0, 255});
}

TEST_CASE("image_grid: one picture is alone") {
    const Bytes bytes{0, 51, 102, 153, 204, 255};  // 255 times 0, 0.2, ..., 1
    for (const Shape& shape : {Shape{2, 3}, Shape{1, 2, 3}, Shape{1, 1, 2, 3}}) {
        check_grid(make_grid(tensor({0, 0.2, 0.4, 0.6, 0.8, 1}, shape)), 3, 2, 1, bytes);
    }
    // Planes of red, green and blue become pixels.
    check_grid(make_grid(tensor({0, 0.2, 0.4, 0.6, 0.8, 1}, {3, 1, 2})), 2, 1, 3,
               {0, 102, 204, 51, 153, 255});
}

TEST_CASE("image_grid: every byte comes back from its 255th") {
    Tensor values = empty({1, 1, 256});
    for (Index i = 0; i < 256; ++i) values.mutable_data()[i] = static_cast<Real>(i) / 255;
    const Image image = make_grid(values);
    for (Index i = 0; i < 256; ++i) CHECK(image.at(i, 0) == i);
}

TEST_CASE("image_grid: what is no brightness") {
    check_grid(make_grid(tensor({-3, 7, kNan, kInfinity, -kInfinity, 1e30}, {1, 6})), 6, 1, 1,
               {0, 255, 0, 255, 0, 255});
}

TEST_CASE("image_grid: normalised") {
    const Tensor images = tensor({-1, 1, 2, 4}, {2, 1, 1, 2});
    // From -1 to 4: 0, 2/5, 3/5 and 1.
    check_grid(make_grid(images, {.padding = 0, .normalize = true}), 4, 1, 1, {0, 102, 153, 255});
    // From -2 to 2: 1/4, 3/4, 1 and values beyond.
    check_grid(make_grid(images, {.padding = 0, .normalize = true, .value_range = {{-2, 2}}}), 4, 1,
               1, {64, 191, 255, 255});
    check_grid(make_grid(images, {.padding = 0, .normalize = true, .scale_each = true}), 4, 1, 1,
               {0, 255, 0, 255});
    check_grid(
        make_grid(images,
                  {.padding = 0, .normalize = true, .value_range = {{-2, 2}}, .scale_each = true}),
        4, 1, 1, {64, 191, 255, 255});
    // The padding is not a value of the pictures.
    CHECK(make_grid(images, {.normalize = true, .pad_value = 1}).at(0, 0) == 255);
}

TEST_CASE("image_grid: normalised, of one value or of none") {
    const GridOptions normalize{.normalize = true};
    check_grid(make_grid(tensor({7, 7}, {1, 2}), normalize), 2, 1, 1, {0, 0});
    check_grid(make_grid(tensor({kNan, kInfinity, -kInfinity}, {1, 3}), normalize), 3, 1, 1,
               {0, 255, 0});
    check_grid(make_grid(tensor({3, kInfinity, kNan, 5, -kInfinity}, {1, 5}), normalize), 5, 1, 1,
               {0, 255, 0, 255, 0});
}

TEST_CASE("image_grid: what cannot be") {
    const auto refused = [](const Shape& shape, const GridOptions& options, const char* message) {
        check_error([&] { make_grid(zeros(shape), options); }, {message});
    };
    const char* shapes =
        "make_grid: expected [N, C, H, W], [C, H, W] or [H, W] with 1 or 3 channels and not empty, "
        "got ";
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 2, 2}, Shape{4, 2, 5, 5}, Shape{0, 3},
                               Shape{0, 1, 2, 2}, Shape{1, 1, 1, 2, 2}}) {
        refused(shape, {}, (shapes + shape.str()).c_str());
    }
    refused({2, 2}, {.nrow = 0}, "make_grid: expected an nrow of at least 1, got 0");
    refused({2, 2}, {.padding = -1}, "make_grid: expected a padding from 0 to 16384, got -1");
    for (const auto& range : {std::pair(1.0, 1.0), std::pair(0.0, kInfinity), {kNan, 1.0}}) {
        refused({2, 2}, {.normalize = true, .value_range = range},
                "make_grid: expected a value_range of two numbers in rising order, got ");
    }
    refused({600, 1, 32, 32}, {.nrow = 600}, "expected a picture of 1 to 16384 pixels a side");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

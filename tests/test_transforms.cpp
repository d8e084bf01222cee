#include <primer/datasets/transforms.h>

#include <limits>
#include <map>
#include <vector>

#include "support.h"

namespace primer {
namespace {

std::vector<Real> transformed(const Transform& transform, std::vector<Real> image,
                              const Shape& shape) {
    Rng rng(1);
    transform(image, shape, rng);
    return image;
}

TEST_CASE("ToTensor: bytes become numbers from 0 to 1") {
    const std::vector<Real> x = transformed(ToTensor(), {0, 51, 102, 255}, {1, 2, 2});
    CHECK(x == std::vector<Real>{0, Real(0.2), Real(0.4), 1});
}

TEST_CASE("Normalize: each channel with its own numbers") {
    // (1 - 1) / 2, (3 - 1) / 2 | (5 + 3) / 0.5, (-3 + 3) / 0.5
    const std::vector<Real> x =
        transformed(Normalize({1, -3}, {2, Real(0.5)}), {1, 3, 5, -3}, {2, 1, 2});
    CHECK(x == std::vector<Real>{0, 1, 16, 0});
}

// How often each result occurs in `draws` attempts.
std::map<std::vector<Real>, int> results(const Transform& transform, const std::vector<Real>& image,
                                         const Shape& shape, int draws) {
    std::map<std::vector<Real>, int> counts;
    Rng rng(1);
    for (int i = 0; i < draws; ++i) {
        std::vector<Real> changed = image;
        transform(changed, shape, rng);
        ++counts[changed];
    }
    return counts;
}

// Each expected result occurs in its share of the draws, within five standard deviations of a count
// of about 1000, and no other result occurs.
void check_results(const std::map<std::vector<Real>, int>& counts,
                   const std::vector<std::vector<Real>>& expected) {
    CHECK(counts.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(counts.contains(expected[i]));
        CHECK(counts.at(expected[i]) > 850);
        CHECK(counts.at(expected[i]) < 1150);
    }
}

TEST_CASE("RandomCrop: every window of the padded picture is equally likely") {
    // 0 0 0 0
    // 0 1 2 0
    // 0 3 4 0
    // 0 0 0 0
    check_results(results(RandomCrop(2, 1), {1, 2, 3, 4}, {1, 2, 2}, 9000), {{0, 0, 0, 1},
                                                                             {0, 0, 1, 2},
                                                                             {0, 0, 2, 0},
                                                                             {0, 1, 0, 3},
                                                                             {1, 2, 3, 4},
                                                                             {2, 0, 4, 0},
                                                                             {0, 3, 0, 0},
                                                                             {3, 4, 0, 0},
                                                                             {4, 0, 0, 0}});
    // One direction at a time: height 1, width 3, and the other way round.
    check_results(results(RandomCrop({1, 3}, {0, 2}), {1, 2, 3}, {1, 1, 3}, 5000),
                  {{0, 0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3, 0}, {3, 0, 0}});
    check_results(results(RandomCrop({3, 1}, {2, 0}), {1, 2, 3}, {1, 3, 1}, 5000),
                  {{0, 0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3, 0}, {3, 0, 0}});
}

TEST_CASE("RandomCrop: all channels move together") {
    constexpr Index kChannels = 3, kHeight = 4, kWidth = 5, kPadH = 3, kPadW = 2;
    const Shape shape{kChannels, kHeight, kWidth};
    std::vector<Real> image;
    for (Index i = 1; i <= shape.numel(); ++i) image.push_back(static_cast<Real>(i));
    std::vector<std::vector<Real>> expected;
    for (Index down = -kPadH; down <= kPadH; ++down) {
        for (Index right = -kPadW; right <= kPadW; ++right) {
            std::vector<Real>& window = expected.emplace_back();
            for (Index i = 0; i < shape.numel(); ++i) {
                const Index y = i / kWidth % kHeight + down, x = i % kWidth + right;
                const bool inside = y >= 0 && y < kHeight && x >= 0 && x < kWidth;
                window.push_back(inside ? image[static_cast<std::size_t>(i + down * kWidth + right)]
                                        : 0);
            }
        }
    }
    check_results(results(RandomCrop({kHeight, kWidth}, {kPadH, kPadW}), image, shape, 35000),
                  expected);
}

TEST_CASE("RandomHorizontalFlip: rows are reversed, with the probability asked for") {
    const std::vector<Real> image{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const std::vector<Real> flipped{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10};
    const Shape shape{2, 2, 3};
    check_results(results(RandomHorizontalFlip(), image, shape, 2000), {image, flipped});
    check_results(results(RandomHorizontalFlip(1), image, shape, 1000), {flipped});
    check_results(results(RandomHorizontalFlip(0), image, shape, 1000), {image});
    const int of_4000 = results(RandomHorizontalFlip(0.25), image, shape, 4000).at(flipped);
    CHECK(of_4000 > 850);
    CHECK(of_4000 < 1150);
    CHECK(transformed(RandomHorizontalFlip(1), {1, 2, 3, 4}, {1, 2, 2}) ==
          std::vector<Real>{2, 1, 4, 3});
}

TEST_CASE("Cutout: a square around any of the pixels, as far as it lies in the picture") {
    // Of size 2, around (y, x): rows y - 1 and y, columns x - 1 and x.
    check_results(results(Cutout(2), {1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3}, 9000),
                  {{0, 2, 3, 4, 5, 6, 7, 8, 9},
                   {0, 0, 3, 4, 5, 6, 7, 8, 9},
                   {1, 0, 0, 4, 5, 6, 7, 8, 9},
                   {0, 2, 3, 0, 5, 6, 7, 8, 9},
                   {0, 0, 3, 0, 0, 6, 7, 8, 9},
                   {1, 0, 0, 4, 0, 0, 7, 8, 9},
                   {1, 2, 3, 0, 5, 6, 0, 8, 9},
                   {1, 2, 3, 0, 0, 6, 0, 0, 9},
                   {1, 2, 3, 4, 0, 0, 7, 0, 0}});
    // Of size 3, in two channels of one row: columns x - 1, x and x + 1.
    check_results(results(Cutout(3), {1, 2, 3, 4, 5, 6, 7, 8}, {2, 1, 4}, 4000),
                  {{0, 0, 3, 4, 0, 0, 7, 8},
                   {0, 0, 0, 4, 0, 0, 0, 8},
                   {1, 0, 0, 0, 5, 0, 0, 0},
                   {1, 2, 0, 0, 5, 6, 0, 0}});
    check_results(results(Cutout(1), {1, 2}, {1, 2, 1}, 2000), {{0, 2}, {1, 0}});
    constexpr Index most = std::numeric_limits<Index>::max();
    check_results(results(Cutout(most), {1, 2, 3, 4}, {1, 2, 2}, 1000), {{0, 0, 0, 0}});
}

TEST_CASE("transforms draw only from the picture's generator") {
    for (const Transform& transform :
         {Transform(RandomCrop(5, 4)), Transform(RandomHorizontalFlip()), Transform(Cutout(3))}) {
        const std::vector<Real> image(25, 1);
        Rng rng(7), same(7);
        for (int i = 0; i < 20; ++i) {
            std::vector<Real> a = image, b = image;
            transform(a, {1, 5, 5}, rng);
            transform(b, {1, 5, 5}, same);
            CHECK(a == b);
        }
        CHECK(rng.state() == same.state());
        CHECK(rng.state() != Rng(7).state());
    }
}

TEST_CASE("transforms draw nothing that they do not need") {
    Rng rng(1);
    const Rng::State before = rng.state();
    std::vector<Real> image{1, 2};
    ToTensor()(image, {1, 1, 2}, rng);
    Normalize({0}, {1})(image, {1, 1, 2}, rng);
    CHECK(rng.state() == before);
}

TEST_CASE("Normalize: impossible numbers") {
    constexpr Real infinity = std::numeric_limits<Real>::infinity();
    constexpr Real nan = std::numeric_limits<Real>::quiet_NaN();
    check_error(
        [] {
            Normalize({1, 2}, {1});
        },
        {"Normalize", "a mean and a standard deviation for each channel", "got 2 and 1"});
    check_error([] { Normalize({}, {}); }, {"got 0 and 0"});
    check_error(
        [] {
            Normalize({0, 0}, {1, 0});
        },
        {"expected a standard deviation above 0, got 0 for channel 1"});
    check_error([] { Normalize({0}, {-1}); }, {"got -1 for channel 0"});
    check_error([] { Normalize({0}, {nan}); }, {"standard deviation", "nan"});
    check_error([] { Normalize({0}, {infinity}); }, {"standard deviation", "inf"});
    check_error([] { Normalize({nan}, {1}); }, {"expected a finite mean, got nan for channel 0"});
}

TEST_CASE("Normalize: pictures that do not fit") {
    const Normalize grey({Real(0.5)}, {1});
    check_error(
        [&] {
            transformed(grey, {1, 2, 3}, {3, 1, 1});
        },
        {"Normalize", "expected the shape [1, height, width]", "got [3, 1, 1]"});
    check_error([&] { transformed(grey, {1}, {1}); }, {"got [1]"});
    check_error(
        [&] {
            transformed(grey, {1, 2, 3}, {1, 2, 2});
        },
        {"expected 4 values for the shape [1, 2, 2], got 3"});
}

TEST_CASE("random transforms: impossible options") {
    check_error([] { RandomCrop(0, 0); },
                {"RandomCrop: expected a size of at least 1 either way, got 0x0"});
    check_error([] { RandomCrop({3, -1}, 0); }, {"got 3x-1"});
    check_error([] { RandomCrop(4, 4); }, {"RandomCrop: expected a padding of at least 0 and below "
                                           "the size, 4x4, got 4x4"});
    check_error([] { RandomCrop({4, 3}, {3, 3}); }, {"below the size, 4x3, got 3x3"});
    check_error([] { RandomCrop({3, 4}, {3, 3}); }, {"below the size, 3x4, got 3x3"});
    check_error([] { RandomCrop(4, {-1, 0}); }, {"got -1x0"});
    check_error([] { RandomCrop(4, {0, -1}); }, {"got 0x-1"});
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    check_error([] { RandomHorizontalFlip(1.5); },
                {"RandomHorizontalFlip: expected a probability from 0 to 1, got 1.5"});
    check_error([] { RandomHorizontalFlip(-0.1); }, {"got -0.1"});
    check_error([] { RandomHorizontalFlip{nan}; }, {"got nan"});
    check_error([] { Cutout(0); }, {"Cutout: expected a size of 1 or more, got 0"});
    check_error([] { Cutout(-3); }, {"got -3"});
}

TEST_CASE("random transforms: pictures that do not fit") {
    check_error(
        [] {
            transformed(RandomCrop(2, 1), {1, 2, 3, 4, 5, 6}, {1, 2, 3});
        },
        {"RandomCrop: expected pictures of the crop's own size, 2x2, got the shape [1, 2, 3]"});
    check_error(
        [] {
            transformed(RandomCrop(2, 1), {1, 2, 3, 4, 5, 6}, {1, 3, 2});
        },
        {"2x2, got the shape [1, 3, 2]"});
    const auto check_refusals = [](const Transform& transform, const char* name) {
        check_error(
            [&] {
                transformed(transform, {1, 2, 3, 4}, {2, 2});
            },
            {name, ": expected a picture of shape [channels, height, width], got [2, 2]"});
        check_error(
            [&] {
                transformed(transform, {1, 2, 3}, {1, 2, 2});
            },
            {name, ": expected 4 values for the shape [1, 2, 2], got 3"});
    };
    check_refusals(RandomCrop(2, 1), "RandomCrop");
    check_refusals(RandomHorizontalFlip(), "RandomHorizontalFlip");
    check_refusals(Cutout(1), "Cutout");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

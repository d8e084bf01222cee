#include <primer/datasets/synthetic.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "support.h"

namespace primer {
namespace {

TEST_CASE("synthetic: uniform numbers") {
    Rng rng(1);
    std::vector<double> x;
    for (int i = 0; i < 10000; ++i) x.push_back(synthetic::uniform(rng, -2, 6));
    CHECK(std::ranges::min(x) >= -2);
    CHECK(std::ranges::max(x) < 6);
    // A quarter of [-2, 6) lies below 0: 2500, with a standard deviation of 43.
    const auto below = std::ranges::count_if(x, [](double value) { return value < 0; });
    CHECK(below > 2300);
    CHECK(below < 2700);
}

TEST_CASE("synthetic: numbers around zero") {
    Rng rng(1);
    std::vector<double> x;
    for (int i = 0; i < 10000; ++i) x.push_back(synthetic::around_zero(rng, 4));
    CHECK(std::ranges::min(x) > -4);
    CHECK(std::ranges::max(x) < 4);
    // The density is a triangle: three quarters lie between -2 and 2, half of all below 0.
    const auto near = std::ranges::count_if(x, [](double value) { return std::abs(value) < 2; });
    CHECK(near > 7300);
    CHECK(near < 7700);
    const auto below = std::ranges::count_if(x, [](double value) { return value < 0; });
    CHECK(below > 4800);
    CHECK(below < 5200);
}

TEST_CASE("synthetic: angles") {
    for (double t : {0.0, 1.0, -1.0, 0.3, -0.7}) {
        const auto [cosine, sine] = synthetic::angle(t);
        CHECK(cosine == doctest::Approx(std::cos(2 * std::atan(t))));
        CHECK(sine == doctest::Approx(std::sin(2 * std::atan(t))));
    }
}

TEST_CASE("synthetic: the ten classes in turn, each picture with a generator of its own") {
    const auto draw = [](std::size_t label, Rng& rng, std::span<std::uint8_t> pixels) {
        pixels[0] = static_cast<std::uint8_t>(label);
        pixels[1] = static_cast<std::uint8_t>(rng.next() >> 56);
        pixels[2] = static_cast<std::uint8_t>(rng.next() >> 56);
    };
    const ImageDataset some = synthetic::pictures("pictures", 25, 4, {1, 1, 3}, draw);
    const ImageDataset more = synthetic::pictures("pictures", 200, 4, {1, 1, 3}, draw);
    const ImageDataset other = synthetic::pictures("pictures", 25, 5, {1, 1, 3}, draw);
    CHECK(some.size() == 25);
    CHECK(some.shape() == Shape{1, 1, 3});
    CHECK(some.classes() == 10);
    int same = 0;
    for (Index i = 0; i < 25; ++i) {
        CHECK(some.label(i) == i % 10);
        CHECK(some.pixels(i)[0] == i % 10);
        CHECK(std::ranges::equal(some.pixels(i), more.pixels(i)));
        same += std::ranges::equal(some.pixels(i), other.pixels(i)) ? 1 : 0;
    }
    CHECK(same < 3);
    CHECK_FALSE(std::ranges::equal(some.pixels(0), some.pixels(10)));
    check_error(
        [&] {
            synthetic::pictures("pictures", 0, 1, {1, 1, 3}, draw);
        },
        {"pictures: expected a count of 1 or more, got 0"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

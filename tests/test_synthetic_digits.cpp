#include <primer/datasets/synthetic_digits.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "drawn.h"

namespace primer {
namespace {

const auto draw = [](Index count, std::uint64_t seed) { return synthetic_digits(count, seed); };

Index distance2(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    Index sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sum;
}

TEST_CASE("synthetic_digits: in MNIST's format, the classes in turn") {
    const ImageDataset digits = synthetic_digits(25, 1);
    CHECK(digits.size() == 25);
    CHECK(digits.shape() == Shape{1, 28, 28});
    CHECK(digits.classes() == 10);
    for (Index i = 0; i < 25; ++i) CHECK(digits.label(i) == i % 10);
}

TEST_CASE("synthetic_digits: the same bytes on every platform and in both builds") {
    // This number has no outside source: it pins what the generator has always drawn.
    CHECK(hash(bytes(synthetic_digits(200, 7), 0, 200)) == 15073817366644864554u);
}

TEST_CASE("synthetic_digits: a longer set begins with the shorter one") {
    const ImageDataset some = synthetic_digits(30, 5), more = synthetic_digits(300, 5);
    CHECK(bytes(more, 0, 30) == bytes(some, 0, 30));
}

TEST_CASE("synthetic_digits: no picture twice, within a seed or in two") { check_all_differ(draw); }

TEST_CASE("synthetic_digits: the number of threads does not matter") {
    check_any_threads(300, draw);
}

TEST_CASE("synthetic_digits: white on black, the digit within the picture") {
    const ImageDataset digits = synthetic_digits(500, 1);
    int at_the_edge = 0;
    for (Index i = 0; i < 500; ++i) {
        const std::span<const std::uint8_t> picture = digits.pixels(i);
        CAPTURE(i);
        CHECK(std::ranges::max(picture) >= 128);
        // A 1 drawn with a thin pen inks some 40 pixels, an 8 with a wide one less than half of the
        // 784.
        const auto inked = std::ranges::count_if(picture, [](int byte) { return byte >= 100; });
        CHECK(inked >= 15);
        CHECK(inked <= 392);
        for (std::size_t k = 0; k < 28; ++k) {
            for (std::size_t at : {k, 27 * 28 + k, 28 * k, 28 * k + 27}) {
                at_the_edge += picture[at] >= 100 ? 1 : 0;
            }
        }
    }
    // Out of 500 x 112 pixels.
    CHECK(at_the_edge < 560);
}

TEST_CASE("synthetic_digits: pictures that look alike mostly have the same class") {
    const ImageDataset known = synthetic_digits(1000, 1), asked = synthetic_digits(200, 2);
    int right = 0;
    for (Index i = 0; i < asked.size(); ++i) {
        Index nearest = 0, least = std::numeric_limits<Index>::max();
        for (Index j = 0; j < known.size(); ++j) {
            const Index d2 = distance2(asked.pixels(i), known.pixels(j));
            if (d2 < least) {
                least = d2;
                nearest = j;
            }
        }
        right += known.label(nearest) == asked.label(i) ? 1 : 0;
    }
    // Guessing would give 20.
    CHECK(right >= 130);
    CHECK(right <= 195);
}

TEST_CASE("synthetic_digits: counts that cannot be") { check_counts("synthetic_digits", draw); }

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

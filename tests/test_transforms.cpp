#include "primer/datasets/transforms.h"

#include <limits>

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

TEST_CASE("transforms draw nothing that they do not need") {
    Rng rng(1);
    const Rng::State before = rng.state();
    std::vector<Real> image{1, 2};
    ToTensor()(image, {1, 1, 2}, rng);
    Normalize({0}, {1})(image, {1, 1, 2}, rng);
    CHECK(rng.state() == before);
}

TEST_CASE("Normalize: numbers that are none") {
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

}  // namespace
}  // namespace primer

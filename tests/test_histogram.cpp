#include <primer/core/io/histogram.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include <primer/core/rng.h>
#include "support.h"

namespace primer {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_limits(const Histogram& histogram, const std::vector<double>& limits) {
    REQUIRE(histogram.limits.size() == limits.size());
    for (std::size_t i = 0; i < limits.size(); ++i) {
        CHECK(histogram.limits[i] == doctest::Approx(limits[i]).epsilon(1e-12));
    }
}

TEST_CASE("histogram: by hand") {
    // 1e-12 * 1.1^290 = 1.00897..., so 1 is in the bucket below it, 1.05 and 1.1 in that above.
    const Histogram h = make_histogram(tensor({1.1, 1, 1.05, 1.2}));
    check_limits(h, {0.917246389039776, 1.0089710279437536, 1.109868130738129, 1.220854943811942});
    CHECK(h.buckets == std::vector<Index>{0, 1, 2, 1});
    CHECK(h.count == 4);
    CHECK(h.non_finite == 0);
    CHECK(h.min == 1);
    CHECK(h.max == static_cast<Real>(1.2));
    CHECK(h.sum == doctest::Approx(4.35));
    CHECK(h.sum_of_squares == doctest::Approx(1.21 + 1 + 1.1025 + 1.44));
}

TEST_CASE("histogram: around zero") {
    const Histogram zero = make_histogram(tensor({0, -0.0, 0}));
    check_limits(zero, {0, 1e-12});
    CHECK(zero.buckets == std::vector<Index>{0, 3});
    const Histogram tiny = make_histogram(tensor({-1e-13, 1e-13, 2e-13}));
    check_limits(tiny, {-1e-12, 0, 1e-12});
    CHECK(tiny.buckets == std::vector<Index>{0, 1, 2});
    // A bucket includes its lower limit, not its upper one. (1e-12 as a float is a little less.)
    if constexpr (kDouble) {
        const Histogram edges = make_histogram(tensor({-1e-12, 0, 1e-12}));
        check_limits(edges, {-1e-12, 0, 1e-12, 1.1e-12});
        CHECK(edges.buckets == std::vector<Index>{0, 1, 1, 1});
    }
}

TEST_CASE("histogram: negative and positive, with empty buckets between") {
    // The counts are NumPy's with PyTorch's limits.
    const Histogram h = make_histogram(tensor({-1, 2}));
    REQUIRE(h.buckets.size() == 591);
    CHECK(h.limits.front() == doctest::Approx(-1.0089710279437536).epsilon(1e-12));
    CHECK(h.limits.back() == doctest::Approx(2.1628190051144287).epsilon(1e-12));
    CHECK(h.buckets[1] == 1);
    CHECK(h.buckets.back() == 1);
    CHECK(std::reduce(h.buckets.begin(), h.buckets.end()) == 2);
}

TEST_CASE("histogram: each value is between the limits of its bucket") {
    Rng rng(3);
    std::vector<Real> values;
    for (double size = 1e-14; size < 1e22; size *= 7) {
        const Tensor some = randn({40}, rng);
        for (Real value : some.values()) {
            values.push_back(static_cast<Real>(static_cast<double>(value) * size));
        }
    }
    const auto count = static_cast<Index>(values.size());
    const Histogram h = make_histogram(tensor(std::span<const Real>(values), {count}));
    REQUIRE(std::ranges::is_sorted(h.limits));
    REQUIRE(h.limits.size() == h.buckets.size());
    std::vector<Index> expected(h.buckets.size(), 0);
    for (Real value : values) {  // beyond the last limit: in the last bucket, so before the first
        const auto above = std::ranges::upper_bound(h.limits, static_cast<double>(value));
        const auto bucket =
            std::clamp<std::ptrdiff_t>(above - h.limits.begin(), 1, std::ssize(h.limits) - 1);
        ++expected[static_cast<std::size_t>(bucket)];
    }
    CHECK(h.buckets == expected);
    CHECK(h.count == count);
}

TEST_CASE("histogram: large values count in the last bucket") {
    const Histogram h = make_histogram(tensor({1e30, -1e30, 1e38, 9.9e19}));
    CHECK(h.buckets[1] == 1);
    CHECK(h.buckets.back() == 3);
    CHECK(h.limits.back() < 1e20);
    CHECK(h.max == static_cast<Real>(1e38));
}

TEST_CASE("histogram: values that are not finite do not count") {
    const Histogram h = make_histogram(tensor({kNan, 3, kInfinity, -kInfinity, 5}));
    CHECK(h.count == 2);
    CHECK(h.non_finite == 3);
    CHECK(h.min == 3);
    CHECK(h.max == 5);
    CHECK(h.sum == 8);
    CHECK(h.sum_of_squares == 34);
    CHECK(std::reduce(h.buckets.begin(), h.buckets.end()) == 2);
}

TEST_CASE("histogram: of nothing") {
    for (const Tensor& values : {zeros({0}), tensor({kNan, kInfinity})}) {
        const Histogram h = make_histogram(values);
        CHECK(h.count == 0);
        CHECK(h.non_finite == values.numel());
        CHECK(h.min == 0);
        CHECK(h.max == 0);
        CHECK(h.limits == std::vector<double>{0});
        CHECK(h.buckets == std::vector<Index>{0});
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

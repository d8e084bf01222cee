#include <primer/core/shape.h>

#include <limits>
#include <sstream>
#include <vector>

#include "support.h"

namespace primer {
namespace {

constexpr Index kMaxIndex = std::numeric_limits<Index>::max();

TEST_CASE("shape: broadcast_strides of what cannot be broadcast") {
    const std::initializer_list<const char*> parts = {"broadcast_strides: the shape ", " to "};
    check_error([] { broadcast_strides({7, 7, 7, 7, 7, 7}, {7}); }, parts);
    check_error([] { broadcast_strides({2}, {3}); }, parts);
}

}  // namespace

TEST_CASE("shape: rank, sizes and number of elements") {
    const Shape s{64, 3, 32, 32};
    CHECK(s.rank() == 4);
    CHECK(s.numel() == 64 * 3 * 32 * 32);
    CHECK(s[0] == 64);
    CHECK(s[1] == 3);
    CHECK(s[-1] == 32);
    CHECK(s[-4] == 64);
    CHECK(std::vector<Index>(s.dims().begin(), s.dims().end()) ==
          std::vector<Index>{64, 3, 32, 32});
}

TEST_CASE("shape: a scalar has rank 0 and one element") {
    CHECK(Shape{}.rank() == 0);
    CHECK(Shape{}.numel() == 1);
    CHECK(Shape{}.dims().empty());
}

TEST_CASE("shape: a size of 0 leaves no elements") {
    CHECK(Shape{0}.numel() == 0);
    CHECK(Shape{5, 0, 7}.numel() == 0);
}

TEST_CASE("shape: made from a span") {
    const std::vector<Index> dims{4, 5};
    CHECK(Shape(std::span<const Index>(dims)) == Shape{4, 5});
}

TEST_CASE("shape: at most six dimensions") {
    CHECK(Shape{1, 2, 3, 4, 5, 6}.numel() == 720);
    check_error(
        [] {
            Shape({1, 1, 1, 1, 1, 1, 1});
        },
        {"Shape: expected at most 6 dimensions, got 7"});
}

TEST_CASE("shape: sizes are not negative") {
    check_error([] { Shape({3, -1}); }, {"Shape: expected sizes of 0 or more, got [3, -1]"});
}

TEST_CASE("shape: more elements than memory can hold is an error, not an overflow" *
          doctest::skip(sizeof(void*) < 8)) {
    constexpr Index most = kMaxIndex / Index{sizeof(Real)};
    CHECK(Shape{most}.numel() == most);
    CHECK(Shape{most, 1, 1}.numel() == most);
    check_error([=] { Shape({most + 1}); }, {"Shape: [", "has more elements than memory"});
    check_error(
        [] {
            Shape({Index{1} << 32, Index{1} << 32});
        },
        {"[4294967296, 4294967296] has more elements than memory"});
    // The product of 2^64 would wrap round to 0.
    check_error([] { Shape({1 << 16, 1 << 16, 1 << 16, 1 << 16}); }, {"more elements than memory"});
    // Strides multiply the sizes beside a 0, so they must fit, too.
    CHECK(Shape{most, 0}.numel() == 0);
    check_error([=] { Shape({most, 0, 2}); }, {"more elements than memory"});
    check_error([=] { Shape({0, most, 2}); }, {"more elements than memory"});
}

TEST_CASE("shape: dimensions are checked, and counted from the end if negative") {
    const Shape s{2, 3};
    CHECK(s.normalize(0) == 0);
    CHECK(s.normalize(1) == 1);
    CHECK(s.normalize(-1) == 1);
    CHECK(s.normalize(-2) == 0);
    check_error([&] { s.normalize(2, "sum"); },
                {"sum: expected a dimension from -2 to 1 for the shape [2, 3], got 2"});
    check_error([&] { s.normalize(-3, "sum"); }, {"sum: ", "got -3"});
    check_error([&] { s[2]; }, {"Shape: expected a dimension from -2 to 1", "got 2"});
    check_error([&] { s.normalize(std::numeric_limits<int>::min()); }, {"got -2147483648"});
    check_error([] { Shape{}.normalize(0, "softmax"); },
                {"softmax: the shape [] of a scalar has no dimension 0"});
    check_error([] { Shape{}[-1]; }, {"of a scalar has no dimension -1"});
}

TEST_CASE("shape: with, without, concat, slice") {
    const Shape s{2, 3, 4};
    CHECK(s.with(1, 7) == Shape{2, 7, 4});
    CHECK(s.with(-1, 0) == Shape{2, 3, 0});
    CHECK(s.without(0) == Shape{3, 4});
    CHECK(s.without(-2) == Shape{2, 4});
    CHECK(Shape{5}.without(0) == Shape{});
    CHECK(s.concat({5, 6}) == Shape{2, 3, 4, 5, 6});
    CHECK(Shape{}.concat(s) == s);
    CHECK(s.concat({}) == s);
    CHECK(s.slice(0, 3) == s);
    CHECK(s.slice(1, 2) == Shape{3});
    CHECK(s.slice(3, 3) == Shape{});
    CHECK(s == Shape{2, 3, 4});

    check_error([&] { s.with(3, 1); }, {"got 3"});
    check_error([&] { s.with(0, -1); }, {"expected sizes of 0 or more, got [-1, 3, 4]"});
    check_error([&] { s.with(0, kMaxIndex); }, {"more elements than memory"});
    check_error([&] { s.without(3); }, {"got 3"});
    check_error(
        [&] {
            s.concat({5, 6, 7, 8});
        },
        {"[2, 3, 4] followed by [5, 6, 7, 8] has more than 6 dimensions"});
    check_error([&] { s.slice(2, 1); }, {"no dimensions 2 to 1 in [2, 3, 4]"});
    check_error([&] { s.slice(-1, 2); }, {"no dimensions -1 to 2"});
    check_error([&] { s.slice(0, 4); }, {"no dimensions 0 to 4"});
}

TEST_CASE("shape: equality looks at rank and sizes") {
    CHECK(Shape{2, 3} == Shape{2, 3});
    CHECK(Shape{2, 3} != Shape{3, 2});
    CHECK(Shape{1} != Shape{});
    CHECK(Shape{1, 2} != Shape{2});
    CHECK(Shape{0, 3} != Shape{3, 0});
}

TEST_CASE("shape: printing") {
    CHECK(Shape{64, 3, 32, 32}.str() == "[64, 3, 32, 32]");
    CHECK(Shape{5}.str() == "[5]");
    CHECK(Shape{}.str() == "[]");
    std::ostringstream out;
    out << Shape{0, 2};
    CHECK(out.str() == "[0, 2]");
}

TEST_CASE("shape: broadcasting") {
    const auto both = [](const Shape& a, const Shape& b) {
        CHECK(broadcast(a, b, "op") == broadcast(b, a, "op"));
        return broadcast(a, b, "op");
    };
    CHECK(both({}, {}) == Shape{});
    CHECK(both({2, 3}, {}) == Shape{2, 3});
    CHECK(both({2, 3}, {3}) == Shape{2, 3});
    CHECK(both({2, 3}, {1}) == Shape{2, 3});
    CHECK(both({2, 1}, {1, 3}) == Shape{2, 3});
    CHECK(both({8, 1, 6, 1}, {7, 1, 5}) == Shape{8, 7, 6, 5});
    CHECK(both({1, 1}, {1}) == Shape{1, 1});
    // A size of 0 is a size like others: it fits itself and 1.
    CHECK(both({0}, {1}) == Shape{0});
    CHECK(both({2, 0}, {2, 1}) == Shape{2, 0});
    CHECK(both({0, 3}, {3}) == Shape{0, 3});
    check_error([] { broadcast({0}, {2}, "add"); }, {"add", "[0] and [2]"});

    check_error(
        [] {
            broadcast({2, 3}, {4}, "mul");
        },
        {"mul: the shapes [2, 3] and [4] do not broadcast", "dimension -1 is 3 and 4"});
    check_error([] { broadcast({2, 3}, {3, 3}, "mul"); }, {"dimension -2 is 2 and 3"});
    // Each shape is possible, the result is not.
    check_error(
        [] {
            broadcast({Index{1} << 40, 1}, {Index{1} << 40}, "add");
        },
        {"more elements than memory"});
}

TEST_CASE("shape: strides of a broadcast operand") {
    const auto strides = [](const Shape& in, const Shape& out) {
        const auto s = broadcast_strides(in, out);
        return std::vector<Index>(s.begin(), s.begin() + out.rank());
    };
    CHECK(strides({2, 3, 4}, {2, 3, 4}) == std::vector<Index>{12, 4, 1});
    CHECK(strides({3, 1}, {2, 3, 4}) == std::vector<Index>{0, 1, 0});
    CHECK(strides({4}, {2, 3, 4}) == std::vector<Index>{0, 0, 1});
    CHECK(strides({2, 1, 4}, {2, 3, 4}) == std::vector<Index>{4, 0, 1});
    CHECK(strides({}, {2, 3}) == std::vector<Index>{0, 0});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "support.h"

namespace primer {

TEST_CASE("error: fail writes its parts one after another") {
    try {
        fail("Linear(", 784, " -> ", 256, "): got ", Shape{64, 3}, ", ", 0.5, 'x');
        FAIL("fail returned");
    } catch (const Error& error) {
        CHECK(std::string(error.what()) == "Linear(784 -> 256): got [64, 3], 0.5x");
    }
}

TEST_CASE("error: check throws unless the condition holds") {
    CHECK_NOTHROW(check(true, "not thrown"));
    CHECK_THROWS_WITH_AS(check(false, "expected ", 1, ", got ", 2), "expected 1, got 2", Error);
}

namespace {

struct CountsPrints {
    mutable int prints = 0;
};

std::ostream& operator<<(std::ostream& out, const CountsPrints& x) {
    ++x.prints;
    return out;
}

}  // namespace

TEST_CASE("error: a check that holds builds no message") {
    const CountsPrints part;
    check(true, part);
    CHECK(part.prints == 0);
    CHECK_THROWS_AS(check(false, part), Error);
    CHECK(part.prints == 1);
}

TEST_CASE("error: an Error is a std::runtime_error") {
    CHECK_THROWS_AS(fail("caught by its base"), std::runtime_error);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

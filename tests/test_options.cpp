#include <primer/core/options.h>

#include <limits>

#include "support.h"

namespace primer {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

TEST_CASE("options: a number that Real can hold") {
    constexpr double largest = std::numeric_limits<Real>::max();
    for (const double value : {0.0, -1.0, largest, -largest}) {
        CHECK_NOTHROW(check_finite(value, "who", "what"));
    }
    check_error([] { check_finite(inf, "SGD", "lr"); },
                {"SGD: expected lr to be finite and at most ", " in size, got inf"});
    check_error([] { check_finite(-inf, "SGD", "lr"); }, {"SGD: expected lr", "got -inf"});
    check_error([] { check_finite(NAN, "SGD", "lr"); }, {"SGD: expected lr", "got nan"});
    if constexpr (kDouble) {
        CHECK_NOTHROW(check_finite(1e300, "SGD", "lr"));
    } else {
        check_error([] { check_finite(1e300, "SGD", "lr"); },
                    {"SGD: expected lr to be finite and at most 3.40282e+38 in size, got 1e+300"});
    }
}

TEST_CASE("options: a number of 0 or more that Real can hold") {
    CHECK_NOTHROW(check_not_negative(0, "who", "what"));
    CHECK_NOTHROW(check_not_negative(1e30, "who", "what"));
    check_error([] { check_not_negative(-0.1, "elu", "alpha"); },
                {"elu: expected alpha >= 0, got -0.1"});
    check_error([] { check_not_negative(NAN, "elu", "alpha"); },
                {"elu: expected alpha >= 0, got nan"});
    check_error([] { check_not_negative(inf, "elu", "alpha"); },
                {"elu: expected alpha to be finite", "got inf"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <cmath>
#include <limits>

#include "error.h"
#include "real.h"

// Checks of numeric options: `who` takes the option, `what` is its name.

namespace primer {

/// Throws Error for NaN, an infinity, and a number that is too large for a Real.
inline void check_finite(double value, const char* who, const char* what) {
    constexpr double largest = std::numeric_limits<Real>::max();
    check(std::abs(value) <= largest, who, ": expected ", what, " to be finite and at most ",
          largest, " in size, got ", value);
}

/// As check_finite, and throws Error for a number below 0.
inline void check_not_negative(double value, const char* who, const char* what) {
    check(value >= 0, who, ": expected ", what, " >= 0, got ", value);
    check_finite(value, who, what);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

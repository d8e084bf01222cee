#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <sstream>
#include <string>
#include <type_traits>

#include <primer/core/creation.h>
#include <primer/core/error.h>
#include <primer/core/gradcheck.h>
#include <primer/core/tensor.h>

// What the tests share.

namespace primer {

inline constexpr bool kDouble = std::is_same_v<Real, double>;

/// Whether there is but one thread, so that a test of several is skipped.
#ifdef PRIMER_WITHOUT_SYSTEM
inline constexpr bool kOneThread = true;
#else
inline constexpr bool kOneThread = false;
#endif

/// How far a result may be from one worked out by hand, relative to its size (or to 1).
inline constexpr double kTolerance = kDouble ? 1e-12 : 1e-5;

/// What << writes.
template <class T>
std::string text(const T& x) {
    std::ostringstream out;
    out << x;
    return out.str();
}

/// Checks shape and every value.
inline void check_values(const Tensor& x, const Shape& shape,
                         std::initializer_list<double> expected, double tolerance = kTolerance) {
    REQUIRE(x.defined());
    REQUIRE(x.shape() == shape);
    REQUIRE(static_cast<Index>(expected.size()) == x.numel());
    Index i = 0;
    for (double want : expected) {
        const auto got = static_cast<double>(x.data()[i]);
        CAPTURE(i);
        CAPTURE(got);
        CAPTURE(want);
        if (std::isnan(want)) {
            CHECK(std::isnan(got));
        } else if (std::isinf(want)) {
            CHECK(got == want);
        } else {
            CHECK(std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want)));
        }
        ++i;
    }
}

/// Windows writes paths with backslashes; the tests expect slashes.
inline std::string with_slashes(std::string text) {
    if (std::filesystem::path::preferred_separator != '/') std::ranges::replace(text, '\\', '/');
    return text;
}

/// Checks that `f` throws an Error whose message contains every one of `parts`.
template <class F>
void check_error(F f, std::initializer_list<const char*> parts) {
    std::string message = "(no Error was thrown)";
    try {
        f();
    } catch (const Error& error) {
        message = error.what();
    }
    for (const char* part : parts) {
        CAPTURE(std::string(part));
        CAPTURE(message);
        CHECK(with_slashes(message).find(with_slashes(part)) != std::string::npos);
    }
}

/// The folder $PRIMER_DATA/NAME with real data; if there is none, says that the test is skipped and
/// returns "". Names of such test cases begin with "real data: NAME:", so that those of a missing
/// dataset are reported as skipped, not as passed.
inline std::filesystem::path real_data(const std::string& name) {
    const char* root = std::getenv("PRIMER_DATA");
    if (root != nullptr && std::filesystem::exists(std::filesystem::path(root) / name)) {
        return std::filesystem::path(root) / name;
    }
    MESSAGE("SKIPPED: PRIMER_DATA does not name a folder with ", name, "/ in it");
    return {};
}

/// gradcheck in the double build, which throws if tape and difference quotient disagree. In the
/// float build it only runs f once.
inline void check_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                            const std::vector<Tensor>& inputs,
                            const GradcheckOptions& options = {}) {
    if constexpr (kDouble) {
        CHECK_NOTHROW(gradcheck(f, inputs, options));
    } else {
        CHECK(f(inputs).defined());
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT

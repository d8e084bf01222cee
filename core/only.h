#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include "error.h"

namespace primer {

/// What counts as a number in a call. A bool and a character do not, though C++ would convert them.
template <class T>
concept Number = std::is_arithmetic_v<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                 !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                 !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
template <class T>
concept WholeNumber = Number<T> && std::integral<T>;

/// Whether an argument of type From may be given for a To.
template <class To, class From>
concept Means = (std::same_as<To, bool> && std::same_as<From, bool>) ||
                (std::floating_point<To> && Number<From>) || (WholeNumber<To> && WholeNumber<From>);

/// A parameter of type T whose arguments C++ must not convert silently: `Only<int> dim` takes whole
/// numbers, so that sum(x, true) and max(x, 0.5) do not compile; `Only<bool>` takes a bool,
/// `Only<double>` any number but no bool. Throws Error for a whole number that T cannot hold.
template <class T>
class Only {
  public:
    /// From a number of the right kind.
    template <class From>
    requires Means<T, From>
    constexpr Only(From value) : value_(static_cast<T>(value)) {
        if constexpr (WholeNumber<T>) {
            if (!std::in_range<T>(value)) fail("a number is out of range: ", value);
        }
    }
    /// The value.
    constexpr operator T() const { return value_; }

  private:
    T value_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

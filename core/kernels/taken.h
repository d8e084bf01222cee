#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "pool.h"

// The number of the cell that each output of max pooling has taken: the forward writes it, the
// backward reads it.

namespace primer::kernels {

inline constexpr Real kMinusInfinity = -std::numeric_limits<Real>::infinity();

// A window's cells are numbered row by row. The largest number means none.
using Byte = std::uint8_t;
template <class Number>
inline constexpr auto kNone = std::numeric_limits<Number>::max();

inline bool fits_byte(const MaxPoolSizes& s) { return s.h.kernel * s.w.kernel <= kNone<Byte>; }

// Calls f with `taken` as its true type: numbers of one byte or of four.
template <class F>
void with_numbers(const MaxPoolSizes& s, void* taken, const F& f) {
    fits_byte(s) ? f(static_cast<Byte*>(taken)) : f(static_cast<std::int32_t*>(taken));
}
template <class F>
void with_numbers(const MaxPoolSizes& s, const void* taken, const F& f) {
    fits_byte(s) ? f(static_cast<const Byte*>(taken)) : f(static_cast<const std::int32_t*>(taken));
}

// Whether x replaces the best so far. none_yet is for a first value of -infinity.
inline bool better(Real x, Real best, bool none_yet) {
    return x > best || std::isnan(x) || none_yet;
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include <initializer_list>
#include <ostream>
#include <string>

#include "error.h"
#include "only.h"
#include "shape.h"

namespace primer {

/// A height and a width: of a kernel, a stride, a padding. One number stands for both, so options
/// read {.kernel_size = 3, .padding = {1, 2}}.
struct Size2 {
    Index h, w;  ///< height and width

    /// Whole numbers only: neither true nor 2.5 is a size.
    template <WholeNumber T>
    constexpr Size2(T both) : Size2(Only<Index>(both), Only<Index>(both)) {}
    constexpr Size2(Only<Index> height, Only<Index> width) : h(height), w(width) {}

    friend bool operator==(const Size2&, const Size2&) = default;
};

/// A kernel {height, width}, for calls that take options in braces, too. Its numbers are of one
/// type: so {.kernel_size = 3} is never taken for it. Throws Error, naming `who`, unless there are
/// two.
template <WholeNumber T>
Size2 kernel_size_of(std::initializer_list<T> sizes, const char* who) {
    check(
        sizes.size() == 2, who, ": expected a kernel {height, width}, got ", sizes.size(),
        " numbers in braces; options in braces need their names, {.kernel_size = 3, .stride = 2}");
    return {sizes.begin()[0], sizes.begin()[1]};
}

/// "3x5", height first.
inline std::ostream& operator<<(std::ostream& out, Size2 size) {
    return out << std::to_string(size.h) + 'x' + std::to_string(size.w);
}

/// The largest height or width, so that no sum or product in the arithmetic of windows can
/// overflow.
inline constexpr Index kMaxSize = (Index{1} << 31) - 1;

/// Throws Error, naming `who` and `what`, unless height and width are both `least` or more, and no
/// more than kMaxSize.
template <class Who>
void check_at_least(Index least, Size2 size, const Who& who, const char* what) {
    check(size.h >= least && size.w >= least, who, ": expected a ", what, " of at least ", least,
          " either way, got ", size);
    check(size.h <= kMaxSize && size.w <= kMaxSize, who, ": expected a ", what, " of at most ",
          kMaxSize, " either way, got ", size);
}

/// Throws Error, naming `who`, unless a window of these sizes can slide over an image.
template <class Who>
void check_window(const Who& who, Size2 kernel, Size2 stride, Size2 padding, Size2 dilation) {
    check_at_least(1, kernel, who, "kernel");
    check_at_least(1, stride, who, "stride");
    check_at_least(0, padding, who, "padding");
    check_at_least(1, dilation, who, "dilation");
}

}  // namespace primer
// SPDX-License-Identifier: MIT

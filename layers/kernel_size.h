#pragma once

#include <initializer_list>

#include "../core/size2.h"

namespace primer {

/// A kernel {height, width}, for constructors that take options, too. Its numbers are of one type:
/// so {.kernel_size = 3} is never taken for it. Throws Error, naming `who`, unless there are two.
template <WholeNumber T>
Size2 kernel_size_of(std::initializer_list<T> sizes, const char* who) {
    check(
        sizes.size() == 2, who, ": expected a kernel {height, width}, got ", sizes.size(),
        " numbers in braces; options in braces need their names, {.kernel_size = 3, .stride = 2}");
    return {sizes.begin()[0], sizes.begin()[1]};
}

}  // namespace primer
// SPDX-License-Identifier: MIT

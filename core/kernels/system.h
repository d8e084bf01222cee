#pragma once

#include <cstddef>

// What the kernels ask of the operating system, beside what C++ has: system.cpp, or system_none.cpp
// in a build without PRIMER_SYSTEM.

namespace primer {

/// The number of this process. 0 where there is only one.
long process_number();

/// Calls `before` just before every fork() of this program, then `parent` and `child` in the two
/// processes. Does nothing where there is no fork(). Returns 0, so that it can initialise a static
/// object, before main.
int around_fork(void (*before)(), void (*parent)(), void (*child)());

/// How many processors this process may use by its affinity mask; 0: unknown.
int processors_of_mask();

/// Asks for pages of `page` bytes, a power of two, for the memory [begin, begin + bytes), which
/// begins at such a page. A hint.
void prefer_large_pages(void* begin, std::size_t bytes, std::size_t page);

}  // namespace primer
// SPDX-License-Identifier: MIT

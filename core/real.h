#pragma once

// What a program must have in common with the library that it links. Otherwise it could compile and
// give wrong numbers, so the compiler or the linker refuses it.
#if __cplusplus < 202002L
#error "Primer needs C++20: compile with -std=c++20 or newer"
#endif
#ifndef __cpp_exceptions
#error "Primer reports misuse with exceptions: compile without -fno-exceptions"
#endif
#ifndef __cpp_rtti
#error "Primer asks modules for their class: compile without -fno-rtti"
#endif

namespace primer {

/// The number that every tensor holds. PRIMER_REAL_DOUBLE is not for users to define: it comes with
/// the CMake target primer::primer_double, a second build of the library in which gradients can be
/// checked, because float has too few digits for that.
#ifdef PRIMER_REAL_DOUBLE
using Real = double;
#else
using Real = float;
#endif

/// The version of the library that the program runs with, as in "0.1.0". Within one minor version
/// (0.1) a program need not be compiled anew.
const char* version();

// The linker holds a program to one build of the library, because each source file that includes
// this header refers to a name that only the right build defines. "undefined reference to
// link_the_build_of_primer_with<double, ...>" means: link primer::primer_double, or do not define
// PRIMER_REAL_DOUBLE. With CheckedContainers it means: the library, too, must be compiled with
// _GLIBCXX_DEBUG, which changes the size of std::vector; with PlainContainers, neither must be.
/// @cond
struct PlainContainers;
struct CheckedContainers;
#ifdef _GLIBCXX_DEBUG
using Containers = CheckedContainers;
#else
using Containers = PlainContainers;
#endif
template <class Real, class Containers>
void link_the_build_of_primer_with();

// A pointer rather than a call, so that nothing is run; the attributes keep it, although nobody
// reads it, through optimisation and through the linker's --gc-sections.
#if __has_cpp_attribute(gnu::retain)
[[gnu::retain]]
#endif
[[maybe_unused, gnu::used]] static void (*const kLinkedBuild)() =
    &link_the_build_of_primer_with<Real, Containers>;
/// @endcond

}  // namespace primer
// SPDX-License-Identifier: MIT

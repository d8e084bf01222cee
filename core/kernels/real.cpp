#include "../real.h"

#include <cstdio>
#include <cstdlib>

namespace primer {

template <class R, class C>
void link_the_build_of_primer_with() {}

template void link_the_build_of_primer_with<Real, Containers>();

// CMakeLists.txt and the launcher read the version here.
const char* version() { return "0.1.0"; }

// Both builds of the library define this variable, so the linker refuses a program that links both:
// their functions have the same names.
extern const volatile int a_program_links_one_build_of_primer;
const volatile int a_program_links_one_build_of_primer = sizeof(Real);

namespace {

// The linker does not object if two shared libraries each bring a build. Then the variable of one
// build stands for both, and so do its functions.
const bool kOneBuild = [] {
    if (a_program_links_one_build_of_primer == sizeof(Real)) return true;
    std::fputs(
        "primer: this program has loaded both primer::primer and primer::primer_double; "
        "link all its libraries with one of them\n",
        stderr);
    std::abort();
}();

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include "../real.h"

#include <cstdio>
#include <cstdlib>

namespace primer {

template <class R, class C>
void link_the_build_of_primer_with() {}

template void link_the_build_of_primer_with<Real, Containers>();

// Both builds of the library define it, so the linker refuses a program that needs both: their
// functions have the same names.
extern const volatile int a_program_links_one_build_of_primer;
const volatile int a_program_links_one_build_of_primer = sizeof(Real);

namespace {

// Shared libraries may each bring a build of their own, to which the linker does not object. The
// variable of one of them then stands for both, as do its functions.
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

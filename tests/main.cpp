#include <cfloat>  // doctest 2.4.9 uses DBL_EPSILON without it, which newer libc++ does not forgive

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
// SPDX-License-Identifier: MIT

#pragma once

// doctest takes it for granted that programs for WASI have no exceptions. Primer's have, so this
// header, which is found first, lets doctest take WASI for just any system. What doctest includes
// is included here, where the C library is still told the truth.

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <climits>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#define DOCTEST_BREAK_INTO_DEBUGGER() static_cast<void>(0)
#pragma clang diagnostic ignored "-Wc2y-extensions"  // in its macros, which use __COUNTER__

#undef __wasi__
#include_next <doctest/doctest.h>
#define __wasi__ 1
// SPDX-License-Identifier: MIT

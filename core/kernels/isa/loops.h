#pragma once

#include <cstdint>

#include "../../real.h"

// Loops over elements, for the files that are compiled once for each instruction set (table.h).
// Everything has internal linkage, so each file has its own copy.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

// y = f(x). Compilers vectorise the loop if x and y do not overlap or are accessed through one
// pointer.
template <class F>
void unary(std::int64_t n, const Real* x, Real* y, F f) {
    if (x == y) {
        for (std::int64_t i = 0; i < n; ++i) y[i] = f(y[i]);
    } else {
        for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
    }
}

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT

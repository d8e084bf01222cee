#pragma once

#include <cstdint>

#include "../../real.h"

// A register of Reals, for the loops that we vectorise by hand. Everything has internal linkage:
// each file has its own copy, compiled for its own instruction set.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
constexpr int kLanes = kBytes / static_cast<int>(sizeof(Real));

using Vector [[gnu::vector_size(kBytes)]] = Real;

// Memory need not be aligned to a register's size. Each compiles to one instruction.
inline Vector load(const Real* from) {
    Vector v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
inline void store(const Vector& v, Real* to) { __builtin_memcpy(to, &v, sizeof v); }

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL

#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// Elements for which random numbers are drawn at a time.
inline constexpr std::int64_t kDropoutBlock = 256;

/// The loops of dropout, at one instruction set, with the bits the same at all of them: dropout and
/// dropout_backward of core/kernels/dropout.h, for n elements of which the one with number `first`
/// is the first of a block.
struct DropoutKernels {
    using Index = std::int64_t;
    void (*forward)(Index first, Index n, std::uint64_t seed, std::uint32_t limit, Real scale,
                    const Real* x, Real* y, std::uint8_t* kept);
    void (*backward)(Index n, Real scale, const std::uint8_t* kept, const Real* dy, Real* dx);
};

namespace baseline {
DropoutKernels dropout_kernels();
}
namespace avx2 {
DropoutKernels dropout_kernels();
}
namespace avx512 {
DropoutKernels dropout_kernels();
}

}  // namespace primer::kernels

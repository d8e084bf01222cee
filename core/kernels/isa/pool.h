#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// Windows of 2x2 cells side by side, out_h rows of out_w, over each plane of in_h rows of in_w:
/// what in_h and in_w have beyond twice as many is in no window.
struct PoolBy2 {
    std::int64_t planes, in_h, in_w, out_h, out_w;
};

/// The loops of pooling, at one instruction set.
struct PoolKernels {
    /// max_pool2d of core/kernels/pool.h, for such windows.
    void (*max_by_2)(const PoolBy2& sizes, const Real* x, Real* y, std::uint8_t* taken);
    /// All of dx.
    void (*max_by_2_backward)(const PoolBy2& sizes, const std::uint8_t* taken, const Real* dy,
                              Real* dx);
};

namespace baseline {
PoolKernels pool_kernels();
}
namespace avx2 {
PoolKernels pool_kernels();
}
namespace avx512 {
PoolKernels pool_kernels();
}

}  // namespace primer::kernels

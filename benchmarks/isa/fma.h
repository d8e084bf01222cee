#pragma once

#include <cstdint>

namespace primer::benchmarks {

/// The processor's arithmetic at one instruction set, without waiting: enough independent chains x
/// = x a + b, in registers, that a new operation can begin while the others are under way.
struct FmaChains {
    std::int64_t flops_per_round;  ///< a round is one step of every chain
    /// Returns the sum of all chains, so that the compiler has to compute them.
    float (*run)(std::int64_t rounds, float a, float b);
};

namespace baseline {
FmaChains fma_chains();
}
namespace avx2 {
FmaChains fma_chains();
}
namespace avx512 {
FmaChains fma_chains();
}

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

#include <array>
#include <cstdint>

#include "primer/core/error.h"
#include "primer/core/kernels/parallel.h"
#include "primer/core/ops.h"

namespace primer {
namespace {

// 0 with probability p, else 1 / (1 - p). Each chunk has a generator of its own, so that the mask
// is the same for any number of threads.
Tensor random_mask(const Shape& shape, double p, Rng& rng) {
    Tensor mask = empty(shape);
    Real* out = mask.mutable_data();
    // Looked up rather than chosen with a branch, which the processor would often guess wrong.
    const std::array<Real, 2> dropped_or_kept{0, static_cast<Real>(p < 1 ? 1 / (1 - p) : 0)};
    const auto limit = static_cast<std::uint64_t>(p * 0x1p32);
    const std::uint64_t seed = rng.next();
    constexpr Index grain = 4096;
    parallel_for(mask.numel(), grain, [&](Index begin, Index end) {
        Rng own(seed + static_cast<std::uint64_t>(begin / grain));
        std::uint64_t bits = 0;
        for (Index i = begin; i < end; ++i) {
            bits = i % 2 == 0 ? own.next() : bits >> 32;  // each number is good for two elements
            out[i] = dropped_or_kept[(bits & 0xffffffff) >= limit];
        }
    });
    return mask;
}

void check_probability(const char* op, double p) {
    check(p >= 0 && p <= 1, op, ": expected a probability p from 0 to 1, got ", p);
}

}  // namespace

// y = x mask, so dx = dy mask: mul's own backward, which keeps the mask and nothing else.
Tensor dropout(const Tensor& x, double p, Rng& rng) {
    check_probability("dropout", p);
    return p == 0 ? x : mul(x, random_mask(x.shape(), p, rng));
}

Tensor dropout2d(const Tensor& x, double p, Rng& rng) {
    check_probability("dropout2d", p);
    check(x.rank() == 4, "dropout2d: expected x [N, C, H, W], got ", x.shape());
    return p == 0 ? x : mul(x, random_mask({x.shape()[0], x.shape()[1], 1, 1}, p, rng));
}

}  // namespace primer

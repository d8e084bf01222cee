#include "synthetic.h"

#include <utility>
#include <vector>

#include "../core/error.h"
#include "../core/kernels/parallel.h"

namespace primer::synthetic {

double uniform(Rng& rng, double low, double high) {
    return low + (high - low) * (static_cast<double>(rng.next() >> 11) * 0x1p-53);
}

double around_zero(Rng& rng, double most) {
    const double a = uniform(rng, 0, most);
    return a - uniform(rng, 0, most);
}

Angle angle(double t) { return {(1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)}; }

ImageDataset pictures(const char* who, Index count, std::uint64_t seed, const Shape& shape,
                      const Draw& draw) {
    check(count >= 1, who, ": expected a count of 1 or more, got ", count);
    const auto size = static_cast<std::size_t>(shape.numel());
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(Shape{count}.concat(shape).numel()));
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(count));

    // Not seed + i itself, because then the pictures of seed 1 would be those of seed 0, shifted by
    // one.
    const std::uint64_t base = Rng(seed).next();
    parallel_for(count, 64, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            Rng rng(base + static_cast<std::uint64_t>(i));
            const auto at = static_cast<std::size_t>(i), label = at % 10;
            draw(label, rng, std::span(pixels).subspan(at * size, size));
            labels[at] = static_cast<std::uint8_t>(label);
        }
    });
    return ImageDataset(shape, 10, std::move(pixels), std::move(labels));
}

}  // namespace primer::synthetic
// SPDX-License-Identifier: MIT

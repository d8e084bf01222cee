#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "../core/rng.h"
#include "dataset.h"

// Shared by the datasets that this library draws itself. They use only exactly rounded operations
// (no sine, no logarithm), so that the pictures have the same bytes on every machine.

namespace primer::synthetic {

/// Uniform from low to high. (Rng's own uniform() has fewer bits where Real is float, but pictures
/// must not depend on Real.)
double uniform(Rng& rng, double low, double high);
/// Between -most and most; values near 0 are more likely.
double around_zero(Rng& rng, double most);

/// A cosine and its sine.
struct Angle {
    double cosine, sine;
};
/// The angle 2 atan(t), without a cosine: (1 - t^2, 2 t) / (1 + t^2).
Angle angle(double t);

/// Draws one picture of class `label`.
using Draw = std::function<void(std::size_t label, Rng& rng, std::span<std::uint8_t> pixels)>;

/// `count` pictures of the ten classes in turn. Picture i comes from a generator that depends only
/// on `seed` and i. Throws Error, naming `who`, unless count >= 1.
ImageDataset pictures(const char* who, Index count, std::uint64_t seed, const Shape& shape,
                      const Draw& draw);

}  // namespace primer::synthetic
// SPDX-License-Identifier: MIT

#pragma once

#include <array>
#include <cstdint>

#include "../core/only.h"
#include "dataset.h"

namespace primer {

/// The classes of synthetic_shapes: seven figures, and three patterns that fill the picture.
inline constexpr std::array<const char*, 10> kShapeClasses{
    "disc", "square", "triangle", "cross", "ring", "star", "crescent", "stripes", "checks", "dots"};

/// Coloured shapes and patterns, drawn by this library in place of CIFAR, in the same form: [3, 32,
/// 32] bytes, red, green, blue, in ten classes. Place, size, proportions, angle, both colours,
/// their blotches and noise are random. Colour is independent of the class, so only the form
/// matters, and a linear model learns next to nothing, a convolutional network nearly everything.
///
/// Example i has the label i % 10 and depends only on `seed` and i. So a longer set begins with the
/// examples of a shorter one; sets of two seeds have nothing in common. All operations are exactly
/// rounded, so the bytes are the same on every machine with IEEE double arithmetic.
///
/// Throws Error unless count >= 1.
ImageDataset synthetic_shapes(Only<Index> count, Only<std::uint64_t> seed);

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <array>
#include <cstdint>

#include "../core/only.h"
#include "dataset.h"

namespace primer {

/// What synthetic_shapes' labels mean: seven figures, and three patterns that fill the picture.
inline constexpr std::array<const char*, 10> kShapeClasses{
    "disc", "square", "triangle", "cross", "ring", "star", "crescent", "stripes", "checks", "dots"};

/// Coloured shapes and patterns that this library draws itself, for when there is no CIFAR at hand:
/// of the same form, [3, 32, 32] bytes, red, green, blue, in ten classes. Place, size, proportions,
/// angle, both colours, blotches in them and noise are up to chance. No colour goes with a class:
/// only the form tells, so a linear model learns next to nothing and a convolutional network nearly
/// everything.
///
/// Example i has the label i % 10 and depends on `seed` and i alone, so a longer set begins with
/// the shorter one's examples; sets of two seeds have nothing in common. Only exactly rounded
/// operations are used: the bytes are the same on every machine with IEEE double arithmetic.
///
/// Throws Error unless count >= 1.
ImageDataset synthetic_shapes(Only<Index> count, Only<std::uint64_t> seed);

}  // namespace primer

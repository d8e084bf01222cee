#pragma once

#include <cstdint>

#include "../core/only.h"
#include "dataset.h"

namespace primer {

/// The options of synthetic_digits.
struct SyntheticDigitsOptions {
    Index side = 28;    ///< height and width in pixels; the strokes grow with it
    double noise = 40;  ///< the largest random change of a byte
};

/// Digits that look handwritten, drawn by this library in place of MNIST, in the same form: [1, 28,
/// 28] bytes, white on black, in ten classes. Each follows one of the ways in which people write
/// the digit, a little bent, slanted, turned, scaled and moved, with a random pen width and some
/// noise.
///
/// Example i has the label i % 10 and depends only on `seed` and i. So a longer set begins with the
/// examples of a shorter one; sets of two seeds have nothing in common. All operations are exactly
/// rounded, so the bytes are the same on every machine with IEEE double arithmetic.
///
/// Throws Error unless count >= 1, 8 <= side <= 4096 and 0 <= noise <= 255.
ImageDataset synthetic_digits(Only<Index> count, Only<std::uint64_t> seed,
                              const SyntheticDigitsOptions& options = {});

}  // namespace primer
// SPDX-License-Identifier: MIT

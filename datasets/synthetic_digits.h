#pragma once

#include <cstdint>

#include "../core/only.h"
#include "dataset.h"

namespace primer {

struct SyntheticDigitsOptions {
    Index side = 28;    ///< height and width in pixels; the strokes grow with it
    double noise = 40;  ///< the most that chance adds to a byte or takes from it
};

/// Digits that look handwritten and that this library draws itself, for when there is no MNIST at
/// hand: of the same form, [1, 28, 28] bytes, white on black, in ten classes. Each is one of the
/// ways in which people write the digit, as a pen might have gone: bent, slanted, turned, scaled
/// and moved a little, with a pen of its own width and some noise.
///
/// Example i has the label i % 10 and depends on `seed` and i alone, so a longer set begins with
/// the shorter one's examples; sets of two seeds have nothing in common. Only exactly rounded
/// operations are used: the bytes are the same on every machine with IEEE double arithmetic.
///
/// Throws Error unless count >= 1, 8 <= side <= 4096 and 0 <= noise <= 255.
ImageDataset synthetic_digits(Only<Index> count, Only<std::uint64_t> seed,
                              const SyntheticDigitsOptions& options = {});

}  // namespace primer

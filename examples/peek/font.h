#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <primer/core/io/image.h>

namespace primer::examples {

/// Width and height of a letter in dots, and the distance from one letter to the next.
inline constexpr Index kLetterWidth = 3, kLetterHeight = 5, kLetterStep = 4;

/// Writes the text into a picture of 3 channels, its upper left corner at (x, y), each dot as `dot`
/// x `dot` pixels. The font has letters, all drawn as capitals, digits and "-.:/%"; anything else
/// is a gap. Text beyond the picture's edge is cut off.
void write_text(Image& image, Index x, Index y, std::string_view text, Index dot,
                const std::array<std::uint8_t, 3>& colour);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

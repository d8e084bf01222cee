#include "font.h"

namespace primer::examples {
namespace {

struct Glyph {
    char letter;
    const char* dots;  // 5 rows of 3
};

// clang-format off
constexpr Glyph kGlyphs[] = {
    {'A', ".#." "#.#" "###" "#.#" "#.#"}, {'B', "##." "#.#" "##." "#.#" "##."},
    {'C', ".##" "#.." "#.." "#.." ".##"}, {'D', "##." "#.#" "#.#" "#.#" "##."},
    {'E', "###" "#.." "##." "#.." "###"}, {'F', "###" "#.." "##." "#.." "#.."},
    {'G', ".##" "#.." "#.#" "#.#" ".##"}, {'H', "#.#" "#.#" "###" "#.#" "#.#"},
    {'I', "###" ".#." ".#." ".#." "###"}, {'J', "..#" "..#" "..#" "#.#" ".#."},
    {'K', "#.#" "#.#" "##." "#.#" "#.#"}, {'L', "#.." "#.." "#.." "#.." "###"},
    {'M', "#.#" "###" "###" "#.#" "#.#"}, {'N', "##." "#.#" "#.#" "#.#" "#.#"},
    {'O', ".#." "#.#" "#.#" "#.#" ".#."}, {'P', "##." "#.#" "##." "#.." "#.."},
    {'Q', ".#." "#.#" "#.#" "###" ".##"}, {'R', "##." "#.#" "##." "#.#" "#.#"},
    {'S', ".##" "#.." ".#." "..#" "##."}, {'T', "###" ".#." ".#." ".#." ".#."},
    {'U', "#.#" "#.#" "#.#" "#.#" "###"}, {'V', "#.#" "#.#" "#.#" "#.#" ".#."},
    {'W', "#.#" "#.#" "###" "###" "#.#"}, {'X', "#.#" "#.#" ".#." "#.#" "#.#"},
    {'Y', "#.#" "#.#" ".#." ".#." ".#."}, {'Z', "###" "..#" ".#." "#.." "###"},
    {'0', "###" "#.#" "#.#" "#.#" "###"}, {'1', ".#." "##." ".#." ".#." "###"},
    {'2', "##." "..#" ".#." "#.." "###"}, {'3', "##." "..#" ".#." "..#" "##."},
    {'4', "#.#" "#.#" "###" "..#" "..#"}, {'5', "###" "#.." "##." "..#" "##."},
    {'6', ".##" "#.." "###" "#.#" "###"}, {'7', "###" "..#" ".#." ".#." ".#."},
    {'8', "###" "#.#" "###" "#.#" "###"}, {'9', "###" "#.#" "###" "..#" "##."},
    {'-', "..." "..." "###" "..." "..."}, {'.', "..." "..." "..." "..." ".#."},
    {':', "..." ".#." "..." ".#." "..."}, {'/', "..#" "..#" ".#." "#.." "#.."},
    {'%', "#.#" "..#" ".#." "#.." "#.#"},
};
// clang-format on

const char* dots_of(char letter) {
    const char capital =
        letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    for (const Glyph& glyph : kGlyphs) {
        if (glyph.letter == capital) return glyph.dots;
    }
    return "...............";
}

void fill(Image& image, Index left, Index top, Index side,
          const std::array<std::uint8_t, 3>& colour) {
    for (Index y = top; y < top + side && y < image.height; ++y) {
        for (Index x = left; x < left + side && x < image.width; ++x) {
            for (Index c = 0; c < 3; ++c) image.at(x, y, c) = colour[static_cast<std::size_t>(c)];
        }
    }
}

}  // namespace

void write_text(Image& image, Index x, Index y, std::string_view text, Index dot,
                const std::array<std::uint8_t, 3>& colour) {
    for (char letter : text) {
        const char* const dots = dots_of(letter);
        for (Index i = 0; i < kLetterWidth * kLetterHeight; ++i) {
            if (dots[i] != '#') continue;
            fill(image, x + i % kLetterWidth * dot, y + i / kLetterWidth * dot, dot, colour);
        }
        x += kLetterStep * dot;
    }
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

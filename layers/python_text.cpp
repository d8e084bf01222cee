#include "python_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace primer {

std::string python_float(double value) {
    const double size = std::abs(value);
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    std::array<char, 32> text{};
    char* const begin = text.data();
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const std::string number(begin, std::to_chars(begin, begin + text.size(), value, format).ptr);
    return plain && number.find('.') == std::string::npos ? number + ".0" : number;
}

std::string python_bool(bool value) { return value ? "True" : "False"; }

std::string python_tuple(Size2 size) {
    return '(' + std::to_string(size.h) + ", " + std::to_string(size.w) + ')';
}

std::string python_tuple(std::span<const Index> sizes) {
    std::string text = "(";
    for (const Index size : sizes) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + (sizes.size() == 1 ? ",)" : ")");
}

std::string python_number_or_tuple(Size2 size) {
    return size.h == size.w ? std::to_string(size.h) : python_tuple(size);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

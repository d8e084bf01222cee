#include "html.h"

#include <array>
#include <cmath>
#include <cstdio>

#include <primer/core/text.h>

namespace primer::examples {
namespace {

constexpr const char* kDash = "–";
constexpr const char* kThinSpace = "\u202f";  // no line is broken there
constexpr const char* kReplacement = "\ufffd";

template <class... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view group = bytes.substr(i, 3);
        unsigned bits = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text += k <= group.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    return text;
}

}  // namespace

std::string escape(std::string_view text) {
    std::string html;
    html.reserve(text.size());
    while (!text.empty()) {
        const Utf8 next = decode_utf8(text);
        const char c = text[0];
        const std::size_t length = next.length == 0 ? 1 : next.length;
        const bool kept = c == '\n' || c == '\t';
        if (next.length == 0 || (is_control(next.code) && !kept)) {
            html += kReplacement;
        } else if (c == '&') {
            html += "&amp;";
        } else if (c == '<') {
            html += "&lt;";
        } else if (c == '>') {
            html += "&gt;";
        } else if (c == '"') {
            html += "&quot;";
        } else {
            html += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return html;
}

std::string number(double value) {
    if (std::isnan(value)) return kDash;
    if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
    const double size = std::abs(value);
    if (size >= 1000 && size < 1e15) {
        return (value < 0 ? "−" : "") + count(static_cast<Index>(std::llround(size)));
    }
    if (size != 0 && (size < 1e-4 || size >= 1e15)) return formatted("%.2e", value);
    const int whole_digits = size < 1 ? 0 : static_cast<int>(std::floor(std::log10(size))) + 1;
    return formatted("%.*f", size >= 0.1 || size == 0 ? std::max(0, 3 - whole_digits) : 4, value);
}

std::string short_number(double value) {
    std::string text = number(value);
    if (text.find('.') == text.npos || text.find('e') != text.npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string percent(double share) {
    if (!std::isfinite(share) || std::abs(share) > 1e6) return kDash;
    return formatted("%.2f", 100 * share) + kThinSpace + "%";
}

std::string count(Index value) {
    if (value < 0) return kDash;
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, kThinSpace);
    return digits;
}

std::string duration(double seconds) {
    if (!(seconds >= 0 && seconds < 1e12)) return kDash;
    const std::string gap = kThinSpace;
    if (seconds < 10) return formatted("%.1f", seconds) + gap + "s";
    const auto whole = static_cast<Index>(std::llround(seconds));
    const Index hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours > 0) {
        return count(hours) + gap + "h " + std::to_string(minutes) + gap + "min";
    }
    const std::string rest = std::to_string(whole % 60) + gap + "s";
    return minutes == 0 ? rest : std::to_string(minutes) + gap + "min " + rest;
}

std::string image(const PngPicture& picture, std::string_view alt, Index width) {
    const Index shown = width > 0 ? width : picture.width;
    const Index height = std::max<Index>(1, shown * picture.height / picture.width);
    return "<img src=\"data:image/png;base64," + base64(picture.bytes) + "\" width=\"" +
           std::to_string(shown) + "\" height=\"" + std::to_string(height) + "\" alt=\"" +
           escape(alt) + "\">";
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

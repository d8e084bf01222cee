#pragma once

#include <cstddef>
#include <locale>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

// Text that does not depend on the environment: numbers that are the same under every locale, and
// characters that a terminal shows rather than obeys.

namespace primer {

/// A std::ostringstream that writes numbers as C++ source does, 1234.5, whatever the program's
/// global locale says, because a file or a message must not read "1.234,5" in Germany. Primer makes
/// all text with it.
class TextStream : public std::ostringstream {
  public:
    TextStream() { imbue(std::locale::classic()); }
};

/// The number that the whole `text` spells, such as "1.5" or "-2e3", whatever the locale; nullopt
/// if it is anything else, too large, or not finite. (std::from_chars does not read a double
/// everywhere.)
inline std::optional<double> read_number(std::string_view text) {
    if (text.empty() || text.find_first_not_of("+-.0123456789eE") != text.npos) return {};
    std::istringstream stream{std::string(text)};
    stream.imbue(std::locale::classic());
    double value = 0;
    if (!(stream >> value) || stream.peek() != std::istringstream::traits_type::eof()) return {};
    return value;
}

/// The character that `text`, which is not empty, begins with.
struct Utf8 {
    std::size_t length = 0;  ///< in bytes; 0 if no UTF-8 sequence begins here
    char32_t code = 0;
};

/// Decodes one character. An encoding longer than needed is not UTF-8, and neither is a surrogate;
/// otherwise one name could be written in two ways.
inline Utf8 decode_utf8(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return {1, lead};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc0 || lead >= 0xf8 || text.size() < length) return {};
    char32_t code = lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c & 0xc0) != 0x80) return {};
        code = code << 6 | (c & 0x3f);
    }
    constexpr char32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    const bool valid = code >= shortest[length] && code <= 0x10ffff && !surrogate;
    return valid ? Utf8{length, code} : Utf8{};
}

/// Whether all of `text` is UTF-8.
inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = decode_utf8(text).length;
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// Whether a terminal obeys the character instead of showing it: C0 and C1 controls (U+001B and
/// U+009B begin commands), and what reorders or breaks the line around it.
inline bool is_control(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/// Appends `text` with every control character, and every byte that is not UTF-8, as an escape:
/// \x1b, \u009b. Those in `kept`, and those that begin a character in `slashed`, are appended as
/// they are, the latter after a '\'.
inline void append_printable(std::string& out, std::string_view text, std::string_view kept = "",
                             std::string_view slashed = "") {
    constexpr const char* digits = "0123456789abcdef";
    while (!text.empty()) {
        const Utf8 next = decode_utf8(text);
        const std::size_t length = next.length == 0 ? 1 : next.length;
        const auto byte = static_cast<unsigned char>(text[0]);
        if (next.length > 0 && (!is_control(next.code) || kept.find(text[0]) != kept.npos)) {
            if (slashed.find(text[0]) != slashed.npos) out += '\\';
            out += text.substr(0, length);
        } else if (length == 1) {
            out += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
        } else {
            out += "\\u";
            for (int shift = 12; shift >= 0; shift -= 4) out += digits[next.code >> shift & 15];
        }
        text.remove_prefix(length);
    }
}

/// `text` in one line that is safe to print on a terminal, whatever file or folder it comes from.
inline std::string printable(std::string_view text) {
    std::string out;
    append_printable(out, text);
    return out;
}

/// The same for a text that may have several lines.
inline std::string printable_lines(std::string_view text) {
    std::string out;
    append_printable(out, text, "\n\t");
    return out;
}

/// `text` in quotes, for a message: in one line, whatever it holds, and cut short if it is long.
inline std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string out = "\"";
    while (!text.empty()) {
        if (out.size() > longest) return out + "...\"";
        const std::size_t length = decode_utf8(text).length;
        append_printable(out, text.substr(0, length == 0 ? 1 : length), "", "\"\\");
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out + "\"";
}

}  // namespace primer
// SPDX-License-Identifier: MIT

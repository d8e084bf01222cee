#include "json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "../error.h"

namespace primer {
namespace {

constexpr std::string_view kWhitespace = " \t\n\r";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// How a byte that was not expected is shown.
std::string shown(char c) {
    const auto code = static_cast<unsigned char>(c);
    if (code > 0x20 && code < 0x7f) return std::string("'") + c + "'";
    constexpr const char* digits = "0123456789abcdef";
    return std::string("the byte 0x") + digits[code / 16] + digits[code % 16];
}

void append_utf8(std::string& text, char32_t code) {
    const auto tail = [&](int shift) {
        text += static_cast<char>(0x80 | ((code >> shift) & 0x3f));
    };
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xc0 | (code >> 6));
        tail(0);
    } else if (code < 0x10000) {
        text += static_cast<char>(0xe0 | (code >> 12));
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xf0 | (code >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

}  // namespace

void JsonReader::check_here(bool ok, std::string_view expected) const {
    if (ok) return;
    fail(source_, ": byte ", first_ + static_cast<Index>(at_), ": expected ", expected, ", got ",
         at_ < text_.size() ? shown(text_[at_]) : "the end");
}

bool JsonReader::is_at(std::string_view chars) const {
    return at_ < text_.size() && chars.find(text_[at_]) != chars.npos;
}

void JsonReader::skip_whitespace() {
    while (is_at(kWhitespace)) ++at_;
}

bool JsonReader::take(char c) {
    skip_whitespace();
    const bool found = at_ < text_.size() && text_[at_] == c;
    if (found) ++at_;
    return found;
}

void JsonReader::expect(char c) {
    if (!take(c)) check_here(false, shown(c));
}

void JsonReader::nested(char open, char close, const std::function<void()>& element) {
    constexpr int kDeepest = 64;
    expect(open);
    check_here(++depth_ <= kDeepest, "at most 64 objects and arrays within one another");
    if (!take(close)) {
        do {
            element();
        } while (take(','));
        check_here(take(close), close == '}' ? "',' or '}'" : "',' or ']'");
    }
    --depth_;
}

void JsonReader::object(const std::function<void(const std::string&)>& member) {
    std::set<std::string> keys;
    nested('{', '}', [&] {
        const std::string key = string();
        if (!keys.insert(key).second) {
            fail(source_, ": byte ", first_ + static_cast<Index>(at_),
                 ": expected every name once, got ", in_quotes(key), " again");
        }
        expect(':');
        member(key);
    });
}

void JsonReader::array(const std::function<void()>& element) { nested('[', ']', element); }

std::string JsonReader::string() {
    expect('"');
    std::string text;
    for (;;) {
        check_here(at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x20,
                   "the rest of a text in quotes");
        if (text_[at_] == '"') break;
        if (text_[at_] == '\\') {
            append_utf8(text, escape());
            continue;
        }
        const std::size_t length = decode_utf8(text_.substr(at_)).length;
        check_here(length > 0, "UTF-8");
        text += text_.substr(at_, length);
        at_ += length;
    }
    ++at_;
    return text;
}

// \n and the like; \u00e9; or two of these, a surrogate pair, for a code beyond 16 bits.
char32_t JsonReader::escape() {
    constexpr std::string_view letters = "\"\\/bfnrt", codes = "\"\\/\b\f\n\r\t";
    ++at_;
    const std::size_t letter = at_ < text_.size() ? letters.find(text_[at_]) : letters.npos;
    if (letter != letters.npos) {
        ++at_;
        return static_cast<char32_t>(codes[letter]);
    }
    check_here(at_ < text_.size() && text_[at_] == 'u', "one of \"\\/bfnrtu after a '\\'");
    const char32_t code = hex4();
    if (code < 0xd800 || code >= 0xe000) return code;
    check_here(code < 0xdc00 && text_.substr(at_, 2) == "\\u", "a surrogate pair");
    ++at_;
    const char32_t low = hex4();
    check_here(low >= 0xdc00 && low < 0xe000, "a surrogate pair");
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

// The four hexadecimal digits after a 'u'.
char32_t JsonReader::hex4() {
    char32_t code = 0;
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
        const char c = at_ < text_.size() ? text_[at_] : ' ';
        const char lower = static_cast<char>(c | 0x20);
        check_here(is_digit(c) || (lower >= 'a' && lower <= 'f'), "a hexadecimal digit");
        code = code * 16 + static_cast<char32_t>(is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    return code;
}

Index JsonReader::whole_number() {
    skip_whitespace();
    const std::size_t begin = at_;
    Index number = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
        const Index digit = text_[at_] - '0';
        check_here(number <= (std::numeric_limits<Index>::max() - digit) / 10,
                   "a number up to 2^63 - 1");
        check_here(at_ == begin || text_[begin] != '0', "a number without leading zeros");
        number = number * 10 + digit;
    }
    check_here(at_ > begin && !is_at(".eE"), "a whole number");
    return number;
}

// -12.5e+3, with no zeros in front.
void JsonReader::number() {
    constexpr std::string_view kDigits = "0123456789";
    const auto digits = [&] {
        check_here(is_at(kDigits), "a digit");
        while (is_at(kDigits)) ++at_;
    };
    if (is_at("-")) ++at_;
    if (is_at("0")) {
        ++at_;
    } else {
        digits();
    }
    if (is_at(".")) {
        ++at_;
        digits();
    }
    if (is_at("eE")) {
        ++at_;
        if (is_at("+-")) ++at_;
        digits();
    }
}

void JsonReader::literal() {
    for (const std::string_view word : {"true", "false", "null"}) {
        if (!text_.substr(at_).starts_with(word)) continue;
        at_ += word.size();
        return;
    }
    check_here(false, "a value");
}

std::string_view JsonReader::value() {
    skip_whitespace();
    const std::size_t begin = at_;
    if (is_at("{")) {
        object([&](const std::string&) { value(); });
    } else if (is_at("[")) {
        array([&] { value(); });
    } else if (is_at("\"")) {
        string();
    } else if (is_at("-0123456789")) {
        number();
    } else {
        literal();
    }
    return text_.substr(begin, at_ - begin);
}

void JsonReader::end() {
    while (is_at(" ")) ++at_;
    check_here(at_ == text_.size(), "the end or spaces up to it");
}

JsonMembers json_members(std::string_view text, const std::string& source, std::size_t limit) {
    text = text.substr(0, text.find_last_not_of(kWhitespace) + 1);
    JsonMembers members;
    JsonReader reader(text, source);
    reader.object([&](const std::string& name) {
        const std::string_view value = reader.value();
        if (members.size() < limit) members.emplace_back(name, value);
    });
    reader.end();
    return members;
}

std::string_view json_member(const JsonMembers& members, std::string_view name) {
    const auto found = std::ranges::find(members, name, &JsonMembers::value_type::first);
    return found == members.end() ? std::string_view() : found->second;
}

std::string json_string(std::string_view text) {
    constexpr std::string_view codes = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
    constexpr const char* digits = "0123456789abcdef";
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t length = decode_utf8(text).length, letter = codes.find(text[0]);
        const auto code = static_cast<unsigned char>(text[0]);
        if (letter != codes.npos) {
            out += std::string("\\") + letters[letter];
        } else if (code < 0x20) {
            out += std::string("\\u00") + digits[code / 16] + digits[code % 16];
        } else if (length == 0) {
            append_utf8(out, 0xfffd);
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out + "\"";
}

std::string json_number(double value) {
    if (!std::isfinite(value)) return "null";
    char text[32];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, value, std::chars_format::general, 8);
    return std::string(text, end);
}

std::string json_array(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
    return '[' + text + ']';
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    return this->value(name, json_string(value));
}

JsonObject& JsonObject::number(std::string_view name, double value) {
    return this->value(name, json_number(value));
}

JsonObject& JsonObject::value(std::string_view name, std::string_view json) {
    const bool spaces = spaces_ == JsonSpaces::some;
    if (!members_.empty()) members_ += spaces ? ", " : ",";
    members_ += json_string(name);
    members_ += spaces ? ": " : ":";
    members_ += json;
    return *this;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

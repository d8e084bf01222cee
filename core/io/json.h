#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../shape.h"
#include "../text.h"

namespace primer {

// The one reader and the one writer of JSON (RFC 8259): of safetensors headers and of everything
// that the examples and benchmarks read and write. Neither builds a tree, so that memory stays
// small and has a bound, whatever the text.

/// Reads JSON from front to back; at each step the caller says what has to come next. Strict: a key
/// twice in one object and a text that is not UTF-8 are errors.
///
///     reader.object([&](const std::string& key) { sizes[key] = reader.whole_number(); });
///     reader.end();
///
/// Every Error is one line: `source`, the number of the byte, what was expected, what was found.
///
/// The text is taken for hostile. Depth: at most 64 objects and arrays within one another. Memory:
/// the names of the objects that are open, for each twice its length and 100 bytes. Time: in
/// proportion to the text's length n, and to n log n for an object of many names.
class JsonReader {
  public:
    /// `text` must outlive the reader. `first` is the number of its first byte in `source`.
    JsonReader(std::string_view text, std::string source, Index first = 0)
        : text_(text), source_(std::move(source)), first_(first) {}

    /// {"key": value, ...}: calls member(key) in front of each value, which member must read.
    void object(const std::function<void(const std::string& key)>& member);
    /// [value, ...]: calls element() in front of each value, which element must read.
    void array(const std::function<void()>& element);
    std::string string();
    /// From 0 to 2^63 - 1, exactly.
    Index whole_number();
    /// A value of any kind. Returns its text, such as `-1.5` or `[true, null]`, within the
    /// reader's.
    std::string_view value();
    /// Nothing may follow but spaces.
    void end();

  private:
    void nested(char open, char close, const std::function<void()>& element);
    void skip_whitespace();
    bool is_at(std::string_view chars) const;
    bool take(char c);
    void expect(char c);
    void number();
    void literal();
    char32_t escape();
    char32_t hex4();
    void check_here(bool ok, std::string_view expected) const;

    std::string_view text_;
    std::string source_;
    Index first_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

/// The members of an object in their order: names, and the texts of values as
/// JsonReader::value returns them.
using JsonMembers = std::vector<std::pair<std::string, std::string_view>>;

/// The members of the object that all of `text` is, whitespace around it aside. Those beyond
/// `limit` are checked and left out. Throws Error as JsonReader does. `text` must outlive the
/// result.
JsonMembers json_members(std::string_view text, const std::string& source, std::size_t limit);
/// The value's text; "" if there is no such member.
std::string_view json_member(const JsonMembers& members, std::string_view name);

/// `text` as a JSON string, with its quotes. What is not UTF-8 becomes U+FFFD, a byte at a time.
std::string json_string(std::string_view text);
/// With eight significant digits, as exact as a float. What is not finite becomes null, for JSON
/// has no other word for it.
std::string json_number(double value);
/// [value, ...] of values that are JSON already.
std::string json_array(const std::vector<std::string>& values);

enum class JsonSpaces { some, none };

/// An object of JSON in the making, in one line:
///
///     JsonObject().text("kind", "step").number("loss", 0.5).str()
///
/// gives {"kind": "step", "loss": 0.5}, and with JsonSpaces::none {"kind":"step","loss":0.5}.
class JsonObject {
  public:
    explicit JsonObject(JsonSpaces spaces = JsonSpaces::some) : spaces_(spaces) {}

    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& number(std::string_view name, double value);
    /// A value that is JSON already.
    JsonObject& value(std::string_view name, std::string_view json);

    std::string str() const { return '{' + members_ + '}'; }

  private:
    JsonSpaces spaces_;
    std::string members_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

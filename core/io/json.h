#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "../shape.h"
#include "../text.h"

namespace primer {

/// Reads JSON (RFC 8259) from front to back; at each step the caller says what has to come next, so
/// a text can nest no deeper than its caller's calls. Strict: a key twice in one object, a number
/// that is not a whole one from 0 to 2^63 - 1, a text that is not UTF-8 are errors.
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
    Index whole_number();
    /// Nothing may follow but spaces.
    void end();

  private:
    void nested(char open, char close, const std::function<void()>& element);
    void skip_whitespace();
    bool take(char c);
    void expect(char c);
    char32_t escape();
    char32_t hex4();
    void check_here(bool ok, std::string_view expected) const;

    std::string_view text_;
    std::string source_;
    Index first_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

/// `text` as a JSON string, with its quotes. What is not UTF-8 becomes U+FFFD, a byte at a time.
std::string json_string(std::string_view text);

}  // namespace primer

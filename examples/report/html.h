#pragma once

#include <string>
#include <string_view>

#include "run_reader.h"

namespace primer::examples {

// The words, numbers and pictures of a report, as HTML.

/// Any text, to stand between tags or in the double quotes of an attribute. Invalid UTF-8 and
/// control characters become U+FFFD.
std::string escape(std::string_view text);

/// "0.0312": three significant digits. Here as below, an unknown value is an en dash.
std::string number(double value);
/// "0.05": the same without zeros at the end.
std::string short_number(double value);
/// "98.31 %" of 0.9831.
std::string percent(double share);
/// "60 000"; an en dash for a negative number, which means unknown.
std::string count(Index value);
/// "48 s", "1 min 34 s", "2 h 5 min".
std::string duration(double seconds);

/// An <img> with the picture in it. `alt` is not escaped yet; the picture is shown `width` pixels
/// wide, or as wide as its place if that is 0.
std::string image(const PngPicture& picture, std::string_view alt, Index width = 0);

/// The report's style sheet.
extern const char* const kReportStyle;

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <stdexcept>
#include <string>

#include "text.h"

namespace primer {

/// The one exception type. The message says what failed and where, what was expected, what was
/// found and, where there is a usual cause, what to do. It is safe to print: names that come from
/// files and folders reach no terminal raw, see printable_lines.
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string& message) : std::runtime_error(printable_lines(message)) {}
};

/// Throws an Error whose message is all `parts` written one after another, whatever the locale.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    TextStream message;
    (message << ... << parts);
    throw Error(message.str());
}

/// fail(parts...) unless `ok`. The parts are only put together when the check fails.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
    if (!ok) fail(parts...);
}

}  // namespace primer

#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace primer {

/// The one exception type. The message says what failed and where, what was expected, what was
/// found and, where there is a usual cause, what to do.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Throws an Error whose message is all `parts` written one after another.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    std::ostringstream message;
    (message << ... << parts);
    throw Error(message.str());
}

/// fail(parts...) unless `ok`. The parts are only put together when the check fails.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
    if (!ok) fail(parts...);
}

}  // namespace primer

#pragma once

#include <primer/core/error.h>

namespace primer::examples {

/// What a person has asked for does not make sense: the program ends with exit code 2, not 1.
class WrongUsage : public Error {
  public:
    using Error::Error;
};

/// Throws a WrongUsage whose message is all `parts` written one after another, unless `ok`.
template <class... Parts>
void check_usage(bool ok, const Parts&... parts) {
    if (ok) return;
    TextStream message;
    (message << ... << parts);
    throw WrongUsage(message.str());
}

}  // namespace primer::examples

#pragma once

#include <cerrno>

namespace primer {

/// The result of a call of the system that a signal did not break off: made again as long as it
/// fails with EINTR. Not for close(), which must not be called twice.
template <class Call>
auto retried(const Call& call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

}  // namespace primer

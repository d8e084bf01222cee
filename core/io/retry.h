#pragma once

#include <cerrno>

namespace primer {

/// Repeats a system call as long as a signal interrupts it (EINTR), and returns its result. Not for
/// close(), which must not be called twice.
template <class Call>
auto retried(const Call& call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT

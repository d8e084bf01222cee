#pragma once

#ifndef PRIMER_WITHOUT_SYSTEM
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <fstream>
#include <functional>
#include <new>
#include <string>

#include <primer/core/error.h>
#include <primer/core/kernels/storage.h>

namespace primer {

/// Whether a limit on memory means anything here: sanitizers reserve terabytes of address space.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryLimits = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kMemoryLimits = false;
#else
inline constexpr bool kMemoryLimits = true;
#endif
#else
inline constexpr bool kMemoryLimits = true;
#endif

namespace internal {

inline std::string outcome(const std::function<void()>& read) {
    try {
        read();
        return "";
    } catch (const Error& error) {
        return error.what();
    } catch (const std::bad_alloc&) {
        return "out of memory";
    }
}

#ifndef PRIMER_WITHOUT_SYSTEM
inline void limit_growth(std::size_t bytes) {
    release_cached_storage();
    malloc_trim(0);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit limit{most, most};
    setrlimit(RLIMIT_AS, &limit);
}
#endif

}  // namespace internal

/// Runs `read` in a process of its own, whose memory may grow by `bytes` at most. Returns "" if it
/// succeeded, "out of memory", or the message of the Error that it threw. In a build without
/// PRIMER_SYSTEM there are no processes, and no limit.
inline std::string within_memory([[maybe_unused]] std::size_t bytes,
                                 const std::function<void()>& read) {
#ifdef PRIMER_WITHOUT_SYSTEM
    return internal::outcome(read);
#else
    int ends[2] = {-1, -1};
    check(pipe(ends) == 0, "within_memory: no pipe");
    const pid_t child = fork();
    check(child >= 0, "within_memory: no process");
    if (child == 0) {
        if (kMemoryLimits) internal::limit_growth(bytes);
        const std::string text = internal::outcome(read).substr(0, 4096);
        const bool told = write(ends[1], text.data(), text.size()) == std::ssize(text);
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    std::string text(4096, '\0');
    ssize_t size = 0;
    for (ssize_t got = 1; got > 0; size += got) {
        got = ::read(ends[0], text.data() + size, text.size() - static_cast<std::size_t>(size));
        if (got < 0) break;
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return ended ? text.substr(0, static_cast<std::size_t>(size)) : "the process crashed";
#endif
}

}  // namespace primer
// SPDX-License-Identifier: MIT

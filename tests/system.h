#pragma once

#include <doctest/doctest.h>

#if !defined(_WIN32) && !defined(PRIMER_WITHOUT_SYSTEM)
#define PRIMER_POSIX
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <string>

#include <primer/core/error.h>
#include <primer/core/kernels/storage.h>

// What tests need of a POSIX system. A test case that cannot do without says so and is skipped on
// other systems: TEST_CASE("..." * needs_posix()).

namespace primer {

#if defined(PRIMER_POSIX)
inline constexpr bool kPosix = true;
#else
inline constexpr bool kPosix = false;
#endif
inline doctest::skip needs_posix() { return !kPosix; }

#if defined(__has_feature)
#define PRIMER_HAS_SANITIZER(name) __has_feature(name##_sanitizer)
#else
#define PRIMER_HAS_SANITIZER(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || PRIMER_HAS_SANITIZER(thread)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__) || PRIMER_HAS_SANITIZER(address)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#if defined(__GLIBC__)
inline constexpr bool kGlibc = true;
#else
inline constexpr bool kGlibc = false;
#endif

/// Whether a child of a process with threads may start threads. ThreadSanitizer ends it.
inline constexpr bool kForksWithThreads = kPosix && !kThreadSanitizer;

/// Whether a limit on memory means anything here: sanitizers reserve terabytes of address space,
/// and other C libraries do not give memory back when they are asked to.
inline constexpr bool kMemoryLimits = kGlibc && !kThreadSanitizer && !kAddressSanitizer;

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

}  // namespace internal

#if !defined(PRIMER_POSIX)

class AsNobody {
  public:
    AsNobody() { FAIL("this test needs_posix()"); }
};

class FileSizeLimit {
  public:
    explicit FileSizeLimit(std::uint64_t /*bytes*/) { FAIL("this test needs_posix()"); }
};

inline std::string message_without_descriptors(const std::function<void()>& /*f*/) {
    FAIL("this test needs_posix()");
    return "";
}

inline void make_fifo(const std::filesystem::path& /*path*/) { FAIL("this test needs_posix()"); }

inline long killed_child(const std::function<void()>& /*f*/) {
    FAIL("this test needs_posix()");
    return 0;
}

inline bool holds_in_child(const std::function<bool()>& /*f*/) {
    FAIL("this test needs_posix()");
    return false;
}

inline std::string within_memory(std::size_t /*bytes*/, const std::function<void()>& read) {
    return internal::outcome(read);
}

#else

/// Root may read everything: while it lives, root is nobody.
class AsNobody {
  public:
    AsNobody() {
        if (root_) REQUIRE(seteuid(65534) == 0);
    }
    ~AsNobody() {
        if (root_) CHECK(seteuid(0) == 0);
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;

  private:
    bool root_ = geteuid() == 0;
};

/// A disk that is full after so many bytes: while it lives, no file of this process may grow
/// larger, so that a write fails half-way.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
        rlimit limit = before_;
        limit.rlim_cur = static_cast<rlim_t>(bytes);
        REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    void (*handler_)(int);
    rlimit before_{};
};

/// What f() throws when this process may open no further file; "" if nothing.
inline std::string message_without_descriptors(const std::function<void()>& f) {
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{3, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const std::string message = internal::outcome(f);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    return message;
}

/// Makes what is neither a file nor a folder.
inline void make_fifo(const std::filesystem::path& path) {
    REQUIRE(mkfifo(path.c_str(), 0666) == 0);
}

/// Runs f() in a child process, which is killed after it. Returns the child's number.
inline long killed_child(const std::function<void()>& f) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        f();
        std::raise(SIGKILL);
    }
    REQUIRE(waitpid(child, nullptr, 0) == child);
    return child;
}

/// Whether f(), in a child process, returns true within a minute.
inline bool holds_in_child(const std::function<bool()>& f) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGALRM, SIG_DFL);
        alarm(60);
        bool ok = false;
        try {
            ok = f();
        } catch (...) {
        }
        _exit(ok ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

namespace internal {

inline void limit_growth(std::size_t bytes) {
#if defined(__GLIBC__)
    release_cached_storage();
    malloc_trim(0);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit limit{most, most};
    setrlimit(RLIMIT_AS, &limit);
#else
    static_cast<void>(bytes);
#endif
}

}  // namespace internal

/// Runs `read` in a process of its own, whose memory may grow by `bytes` at most. Returns "" if it
/// succeeded, "out of memory", or the message of the Error that it threw.
inline std::string within_memory(std::size_t bytes, const std::function<void()>& read) {
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
}

#endif

}  // namespace primer
// SPDX-License-Identifier: MIT

#ifndef _WIN32
#include "system.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include "program.h"
#include "run_directory.h"

namespace primer::examples {

namespace fs = std::filesystem;

// --- standard streams ----------------------------------------------------------------------------

void open_missing_streams() {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
        // The lowest number that is free is the one that open() gives.
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
            [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);
        }
    }
}

bool output_closes() {
    const int copy = dup(STDOUT_FILENO);
    return copy < 0 || close(copy) == 0;
}

bool output_is_terminal() { return isatty(STDOUT_FILENO) == 1; }

std::size_t output_columns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool can_read(const fs::path& file) { return access(file.c_str(), R_OK) == 0; }
bool can_write_in(const fs::path& folder) { return access(folder.c_str(), W_OK | X_OK) == 0; }

// --- locks ---------------------------------------------------------------------------------------

namespace {

// The previous holder may have removed the file between our opening it and locking it: then others
// will not see what we have locked.
bool still_named(int file, const fs::path& path) {
    struct stat opened {
    }, named{};
    return fstat(file, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

Lock::Lock(const fs::path& path) : path_(path) {
    for (;;) {
        do {
            const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
            file_ = open(path.c_str(), flags, 0666);
        } while (file_ < 0 && errno == EINTR);
        check(file_ >= 0, full_name(path), ": failed to make the file: ", std::strerror(errno));
        struct flock lock = whole_file();
        if (fcntl(file_, F_SETLK, &lock) == 0) {
            if (still_named(file_, path)) return;
        } else if (errno != EACCES && errno != EAGAIN) {
            return;  // no locks here
        } else if (fcntl(file_, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
            holder_ = lock.l_pid > 0 ? lock.l_pid : -1;
        }
        close(std::exchange(file_, -1));
        if (holder_ != 0) return;
    }
}

void Lock::release() {
    if (file_ < 0) return;
    struct stat status {};
    // The file is removed while it is still locked, and never another that has taken its place.
    if (fstat(file_, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0 &&
        still_named(file_, path_)) {
        unlink(path_.c_str());
    }
    close(std::exchange(file_, -1));
}

// --- signals -------------------------------------------------------------------------------------

namespace {

std::atomic<int> noted{0};
static_assert(kReaderGone == SIGPIPE);
static_assert(std::atomic<int>::is_always_lock_free, "or a signal's handler may not touch it");

// The signals that ask a program to end. Not SIGQUIT, which ends it at once.
constexpr int kSignals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGPIPE, SIGUSR1,
                            SIGUSR2, SIGALRM, SIGXCPU, SIGXFSZ};

// When the first SIGINT or SIGTERM came, in milliseconds of some clock: a second one is urgent.
constexpr long long kNever = -1, kAtOnce = 100;
std::atomic<long long> first_insisted{kNever};
static_assert(std::atomic<long long>::is_always_lock_free,
              "or a signal's handler may not touch it");

long long milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

bool insists(int number) { return number == SIGINT || number == SIGTERM; }

void note(int number, siginfo_t* info, void*) {
    // The system sends SIGXFSZ to a process that writes beyond the limit on a file's size; that is
    // an error of the write. Sent by another process, it asks for the end.
    if (number == SIGXFSZ && info->si_pid == getpid()) return;
    // Only the first one counts. Batch systems repeat SIGXCPU each second, and each line that is
    // printed to a closed pipe is another SIGPIPE: these must not end a save that is under way.
    int none = 0;
    const bool first = noted.compare_exchange_strong(none, number);
    if (!insists(number)) return;
    // Nor must a second signal that comes at once: timeout signals the program and then its group.
    // A later one means that the user does not want to wait.
    long long never = kNever;
    const long long now = milliseconds();
    if (first_insisted.compare_exchange_strong(never, now) || first) return;
    if (now - first_insisted < kAtOnce) return;
    std::signal(number, SIG_DFL);
    raise(number);
}

}  // namespace

void note_interrupts() {
    for (const int each : kSignals) {
        struct sigaction action {};
        if (sigaction(each, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action.sa_sigaction = note;
        action.sa_flags = SA_RESTART | SA_SIGINFO;  // a write that is under way goes on
        sigaction(each, &action, nullptr);
    }
}

int interrupt() { return noted; }

}  // namespace primer::examples
#endif
// SPDX-License-Identifier: MIT

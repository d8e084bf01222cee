#ifndef _WIN32
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// Repeats a system call as long as a signal interrupts it. Not for close(), which must not be
// called twice.
template <class Call>
auto retried(const Call& call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

int open_file(const fs::path& path, int flags) {
    return retried([&] { return open(path.c_str(), flags | O_CLOEXEC, 0666); });
}

}  // namespace

SystemFile SystemFile::to_read(const fs::path& path) {
    return SystemFile(open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
}

SystemFile SystemFile::to_create(const fs::path& path) {
    return SystemFile(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND));
}

SystemFile SystemFile::to_append(const fs::path& path) {
    return SystemFile(open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK));
}

void SystemFile::close() {
    const int reason = errno;
    if (is_open()) ::close(std::exchange(number_, -1));
    errno = reason;
}

std::optional<std::size_t> SystemFile::read(char* bytes, std::size_t size) {
    const ssize_t count = retried([&] { return ::read(number_, bytes, size); });
    if (count < 0) return {};
    return static_cast<std::size_t>(count);
}

bool SystemFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = retried([&] { return ::write(number_, bytes.data(), bytes.size()); });
        if (count == 0) errno = EIO;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool SystemFile::flush() {
#ifdef F_FULLFSYNC  // macOS: fsync() stops at the disk's own memory
    if (fcntl(number_, F_FULLFSYNC) == 0) return true;
#endif
    return retried([&] { return fsync(number_); }) == 0;
}

bool SystemFile::flush_data() {
#if defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0
    return retried([&] { return fdatasync(number_); }) == 0;
#else
    return retried([&] { return fsync(number_); }) == 0;
#endif
}

bool SystemFile::cut(Index size) {
    return retried([&] { return ftruncate(number_, static_cast<off_t>(size)); }) == 0;
}

Index SystemFile::size() const {
    struct stat status {};
    return fstat(number_, &status) == 0 ? Index{status.st_size} : -1;
}

bool SystemFile::is_regular() const {
    struct stat status {};
    return fstat(number_, &status) == 0 && S_ISREG(status.st_mode);
}

bool SystemFile::has_name() const {
    struct stat status {};
    return fstat(number_, &status) != 0 || status.st_nlink > 0;
}

bool rename_over(const fs::path& from, const fs::path& to) {
    return retried([&] { return rename(from.c_str(), to.c_str()); }) == 0;
}

bool flush_folder(const fs::path& folder) {
    const int number = open_file(folder, O_RDONLY | O_DIRECTORY);
    if (number < 0) return true;
    const bool failed = retried([&] { return fsync(number); }) != 0 && errno == EIO;
    ::close(number);
    if (failed) errno = EIO;
    return !failed;
}

bool SystemFile::is_own() const {
    struct stat status {};
    return fstat(number_, &status) == 0 && status.st_uid == geteuid();
}

bool SystemFile::lock() { return flock(number_, LOCK_EX | LOCK_NB) == 0; }

void SystemFile::take_permissions(const fs::path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0) fchmod(number_, status.st_mode & 07777);
}

bool process_exists(long number) {
    return kill(static_cast<pid_t>(number), 0) == 0 || errno != ESRCH;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

}  // namespace primer
#endif
// SPDX-License-Identifier: MIT

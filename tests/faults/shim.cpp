// A library that makes system calls fail, for tests of programs that must cope:
//
//     FAULT='write:ENOSPC:3/metrics.jsonl' LD_PRELOAD=libfaults.so ./program
//
// makes the third write to a file whose path has "metrics.jsonl" in it fail with ENOSPC. Several
// faults are separated by ';'. Each is CALL:WHAT:WHICH/PATH:
//
//   CALL   open (for writing), write, fsync (fdatasync, too), truncate (ftruncate), close, rename
//          (the new name counts), malloc, clock
//   WHAT   ENOSPC, EIO, EINTR, EACCES, EDQUOT, EROFS or ENOMEM; for write also "short": half of
//          the bytes; for clock the seconds by which the time of day jumps, such as -3600
//   WHICH  3: the third such call; 3+: that and all that follow
//   PATH   a part of the path; for malloc the least number of bytes. Without "/PATH" all count.
//
// FAULT_LOG names a file that gets a line for each fault that happened or, if WHAT is "count", for
// each call that could fail: so a test can try them all, and see that its fault came.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

// Nothing here may allocate: malloc itself is among the calls.

struct Fault {
    char call[16] = "", what[16] = "", path[256] = "";
    long first = 0;
    bool all_after = false;
    std::atomic<long> seen{0};
};
constexpr int kMost = 8;
constinit Fault faults[kMost];  // initialised before read_environment runs
int count_of_faults = 0;

struct Name {
    const char* text;
    int number;
};
constexpr Name kErrors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR},
                            {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS},
                            {"ENOMEM", ENOMEM}};

int error_of(const char* what) {
    for (const Name& name : kErrors) {
        if (std::strcmp(name.text, what) == 0) return name.number;
    }
    return 0;
}

__attribute__((constructor)) void read_environment() {
    const char* text = std::getenv("FAULT");
    while (text != nullptr && *text != '\0' && count_of_faults < kMost) {
        Fault& fault = faults[count_of_faults];
        char which[16] = "";
        const int read = std::sscanf(text, "%15[a-z]:%15[A-Za-z0-9+-]:%15[0-9+]/%255[^;]",
                                     fault.call, fault.what, which, fault.path);
        if (read < 3) {
            std::fprintf(stderr, "faults: expected CALL:WHAT:WHICH/PATH, got %s\n", text);
            std::_Exit(99);
        }
        fault.first = std::atol(which);
        fault.all_after = std::strchr(which, '+') != nullptr;
        ++count_of_faults;
        text = std::strchr(text, ';');
        if (text != nullptr) ++text;
    }
}

void log_line(const Fault& fault, long number, const char* path) {
    static const char* const log = std::getenv("FAULT_LOG");
    if (log == nullptr) return;
    char line[512];
    const int length =
        std::snprintf(line, sizeof line, "%s:%s:%ld/%s\n", fault.call, fault.what, number, path);
    const long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT, 0666);
    if (file < 0) return;
    syscall(SYS_write, file, line, length < 512 ? length : 511);
    syscall(SYS_close, file);
}

/// The fault of this call; null for none.
const Fault* fault_of(const char* call, const char* path) {
    const Fault* found = nullptr;
    for (int i = 0; i < count_of_faults; ++i) {
        Fault& fault = faults[i];
        if (std::strcmp(fault.call, call) != 0 || std::strstr(path, fault.path) == nullptr)
            continue;
        const long number = ++fault.seen;
        const bool counts_only = std::strcmp(fault.what, "count") == 0;
        const bool hit = fault.all_after ? number >= fault.first : number == fault.first;
        if (!counts_only && !hit) continue;
        const int saved = errno;
        log_line(fault, number, path);
        errno = saved;
        if (!counts_only) found = &fault;
    }
    return found;
}

/// Whether the call must fail; if so, errno is set.
bool fails(const char* call, const char* path) {
    const Fault* const fault = fault_of(call, path);
    if (fault == nullptr) return false;
    errno = error_of(fault->what);
    return true;
}

/// The path that a descriptor was opened with.
const char* path_of(int file, char (&path)[512]) {
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const long length = syscall(SYS_readlink, link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    return path;
}

template <class Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool for_writing(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

int open_real(const char* name, const char* path, int flags, mode_t mode) {
    if (for_writing(flags) && fails("open", path)) return -1;
    return real<int (*)(const char*, int, ...)>(name)(path, flags, mode);
}

FILE* fopen_real(const char* name, const char* path, const char* mode) {
    if (std::strpbrk(mode, "wa+") != nullptr && fails("open", path)) return nullptr;
    return real<FILE* (*)(const char*, const char*)>(name)(path, mode);
}

ssize_t write_at_most(int file, const void* bytes, std::size_t count) {
    char path[512];
    const Fault* const fault = fault_of("write", path_of(file, path));
    if (fault != nullptr && std::strcmp(fault->what, "short") != 0) {
        errno = error_of(fault->what);
        return -1;
    }
    return syscall(SYS_write, file, bytes, fault == nullptr || count < 2 ? count : count / 2);
}

bool no_memory(std::size_t size) {
    for (int i = 0; i < count_of_faults; ++i) {
        Fault& fault = faults[i];
        if (std::strcmp(fault.call, "malloc") != 0) continue;
        const auto least = static_cast<std::size_t>(std::atol(fault.path));
        if (size < least) continue;
        const long number = ++fault.seen;
        const bool counts_only = std::strcmp(fault.what, "count") == 0;
        const bool hit = fault.all_after ? number >= fault.first : number == fault.first;
        if (!counts_only && !hit) continue;
        log_line(fault, number, fault.path);
        if (counts_only) continue;
        errno = ENOMEM;
        return true;
    }
    return false;
}

/// By how many seconds the time of day is off now.
long jump() {
    static std::atomic<long> off{0};
    const Fault* const fault = fault_of("clock", "");
    if (fault != nullptr) off = std::atol(fault->what);
    return off;
}

}  // namespace

extern "C" {

// The C library's own, because a library loaded before it must not use dlsym, which allocates.
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) { return no_memory(size) ? nullptr : __libc_malloc(size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return no_memory(size) ? nullptr : __libc_memalign(alignment, size);
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_real("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_real("open64", path, flags, mode);
}
FILE* fopen(const char* path, const char* mode) { return fopen_real("fopen", path, mode); }
FILE* fopen64(const char* path, const char* mode) { return fopen_real("fopen64", path, mode); }

ssize_t write(int file, const void* bytes, std::size_t count) {
    return write_at_most(file, bytes, count);
}
// File streams use it for long texts.
ssize_t writev(int file, const iovec* pieces, int count) {
    ssize_t all = 0;
    for (int i = 0; i < count; ++i) {
        const ssize_t written = write_at_most(file, pieces[i].iov_base, pieces[i].iov_len);
        if (written < 0) return all > 0 ? all : -1;
        all += written;
        if (static_cast<std::size_t>(written) < pieces[i].iov_len) break;
    }
    return all;
}

int fsync(int file) {
    char path[512];
    if (fails("fsync", path_of(file, path))) return -1;
    return static_cast<int>(syscall(SYS_fsync, file));
}
int fdatasync(int file) {
    char path[512];
    if (fails("fsync", path_of(file, path))) return -1;
    return static_cast<int>(syscall(SYS_fdatasync, file));
}
int ftruncate(int file, off_t length) {
    char path[512];
    if (fails("truncate", path_of(file, path))) return -1;
    return static_cast<int>(syscall(SYS_ftruncate, file, length));
}
int close(int file) {
    char path[512];
    const bool failed = count_of_faults > 0 && fails("close", path_of(file, path));
    const int error = errno;
    const auto result = static_cast<int>(syscall(SYS_close, file));
    if (failed) errno = error;
    return failed ? -1 : result;  // the descriptor is gone either way
}
int rename(const char* from, const char* to) {
    if (fails("rename", to)) return -1;
    return real<int (*)(const char*, const char*)>("rename")(from, to);
}

int clock_gettime(clockid_t clock, timespec* time) {
    const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
    if (clock == CLOCK_REALTIME) time->tv_sec += jump();
    return result;
}
time_t time(time_t* result) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != nullptr) *result = now.tv_sec;
    return now.tv_sec;
}

}  // extern "C"
// SPDX-License-Identifier: MIT

#include "lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/core/io/retry.h>

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

// The one who had the lock may have removed its file between our opening it and locking it: then
// what we have locked is no longer what others will see.
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
        file_ = retried([&] {
            return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        });
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

Lock& Lock::operator=(Lock&& other) noexcept {
    if (this == &other) return *this;
    release();
    path_ = std::move(other.path_);
    file_ = std::exchange(other.file_, -1);
    holder_ = std::exchange(other.holder_, 0);
    return *this;
}

Lock::~Lock() { release(); }

void Lock::release() {
    if (file_ < 0) return;
    struct stat status {};
    // Removed while it is still locked; and never what somebody has put there.
    if (fstat(file_, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0 &&
        still_named(file_, path_)) {
        unlink(path_.c_str());
    }
    close(std::exchange(file_, -1));
}

Lock lock_file(const fs::path& path) {
    std::error_code error;
    fs::path target = fs::weakly_canonical(fs::absolute(path, error), error);
    if (error) target = path;
    target += ".lock";
    Lock lock(target);
    check(lock.holder() == 0, full_name(path), ": expected a file that nobody else writes, but ",
          holder_text(lock), " is writing it; wait for its end, or name another file");
    return lock;
}

std::string holder_text(const Lock& lock) {
    return lock.holder() > 0 ? "another run, process " + std::to_string(lock.holder()) + ","
                             : "another run";
}

}  // namespace primer::examples

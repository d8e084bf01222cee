#include "primer/core/io/replacement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "primer/core/error.h"

namespace primer {

namespace fs = std::filesystem;

Replacement::Replacement(const fs::path& path, std::string what) : what_(std::move(what)) {
    std::error_code error;
    target_ = fs::weakly_canonical(fs::absolute(path), error);
    check(!error, fs::absolute(path).string(), ": failed to save ", what_,
          " there: ", error.message());
    check(!fs::is_symlink(fs::symlink_status(target_, error)), target_.string(),
          ": expected a file, or nothing yet, to save ", what_, " to, got a link to nothing");
    const fs::file_status status = fs::status(target_, error);
    check(!fs::exists(status) || fs::is_regular_file(status), target_.string(),
          ": expected a file, or nothing yet, to save ", what_, " to, got ",
          fs::is_directory(status) ? "a folder" : "something that is no file");
    for (int number = 0; file_ < 0 && number < 100; ++number) {
        path_ = target_;
        path_ += ".tmp-" + std::to_string(getpid()) + '-' + std::to_string(number);
        file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file_ < 0 && errno != EEXIST) break;
    }
    if (file_ < 0) fail_to("create a file in its folder");
    // What was private stays so. Where the disk knows no permissions, there are none to keep.
    if (fs::exists(status)) fchmod(file_, static_cast<mode_t>(status.permissions()));
}

Replacement::~Replacement() {
    if (file_ >= 0) close(file_);
    if (!done_) unlink(path_.c_str());
}

void Replacement::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file_, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) fail_to("write the file");
        if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void Replacement::commit() {
    if (fsync(file_) != 0) fail_to("flush the file to the disk");
    if (close(std::exchange(file_, -1)) != 0) fail_to("close the file");
    if (rename(path_.c_str(), target_.c_str()) != 0) fail_to("give the file its name");
    done_ = true;
    flush_folder();
}

// The new name is on the disk only when the folder is. Where that can not be asked for, the system
// does it in its own time.
void Replacement::flush_folder() const {
    const int handle = open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return;
    const bool failed = fsync(handle) != 0 && errno == EIO;
    close(handle);
    if (failed) fail_to("flush its folder to the disk");
}

void Replacement::fail_to(const char* action) const {
    const int reason = errno;
    fail(target_.string(), ": failed to ", action, " when saving ", what_, ": ",
         std::strerror(reason), done_ ? "" : "; what was there before, if anything, is untouched");
}

}  // namespace primer

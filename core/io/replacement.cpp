#include "replacement.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "../error.h"
#include "../full_name.h"
#include "retry.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".tmp-";

// The PID in a name of the form FILE.tmp-PID-NUMBER.
std::optional<pid_t> maker_of(std::string_view name, std::string_view file) {
    const std::string begin = std::string(file) + kSuffix;
    if (!name.starts_with(begin)) return {};
    name.remove_prefix(begin.size());
    pid_t pid = 0;
    int number = 0;
    const char* const end = name.data() + name.size();
    const auto [dash, first] = std::from_chars(name.data(), end, pid);
    if (first != std::errc() || dash == end || *dash != '-') return {};
    const auto [rest, second] = std::from_chars(dash + 1, end, number);
    if (second != std::errc() || rest != end || pid <= 0 || number < 0) return {};
    return pid;
}

// Removes a file that its maker left behind, unless some process, here or in another container,
// still has it locked.
void remove_left_behind(const fs::path& path) {
    const int file =
        retried([&] { return open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); });
    if (file < 0) return;
    struct stat status {};
    const bool ours =
        fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid();
    if (ours && flock(file, LOCK_EX | LOCK_NB) == 0) unlink(path.c_str());
    close(file);
}

void sweep(const fs::path& target) {
    const std::string file = target.filename().string();
    std::error_code error;
    for (fs::directory_iterator entry(target.parent_path(), error), end; !error && entry != end;
         entry.increment(error)) {
        const auto maker = maker_of(entry->path().filename().string(), file);
        if (!maker) continue;
        // Also of our own PID: an earlier process had the same one.
        const bool gone = kill(*maker, 0) != 0 && errno == ESRCH;
        if (gone || *maker == getpid()) remove_left_behind(entry->path());
    }
}

}  // namespace

Replacement::Replacement(const fs::path& path, std::string what, IsOurs ours)
    : what_(std::move(what)) {
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    if (!error) {
        // Resolves the folders, but not FILE itself, which may be a link.
        target_ = absolute.has_filename()
                      ? fs::weakly_canonical(absolute.parent_path(), error) / absolute.filename()
                      : fs::weakly_canonical(absolute, error);
    }
    check(!error, full_name(path), ": failed to save ", what_, " there: ", error.message());
    check_target(ours);
    sweep(target_);
    create();
}

void Replacement::check_target(IsOurs ours) const {
    const std::string wanted =
        full_name(target_) + ": expected a file, or nothing yet, to save " + what_ + " to, got ";
    std::error_code error;
    const fs::file_status status = fs::symlink_status(target_, error);
    if (fs::is_symlink(status)) {
        fail(wanted, "a link to ", in_quotes(fs::read_symlink(target_, error).string()),
             "; links are not written through: name the file itself");
    }
    check(!fs::exists(status) || fs::is_regular_file(status), wanted,
          fs::is_directory(status) ? "a folder" : "something that is no file");
    if (ours == nullptr || !fs::exists(status)) return;
    const int file = retried(
        [&] { return open(target_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); });
    check(file >= 0, wanted, "one that cannot be read: ", std::strerror(errno));
    std::array<char, 16> beginning{};
    const ssize_t count = retried([&] { return read(file, beginning.data(), beginning.size()); });
    close(file);
    const bool replaceable =
        count == 0 ||
        (count > 0 && ours(std::string_view(beginning.data(), static_cast<std::size_t>(count))));
    check(replaceable, wanted, "a file of another kind, which stays; choose another name");
}

void Replacement::create() {
    for (int number = 0; file_ < 0 && number < 100; ++number) {
        path_ = target_;
        path_ += kSuffix + std::to_string(getpid()) + '-' + std::to_string(number);
        file_ = retried(
            [&] { return open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
        if (file_ < 0 && errno != EEXIST) break;
        if (file_ < 0) continue;
        struct stat status {};
        flock(file_, LOCK_EX | LOCK_NB);  // on a disk without locks, nothing is ever swept
        const bool swept = fstat(file_, &status) == 0 && status.st_nlink == 0;
        if (swept) close(std::exchange(file_, -1));  // by another process, between the two calls
    }
    if (file_ < 0) fail_to("create a file in its folder");
    // A private file stays private. On a disk without permissions there are none to keep.
    struct stat before {};
    if (lstat(target_.c_str(), &before) == 0) fchmod(file_, before.st_mode & 07777);
}

Replacement::~Replacement() {
    if (!done_) unlink(path_.c_str());
    if (file_ >= 0) close(file_);
}

void Replacement::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = retried([&] { return ::write(file_, bytes.data(), bytes.size()); });
        if (count == 0) errno = EIO;
        if (count <= 0) fail_to("write the file");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void Replacement::commit() {
    if (retried([&] { return fsync(file_); }) != 0) fail_to("flush the file to the disk");
    // While the file is open it is locked, so nobody sweeps it.
    if (retried([&] { return rename(path_.c_str(), target_.c_str()); }) != 0) {
        fail_to("give the file its name");
    }
    done_ = true;
    close(std::exchange(file_, -1));  // cannot fail: everything is flushed
    flush_folder();
}

// The new name is on the disk only after its folder is flushed. If the folder cannot be flushed,
// the system does it in its own time.
void Replacement::flush_folder() const {
    const int handle = retried(
        [&] { return open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (handle < 0) return;
    const bool failed = retried([&] { return fsync(handle); }) != 0 && errno == EIO;
    close(handle);
    if (failed) {
        errno = EIO;
        fail_to("flush its folder to the disk");
    }
}

void Replacement::fail_to(const char* action) const {
    const int reason = errno;
    fail(full_name(target_), ": failed to ", action, " when saving ", what_, ": ",
         std::strerror(reason), done_ ? "" : "; what was there before, if anything, is untouched");
}

}  // namespace primer
// SPDX-License-Identifier: MIT

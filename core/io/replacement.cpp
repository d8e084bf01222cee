#include "replacement.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "../error.h"
#include "../full_name.h"
#include "../kernels/system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".tmp-";

// The PID in a name of the form FILE.tmp-PID-NUMBER.
std::optional<long> maker_of(std::string_view name, std::string_view file) {
    const std::string begin = std::string(file) + kSuffix;
    if (!name.starts_with(begin)) return {};
    name.remove_prefix(begin.size());
    long pid = 0;
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
    SystemFile file = SystemFile::to_read(path);
    std::error_code ignored;
    if (file.is_open() && file.is_regular() && file.is_own() && file.lock()) {
        fs::remove(path, ignored);
    }
}

void sweep(const fs::path& target) {
    const std::string file = target.filename().string();
    std::error_code error;
    for (fs::directory_iterator entry(target.parent_path(), error), end; !error && entry != end;
         entry.increment(error)) {
        const auto maker = maker_of(entry->path().filename().string(), file);
        if (!maker) continue;
        // Also of our own PID: an earlier process had the same one.
        if (!process_exists(*maker) || *maker == process_number()) {
            remove_left_behind(entry->path());
        }
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
    SystemFile file = SystemFile::to_read(target_);
    check(file.is_open(), wanted, "one that cannot be read: ", std::strerror(errno));
    std::array<char, 16> beginning{};
    const std::optional<std::size_t> count = file.read(beginning.data(), beginning.size());
    const bool replaceable =
        count && (*count == 0 || ours(std::string_view(beginning.data(), *count)));
    check(replaceable, wanted, "a file of another kind, which stays; choose another name");
}

void Replacement::create() {
    for (int number = 0; !file_.is_open() && number < 100; ++number) {
        path_ = target_;
        path_ += kSuffix + std::to_string(process_number()) + '-' + std::to_string(number);
        file_ = SystemFile::to_create(path_);
        if (!file_.is_open() && errno != EEXIST) break;
        if (!file_.is_open()) continue;
        file_.lock();                          // on a disk without locks, nothing is ever swept
        if (!file_.has_name()) file_.close();  // swept by another process, between the two calls
    }
    if (!file_.is_open()) fail_to("create a file in its folder");
    file_.take_permissions(target_);  // a private file stays private
}

Replacement::~Replacement() {
    std::error_code ignored;
    if (!done_) fs::remove(path_, ignored);
}

void Replacement::write(std::string_view bytes) {
    if (!file_.write(bytes)) fail_to("write the file");
}

void Replacement::commit() {
    if (!file_.flush()) fail_to("flush the file to the disk");
    // While the file is open it is locked, so nobody sweeps it.
    if (!rename_over(path_, target_)) fail_to("give the file its name");
    done_ = true;
    file_.close();
    // The new name is on the disk only after its folder is flushed.
    if (!flush_folder(target_.parent_path())) fail_to("flush its folder to the disk");
}

void Replacement::fail_to(const char* action) const {
    const int reason = errno;
    fail(full_name(target_), ": failed to ", action, " when saving ", what_, ": ",
         std::strerror(reason), done_ ? "" : "; what was there before, if anything, is untouched");
}

}  // namespace primer
// SPDX-License-Identifier: MIT

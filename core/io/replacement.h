#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "system.h"

namespace primer {

/// A file that is written beside the file that it replaces:
///
///     Replacement file(path, "a checkpoint");
///     file.write(bytes);
///     file.commit();
///
/// After commit() the whole file is on the disk. Until then the old file is untouched, even by an
/// Error or a power cut, because the bytes go to a file named FILE.tmp-PID-NUMBER, which commit()
/// renames and the destructor otherwise removes. If a process was killed while it wrote, the next
/// Replacement of the same FILE removes what it left: only regular files of this user that no
/// process has locked (each is locked while it is written) and whose PID no longer exists. The new
/// file takes the permissions of the old one.
///
/// Never writes through a symbolic link at FILE, dangling or not, because a folder from somebody
/// else must not make us write elsewhere. (Links among the folders of the path are followed.) With
/// `ours`, it does not replace a file of another kind, unless that is empty.
///
/// Calls that a signal interrupts are repeated. Every Error is one line: the absolute path, what
/// failed and the system's reason. A full disk throws Error; but beyond the limit on a file's size,
/// RLIMIT_FSIZE, the system ends a program that does not ignore SIGXFSZ.
class Replacement {
  public:
    /// Whether a file is of our kind, given its first 16 bytes, or all if it has fewer.
    using IsOurs = bool (*)(std::string_view beginning);

    /// Messages call the contents `what`. Throws Error if `path` is a link, not a file, or a file
    /// of another kind, and if no file can be made in its folder.
    Replacement(const std::filesystem::path& path, std::string what, IsOurs ours = nullptr);
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement();

    void write(std::string_view bytes);
    void commit();

  private:
    void check_target(IsOurs ours) const;
    void create();
    [[noreturn]] void fail_to(const char* action) const;

    std::string what_;
    std::filesystem::path target_, path_;
    SystemFile file_;
    bool done_ = false;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

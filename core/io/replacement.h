#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace primer {

/// A file that is written beside the one that it is to replace:
///
///     Replacement file(path, "a checkpoint");
///     file.write(bytes);
///     file.commit();
///
/// After commit() it is there whole and flushed to the disk. Whatever happens before, an Error or a
/// power cut, leaves what was there untouched: the bytes go to a file named FILE.tmp-PID-NUMBER,
/// which takes its name in the end and is gone if it never comes to that. What a process that was
/// killed has left behind of the same FILE, the next Replacement removes: only regular files of
/// this user that no process holds (each is locked while it is written) and whose PID is no
/// process any more. The permissions of the old file stay.
///
/// Never writes through a symbolic link at FILE, dangling or not: a folder that somebody sent must
/// not make us write elsewhere. (Links among the folders before it are followed.) With `ours`,
/// neither does it replace a file of another kind; an empty one it does.
///
/// A call that a signal breaks off is made again. Every Error is one line: the absolute path, what
/// failed and the system's reason. A full disk is one, but beyond the limit on a file's size,
/// RLIMIT_FSIZE, the system ends a program that does not ignore SIGXFSZ.
class Replacement {
  public:
    /// Tells from a file's first 16 bytes, or fewer if it has no more, whether it is of our kind.
    using IsOurs = bool (*)(std::string_view beginning);

    /// `what` is what messages call the contents. Throws Error if a link, something other than a
    /// file or a file that is not ours has the name, and if none can be made in the folder.
    Replacement(const std::filesystem::path& path, std::string what, IsOurs ours = nullptr);
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement();

    void write(std::string_view bytes);
    void commit();

  private:
    void check_target(IsOurs ours) const;
    void create();
    void flush_folder() const;
    [[noreturn]] void fail_to(const char* action) const;

    std::string what_;
    std::filesystem::path target_, path_;
    int file_ = -1;
    bool done_ = false;
};

}  // namespace primer

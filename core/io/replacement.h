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
/// power cut, leaves what was there untouched: the bytes go to a file named FILE.tmp-..., which
/// takes its name in the end and is gone if it never comes to that. (A process that is killed
/// leaves it behind.) Follows a link to the file that it names; one to nothing is an Error. The
/// permissions of the old file stay.
///
/// Every Error is one line: the absolute path, what failed and the system's reason. A full disk is
/// one, but beyond the limit on a file's size, RLIMIT_FSIZE, the system ends a program that does
/// not ignore SIGXFSZ.
class Replacement {
  public:
    /// `what` is what messages call the contents. Throws Error if something other than a file has
    /// the name, and if none can be made in the folder.
    Replacement(const std::filesystem::path& path, std::string what);
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement();

    void write(std::string_view bytes);
    void commit();

  private:
    void flush_folder() const;
    [[noreturn]] void fail_to(const char* action) const;

    std::string what_;
    std::filesystem::path target_, path_;
    int file_ = -1;
    bool done_ = false;
};

}  // namespace primer

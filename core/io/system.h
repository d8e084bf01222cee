#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../shape.h"

// What differs between operating systems about files: system_posix.cpp and system_windows.cpp, or
// system_none.cpp in a build without PRIMER_SYSTEM.

namespace primer {

/// A file that is open, closed by the destructor. A function that returns false, or a file that is
/// not open, has failed and leaves the reason in errno. Calls that a signal interrupts are
/// repeated. Other processes do not inherit the file.
class SystemFile {
  public:
    SystemFile() = default;
    SystemFile(SystemFile&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    SystemFile& operator=(SystemFile&& other) noexcept {
        std::swap(number_, other.number_);  // the other one closes what was open here
        return *this;
    }
    ~SystemFile() { close(); }

    /// To read what is at `path`. Follows no link, and waits for no writer of a pipe.
    static SystemFile to_read(const std::filesystem::path& path);
    /// To write a new file; fails with EEXIST if anything is at `path`.
    static SystemFile to_create(const std::filesystem::path& path);
    /// To append to the file at `path`, or to a new one. Follows no link, and waits for no reader
    /// of a pipe.
    static SystemFile to_append(const std::filesystem::path& path);

    bool is_open() const { return number_ >= 0; }
    void close();

    /// Reads up to `size` bytes; nullopt if that fails.
    std::optional<std::size_t> read(char* bytes, std::size_t size);
    /// Writes all bytes.
    bool write(std::string_view bytes);
    /// Returns when all that was written is on the disk: `flush` with what belongs to it, such as
    /// the time, `flush_data` without.
    bool flush();
    bool flush_data();
    /// Removes everything after the first `size` bytes.
    bool cut(Index size);
    /// How many bytes there are; -1 if that is unknown.
    Index size() const;

    bool is_regular() const;
    /// Whether it belongs to the user of this process.
    bool is_own() const;
    /// Whether it still has a name, that is, nobody has removed it.
    bool has_name() const;
    /// Locks the file for as long as it is open, or fails if another process has locked it.
    bool lock();
    /// Gives the file the permissions of the one at `path`, if there is one. On a disk without
    /// permissions there are none to give.
    void take_permissions(const std::filesystem::path& path);

  private:
    explicit SystemFile(int number) : number_(number) {}

    int number_ = -1;
};

/// Gives the file `from` the name `to`, in place of the file of that name, if there is one. At no
/// time is there neither. False if it fails, with the reason in errno.
bool rename_over(const std::filesystem::path& from, const std::filesystem::path& to);

/// Returns when a folder's names are on the disk. False, with errno EIO, if the disk fails. If the
/// folder cannot be flushed, the system does it in its own time, and this is true.
bool flush_folder(const std::filesystem::path& folder);

/// Whether there is a process of this number, which may be another user's.
bool process_exists(long number);

/// The name of this machine; "localhost" if that is unknown.
std::string host_name();

}  // namespace primer
// SPDX-License-Identifier: MIT

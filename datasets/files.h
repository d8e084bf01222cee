#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <istream>
#include <memory>
#include <span>
#include <string>

// Shared by the readers of published files: finding files, opening them and reporting what is wrong
// with them.

namespace primer::files {

/// The path for messages: absolute, and quoted for a shell.
std::string quoted(const std::filesystem::path& path);

/// quoted(path) for the arguments of check and fail. It is computed only when it is written,
/// because most checks pass, and asking the system for the current folder takes longer than all of
/// them.
struct Shown {
    explicit Shown(const std::filesystem::path& named) : path(named) {}

    const std::filesystem::path& path;
    friend std::ostream& operator<<(std::ostream& out, const Shown& later) {
        return out << quoted(later.path);
    }
};
inline Shown shown(const std::filesystem::path& path) { return Shown(path); }

/// A published dataset, with texts for messages.
struct Source {
    const char* name;       ///< of the function that reads it, and for ./primer fetch
    const char* title;      ///< for a person to read: "MNIST"
    bool published = true;  ///< whether ./primer fetch knows it

    /// The type of `path`, which need not exist. Throws Error if we may not look.
    std::filesystem::file_type type_of(const std::filesystem::path& path) const;
    bool there(const std::filesystem::path& path) const;
    /// Throws Error unless `dir` is a folder.
    void check_folder(const std::filesystem::path& dir) const;

    /// The end of a message about files missing from `dir`: the command that downloads them there,
    /// which replaces no file; or a hint to the folder with the dataset's name in `dir`, if there
    /// is one.
    std::string missing(const std::filesystem::path& dir) const;
    /// The end of a message about an unexpected file. It may be the user's own data, so the advice
    /// never replaces it.
    std::string compare() const;
};

/// A file that is read from beginning to end.
class File {
  public:
    /// Throws Error if `path` is not a file or cannot be opened.
    File(const Source& source, std::filesystem::path path);
    /// Reads from a seekable stream, which must outlive this; messages call it `path`.
    File(const Source& source, std::istream& in, std::filesystem::path path);

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t bytes() const { return bytes_; }
    /// Whether the file begins with these bytes. Does not move the position.
    bool begins_with(std::initializer_list<std::uint8_t> expected);
    /// Throws Error if the file is packed with gzip.
    void check_unpacked();
    /// Reads the next out.size() bytes. Throws Error if fewer are left.
    void read(std::span<std::uint8_t> out);

  private:
    void check_fits() const;

    Source source_;
    std::filesystem::path path_;
    std::unique_ptr<std::ifstream> opened_;  // nullptr if the caller owns the stream
    std::istream* stream_;
    std::uint64_t bytes_ = 0;
};

}  // namespace primer::files
// SPDX-License-Identifier: MIT

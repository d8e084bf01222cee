#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <istream>
#include <memory>
#include <span>
#include <string>

// What the readers of published files share: looking for files, opening them, and saying what is
// wrong with them.

namespace primer::files {

/// The path as messages show it: absolute, and quoted for a shell.
std::string quoted(const std::filesystem::path& path);

/// quoted(path), for the arguments of check and fail. It is made when it is written: most checks
/// pass, and to ask the system for the current folder takes longer than all of them.
struct Shown {
    explicit Shown(const std::filesystem::path& named) : path(named) {}

    const std::filesystem::path& path;
    friend std::ostream& operator<<(std::ostream& out, const Shown& later) {
        return out << quoted(later.path);
    }
};
inline Shown shown(const std::filesystem::path& path) { return Shown(path); }

/// A published dataset, and what messages say of it.
struct Source {
    const char* name;   ///< of the function that reads it and of what ./primer fetch downloads
    const char* title;  ///< for a person to read: "MNIST"

    /// What is at `path`. That nothing is there is an answer; throws Error if we may not look.
    std::filesystem::file_type type_of(const std::filesystem::path& path) const;
    bool there(const std::filesystem::path& path) const;
    /// Throws Error unless `dir` is a folder.
    void check_folder(const std::filesystem::path& dir) const;

    /// The end of a message about files that `dir` does not have: the command that downloads them
    /// there, which replaces no file; or the folder of the dataset's name in `dir`, if there is
    /// one.
    std::string missing(const std::filesystem::path& dir) const;
    /// The end of a message about a file that is there but not as expected. It may be somebody's
    /// own data, so this advises nothing that would put another file in its place.
    std::string compare() const;
};

/// A file that is read from its beginning to its end.
class File {
  public:
    /// Throws Error for what is no file, and for a file that cannot be opened.
    File(const Source& source, std::filesystem::path path);
    /// Reads from a stream that can seek and must outlive this; messages call it `path`.
    File(const Source& source, std::istream& in, std::filesystem::path path);

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t bytes() const { return bytes_; }
    /// Whether these are the first bytes. Moves nothing.
    bool begins_with(std::initializer_list<std::uint8_t> expected);
    /// Throws Error if the file is packed with gzip.
    void check_unpacked();
    /// The next out.size() bytes. Throws Error if there are not so many left.
    void read(std::span<std::uint8_t> out);

  private:
    Source source_;
    std::filesystem::path path_;
    std::unique_ptr<std::ifstream> opened_;  // by us; otherwise the stream is somebody else's
    std::istream* stream_;
    std::uint64_t bytes_ = 0;
};

}  // namespace primer::files

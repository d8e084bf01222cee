#include "files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "../core/error.h"
#include "../core/full_name.h"

namespace primer::files {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) {
    std::string text = "'";
    for (const char letter : full_name(path)) {
        letter == '\'' ? text += "'\\''" : text += letter;
    }
    return text += "'";
}

fs::file_type Source::type_of(const fs::path& path) const {
    std::error_code error;
    const fs::file_type type = fs::status(path, error).type();
    check(type != fs::file_type::none, name, ": cannot look at ", shown(path), ": ",
          error.message());
    return type;
}

bool Source::there(const fs::path& path) const { return type_of(path) != fs::file_type::not_found; }

void Source::check_folder(const fs::path& dir) const {
    check(!dir.empty(), name, ": expected the name of a folder with ", title,
          "'s files, found an empty one");
    const fs::file_type type = type_of(dir);
    check(type != fs::file_type::not_found, name, ": expected a folder with ", title,
          "'s files, found no ", shown(dir), missing(dir));
    check(type == fs::file_type::directory, name, ": expected a folder with ", title,
          "'s files, found ", shown(dir), ", which is a file; name the folder that it is in");
}

std::string Source::missing(const fs::path& dir) const {
    std::error_code ignored;
    if (fs::is_directory(dir / name, ignored)) {
        return "; there is a folder " + quoted(dir / name) + ": is that the one to name?";
    }
    return std::string("; in Primer's source folder, ./primer fetch ") + name + " --to " +
           quoted(dir) + " downloads it";
}

std::string Source::compare() const {
    if (!published) return "";
    return std::string("; in Primer's source folder, ./primer fetch ") + name +
           " --to NEW-FOLDER downloads the published files to compare with";
}

File::File(const Source& source, fs::path path)
    : source_(source),
      path_(std::move(path)),
      opened_(std::make_unique<std::ifstream>()),
      stream_(opened_.get()) {
    check(source.type_of(path_) == fs::file_type::regular, source.name, ": expected ", shown(path_),
          " to be a file, found a folder or a device; move it away");
    errno = 0;
    opened_->open(path_, std::ios::binary);
    std::error_code error(errno, std::generic_category());
    if (opened_->is_open()) bytes_ = fs::file_size(path_, error);
    check(opened_->is_open() && !error, source.name, ": expected ", shown(path_),
          " to be readable, found that it cannot be opened: ", error.message(),
          error == std::errc::permission_denied ? "; check its permissions" : "");
    check_fits();
}

File::File(const Source& source, std::istream& in, fs::path path)
    : source_(source), path_(std::move(path)), stream_(&in) {
    in.seekg(0, std::ios::end);
    const std::streamoff size = in.tellg();
    in.seekg(0);
    check(in.good() && size >= 0, source.name, ": expected ", shown(path_),
          " to be a stream that can seek, found one that cannot");
    bytes_ = static_cast<std::uint64_t>(size);
    check_fits();
}

void File::check_fits() const {
    check(std::in_range<std::ptrdiff_t>(bytes_), source_.name, ": expected ", shown(path_),
          " to fit into memory, found ", bytes_, " bytes");
}

bool File::begins_with(std::initializer_list<std::uint8_t> expected) {
    if (bytes_ < expected.size()) return false;
    const std::streampos here = stream_->tellg();
    stream_->seekg(0);
    const bool same = std::ranges::all_of(
        expected, [&](std::uint8_t byte) { return stream_->get() == int{byte}; });
    stream_->seekg(here);
    return same;
}

void File::check_unpacked() {
    if (!begins_with({0x1f, 0x8b})) return;
    std::string advice = "unpack it first";
    if (opened_ != nullptr) {
        fs::path packed = path_;
        packed += ".gz";
        advice = "mv -n " + quoted(path_) + " " + quoted(packed) + " && gunzip --keep " +
                 quoted(packed) + " unpacks it";
    }
    fail(source_.name, ": expected ", shown(path_),
         " unpacked, found that it begins with 1f 8b, as gzip's files do; ", advice);
}

void File::read(std::span<std::uint8_t> out) {
    stream_->read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    check(stream_->good(), source_.name, ": expected to read all ", bytes_, " bytes of ",
          shown(path_), ", found that reading stopped before the end; is the disk in order?");
}

}  // namespace primer::files
// SPDX-License-Identifier: MIT

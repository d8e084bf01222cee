#include "output_file.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <system_error>

#include "primer/core/error.h"
#include "primer/core/full_name.h"
#include "primer/core/io/replacement.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

bool is_weights(std::string_view start) {
    // The length of the header, 8 bytes, and then the header, a JSON object.
    return start.size() > 9 && start.substr(6, 2) == std::string_view("\0\0", 2) && start[8] == '{';
}

bool is_page(std::string_view start) {
    return start.starts_with("<!DOCTYPE html>") &&
           start.find("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"") !=
               start.npos;
}

}  // namespace

const FileKind kCheckpointFile{
    "a checkpoint", [](std::string_view start) { return start.starts_with("PRIMERCK"); }};
const FileKind kWeightsFile{"weights (safetensors)", is_weights};
const FileKind kPngFile{"a PNG picture",
                        [](std::string_view start) { return start.starts_with("\x89PNG\r\n"); }};
const FileKind kJsonFile{"JSON", [](std::string_view start) { return start.starts_with('{'); }};
const FileKind kPageFile{"a report of Primer", is_page};

void check_replaceable(const fs::path& path, const FileKind& kind) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    check(!fs::is_symlink(status), full_name(path), ": expected ", kind.what,
          " or nothing yet, to write there, got a link; name the file that it leads to");
    if (!fs::is_regular_file(status)) return;  // a folder and the like is refused when it is opened
    std::ifstream file(path, std::ios::binary);
    std::array<char, 1024> start{};
    file.read(start.data(), start.size());
    const std::string_view bytes(start.data(), static_cast<std::size_t>(file.gcount()));
    check(bytes.empty() || kind.is_one(bytes), full_name(path), ": expected ", kind.what,
          " or nothing yet, to write there, got another file, which is left as it is; name another "
          "one");
}

void check_can_save(const fs::path& path, const FileKind& kind) {
    check_replaceable(path, kind);
    const Replacement attempt(path, kind.what);  // gone again, as it is not committed
}

void replace_file(const fs::path& path, const FileKind& kind, std::string_view bytes) {
    check_replaceable(path, kind);
    Replacement file(path, kind.what);
    file.write(bytes);
    file.commit();
}

void make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directory(path, error);
    check(fs::symlink_status(path, error).type() == fs::file_type::directory, full_name(path),
          ": expected a folder to write to, or nothing yet, got ",
          error ? error.message() : "something else, or a link");
}

}  // namespace primer::examples

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

// Files that the programs write, where something may be in their place already: a user's own file
// that a flag names by mistake, or a link in a folder that came from somebody else.

namespace primer::examples {

/// A kind of file: what messages call it, and how its first 1024 bytes are known.
struct FileKind {
    const char* what;
    bool (*is_one)(std::string_view start);
};

extern const FileKind kCheckpointFile, kWeightsFile, kPngFile, kJsonFile, kPageFile;

/// The kinds that Graphviz and Mermaid read, and what Graphviz draws.
extern const FileKind kDotFile, kMermaidFile, kSvgFile;

/// Which of these is at `path`; null for another file, or none.
const FileKind* kind_of(const std::filesystem::path& path);

/// Throws Error unless nothing is at `path`, or an empty file, or one of this kind: never a link.
void check_replaceable(const std::filesystem::path& path, const FileKind& kind);

/// The same, and makes sure that a file can be made in its folder: to be asked before the work is
/// done whose result goes there.
void check_can_save(const std::filesystem::path& path, const FileKind& kind);

/// The same for a file that `flag` names. Throws WrongUsage, with the flag in front.
void check_can_save(const std::string& flag, const std::filesystem::path& path,
                    const FileKind& kind);

/// Throws WrongUsage, with `flag` in front, unless `path` is a folder that can be written to or one
/// that can be made.
void check_can_make_folder(const std::string& flag, const std::filesystem::path& path);

/// Writes the whole file, or throws Error and leaves what was there: check_replaceable, then a
/// Replacement.
void replace_file(const std::filesystem::path& path, const FileKind& kind, std::string_view bytes);

/// Makes the folder if it is not there. Throws Error if something else is, or a link.
void make_folder(const std::filesystem::path& path);

}  // namespace primer::examples

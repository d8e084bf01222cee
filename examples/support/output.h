#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

// What the programs write to: the terminal, and files.

namespace primer::examples {

// --- the terminal --------------------------------------------------------------------------------

/// How many letters fit into a line of standard output; 80 if it is not a terminal.
std::size_t terminal_width();

/// What the output may use.
struct TerminalStyle {
    bool live = false;   ///< a line can be drawn over: a terminal, other than TERM=dumb
    bool utf8 = false;   ///< the locale says so; otherwise ASCII alone
    bool color = false;  ///< live, and without NO_COLOR (https://no-color.org)
};

/// The style of standard output, as the environment asks for it.
TerminalStyle terminal_style();

// --- files ---------------------------------------------------------------------------------------

// The place of a file may be taken: by a user's own file that a flag names by mistake, or by a link
// in a folder that came from somebody else.

/// A kind of file: what messages call it, and how its first 1024 bytes identify it.
struct FileKind {
    const char* what;
    bool (*is_one)(std::string_view start);
};

extern const FileKind kCheckpointFile, kWeightsFile, kPngFile, kJsonFile, kPageFile;

/// The kinds that Graphviz and Mermaid read, and what Graphviz draws.
extern const FileKind kDotFile, kMermaidFile, kSvgFile;

/// Which of these is at `path`; null for another file, or none.
const FileKind* kind_of(const std::filesystem::path& path);

/// Throws Error unless `path` is free or has an empty file or one of this kind; never accepts a
/// link.
void check_replaceable(const std::filesystem::path& path, const FileKind& kind);

/// The same, and makes sure that a file can be made in its folder: call it before the work whose
/// result goes there.
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

/// Makes the folder if it does not exist. Throws Error if something else, or a link, is in its
/// place.
void make_folder(const std::filesystem::path& path);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <cstddef>
#include <filesystem>

// What differs between operating systems in a program, beside note_interrupts() in program.h and
// Lock in run_directory.h: system_posix.cpp and system_windows.cpp.

namespace primer::examples {

/// Opens /dev/null in place of standard input, output and error where they are closed: a file that
/// is opened later would get their number, and what is printed would land in it.
void open_missing_streams();

/// Whether standard output can be closed without an error: some file systems report a failed write
/// only then. Closes a copy, so that others may still print. If not, errno has the reason.
bool output_closes();

/// Whether standard output is a terminal, and how many columns it has; 0: unknown.
bool output_is_terminal();
std::size_t output_columns();

/// Whether this process may read the file, or make files in the folder.
bool can_read(const std::filesystem::path& file);
bool can_write_in(const std::filesystem::path& folder);

/// The signal that tells that nobody reads the output any more: SIGPIPE, where there is one.
inline constexpr int kReaderGone = 13;

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

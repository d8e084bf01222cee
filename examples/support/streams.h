#pragma once

namespace primer::examples {

/// Opens /dev/null in place of standard input, output and error where they are closed: a file that
/// is opened later would get their number, and what is printed would land in it.
void open_missing_streams();

/// Flushes standard output. Throws Error if not all that was printed to it could be written.
void check_output();

}  // namespace primer::examples

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run_reader.h"

namespace primer::examples {

/// The HTML of write_report's page.
std::string report_page(std::vector<Run> runs);

/// Makes a page of one run directory, or of several side by side: a single file, without scripts,
/// that refers to nothing outside of it. What a run has not written, because it was cut off, say,
/// is said to be missing. Throws Error, one line with the path, for what read_run and Replacement
/// do, and unless there are from 1 to 26 runs.
void write_report(const std::vector<std::filesystem::path>& runs,
                  const std::filesystem::path& html);

}  // namespace primer::examples

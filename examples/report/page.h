#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run_reader.h"

namespace primer::examples {

/// The page of one run or of several side by side, as HTML: a single file, without scripts, that
/// refers to nothing outside of it. It lists what a run has not written, because it was cut off,
/// say. Throws Error unless there are 1 to 26 runs.
std::string report_page(std::vector<Run> runs);

/// The same, read from run directories. Throws Error, one line with the path, for what read_run
/// rejects.
std::string report_of(const std::vector<std::filesystem::path>& folders);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

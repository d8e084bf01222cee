#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run_reader.h"

namespace primer::examples {

/// The page of one run or of several side by side, as HTML: a single file, without scripts, that
/// refers to nothing outside of it. It names what a run has not written as missing, say because the
/// run was cut off. Throws Error unless there are 1 to 26 runs.
std::string report_page(std::vector<Run> runs);

/// The same, read from run directories. Throws the Error of read_run, one line with the path.
std::string report_of(const std::vector<std::filesystem::path>& folders);

}  // namespace primer::examples

#pragma once

#include <filesystem>
#include <string>

namespace primer {

/// How many processors this process may keep busy, at least 1: those in its affinity mask (taskset,
/// a batch system), but at most the CPU quotas of its control groups (a container), rounded up: 2
/// for a quota of 1.5 processors. If the system has neither, the number of processors of the
/// machine.
int available_processors();

/// The CPU quota of this process in processors, rounded up: the smallest quota of its control group
/// and of the groups around it; 0 if none is limited. Reads /proc/self and the files of control
/// groups, version 1 and 2, below `root`.
int processors_of_quota(const std::filesystem::path& root = "/");

/// The processor's model name from /proc/cpuinfo; "" if the system has no such file or name.
std::string processor_name();

}  // namespace primer
// SPDX-License-Identifier: MIT

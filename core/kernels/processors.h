#pragma once

#include <filesystem>

namespace primer {

/// How many processors this process may keep busy, at least 1: those that its affinity mask allows
/// (taskset, a batch system) and no more than the CPU quotas of its control groups are worth (a
/// container), rounded up: with a quota of 1.5 processors it is 2. Where the system has neither,
/// the number of the machine's processors.
int available_processors();

/// What the CPU quotas of this process's control groups are worth in processors, rounded up: the
/// smallest of those of its group and of all that it lies in; 0 if none is limited. Reads
/// /proc/self and the control groups' files, version 1 and 2, below `root`.
int processors_of_quota(const std::filesystem::path& root = "/");

}  // namespace primer

#pragma once

#include <CLI/CLI.hpp>
#include <vector>

namespace primer::benchmarks {

/// Accepts whole numbers from `least` on.
CLI::Validator at_least(int least);

/// Adds --threads, a list of numbers of threads.
void add_threads_flag(CLI::App& app, std::vector<int>& threads);

/// The numbers of --threads, each once and in ascending order; by default 1 and num_threads().
std::vector<int> thread_counts(std::vector<int> given);

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

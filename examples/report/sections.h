#pragma once

#include <string>
#include <vector>

#include "run_reader.h"

namespace primer::examples {

// The parts of a report; page.cpp puts them together.

struct Report {
    std::vector<Run> runs;

    bool several() const { return runs.size() > 1; }
    /// The name that tells a run from the others without colour: "A", "B", ...
    std::string tag(std::size_t run) const { return std::string(1, static_cast<char>('A' + run)); }
    /// " of run B", or nothing if there is only one.
    std::string of_run(std::size_t run) const { return several() ? " of run " + tag(run) : ""; }
};

/// A part with its heading and a note beside it. `note` and `content` are HTML; an empty content
/// becomes "Not recorded."
std::string section(const std::string& id, const std::string& title, const std::string& note,
                    const std::string& content, int level = 2);

/// The legend: which line is which run.
std::string runs_legend(const Report& report);

std::string learning_section(const Report& report);
std::string pace_section(const Report& report);
std::string gradients_section(const Report& report);
std::string dead_units_section(const Report& report);
/// A table of the runs' results, with a column for each run.
std::string comparison_section(const Report& report);
std::string classes_comparison_section(const Report& report);
std::string settings_section(const Report& report);

// The parts of one run; `run` is its place in the report.
std::string confusion_section(const Report& report, std::size_t run);
std::string mistakes_section(const Report& report, std::size_t run);
std::string filters_section(const Report& report, std::size_t run);
std::string epochs_section(const Report& report, std::size_t run);
std::string model_section(const Report& report, std::size_t run);

/// The epoch with the highest test accuracy; null if there is none.
const EpochRecord* best_epoch(const Run& run);
/// Seconds of training, without the evaluations; kNotKnown if there is no epoch.
double training_seconds(const Run& run);
/// The median of the epochs' images a second or, if there is none, of the steps'.
double throughput(const Run& run);
/// "5" or, for a run that was cut off, "3 of 5".
std::string epochs_done(const Run& run);
/// Share of the test pictures of class `truth` that were classified right; kNotKnown if there is
/// none.
double class_accuracy(const Run& run, std::size_t truth);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <primer/core/io/event_file.h>
#include <primer/core/io/system.h>
#include <primer/datasets/training/evaluate.h>
#include <primer/layers/inspect/diagnostics.h>
#include "checkpoints.h"
#include "data.h"
#include "progress.h"
#include "run_directory.h"
#include "training_flags.h"

namespace primer::examples {

/// The model's answer for one example.
struct Prediction {
    Index truth = 0, guess = 0;  ///< classes
    double probability = 0;      ///< that the model gives its guess
};

/// An evaluation with all that the log and the report show of it.
struct DetailedEvaluation : Evaluation {
    std::vector<Prediction> predictions;  ///< of all examples, in the loader's order
    std::vector<DeadUnits> dead_units;    ///< of each activation layer
};

/// evaluate(), in detail. An interrupt ends it early; its result is then not to be used.
DetailedEvaluation evaluate_in_detail(Module& model, DataLoader& loader);

/// Logs a training run in its run directory:
///
///     run.json            what was run, on what, with what settings
///     metrics.jsonl       a line of JSON about every 50 steps, and one for each epoch
///     evaluation.json     how the test set was classified after the last epoch, and
///     pictures/           its most confident mistakes; the filters of the first layer
///     events.out.*        the same for TensorBoard
///     report.html         the same as a page, at the end, also after Ctrl-C
///
/// It draws no random numbers: the training has the same bits with and without it. Each output
/// fails on its own, with a warning, and is tried again the next time it is due; the training goes
/// on. Lines of metrics.jsonl that could not be written are written with later ones.
class RunLog {
  public:
    /// Does nothing yet. `command`: the program's name and its flags; `settings`: every flag;
    /// `part`: the folder below the directory, if that holds several runs. The references must
    /// outlive the log.
    RunLog(std::vector<std::string> command, std::vector<Setting> settings,
           const TrainAndTest& data, const Training& training, const RunCount& count,
           Progress& progress, RunDirectory& directory, std::string part);
    RunLog(const RunLog&) = delete;
    RunLog& operator=(const RunLog&) = delete;
    ~RunLog();

    /// Before the first step of this process; `model` is the table of its layers.
    void begin(const std::string& model);
    /// After each training step, once it is counted; `last`: it ends the epoch, or the run.
    void after_step(bool last);
    /// Before the count of the next epoch begins.
    void after_epoch(const DetailedEvaluation& test, bool best);
    /// Call when the run ends early: logs the steps since the last line.
    void leave();
    /// Logs the result of the whole run, and reports.
    std::filesystem::path finish();
    /// Writes the report of what is logged so far and returns its path; "" if that fails.
    std::filesystem::path report();

  private:
    using Clock = std::chrono::steady_clock;

    std::filesystem::path path() const { return directory_.path() / part_; }
    void attempt(const std::string& what, const std::function<void()>& write);
    void attempt_events(const std::function<void(SummaryWriter&)>& write);
    void attempt_run();
    void open_metrics();
    void append(const std::string& line);
    void write_pending();
    void write_run() const;
    void write_step();
    void write_epoch(const DetailedEvaluation& test, bool best);
    void write_evaluation(const DetailedEvaluation& test);
    void log_evaluation(SummaryWriter& events, const DetailedEvaluation& test) const;

    const std::vector<std::string> command_;
    const std::vector<Setting> settings_;
    const TrainAndTest& data_;
    const Training training_;
    const RunCount& count_;
    Progress& progress_;
    RunDirectory& directory_;
    const std::string part_;
    const Index every_;      // steps of an epoch
    std::string model_;      // the table of its layers
    Index begun_after_ = 0;  // steps
    bool run_written_ = false;
    SystemFile metrics_;   // once it is open
    std::string pending_;  // lines that are not in it yet
    std::unique_ptr<SummaryWriter> events_;
    Index events_skipped_ = 0;    // attempts since they failed
    EpochSums logged_;            // the epoch's sums up to the last line
    double earlier_seconds_ = 0;  // of the run, before it was resumed
    Clock::time_point start_ = Clock::now(), line_start_ = start_;
    double test_accuracy_ = 0;
};

/// For a directory with several runs, in these folders: writes a report of them all, and returns
/// its path; "" if that fails.
std::filesystem::path report_side_by_side(RunDirectory& directory,
                                          const std::vector<std::string>& parts);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

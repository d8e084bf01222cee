#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <primer/core/io/event_file.h>
#include "checkpoints.h"
#include "data.h"
#include "evaluate.h"
#include "progress.h"
#include "run_directory.h"

namespace primer::examples {

/// Writes down what there is to tell of a training run, in its run directory:
///
///     run.json            what was run, on what, with what settings
///     metrics.jsonl       a line of JSON about every 50 steps, and one for each epoch
///     evaluation.json     how the test set was classified after the last epoch, and
///     pictures/           its most confident mistakes; the filters of the first layer
///     events.out.*        all that for TensorBoard
///     report.html         all that as a page, at the end, also if Ctrl-C is that
///
/// It reads and draws no random numbers: the training is the same bits with and without. Each of
/// these fails for itself, with a warning, and is tried again when it is due the next time; the
/// training goes on. Lines of metrics.jsonl that could not be written come with later ones.
class RunLog {
  public:
    /// Does nothing yet. `part`: the folder below the directory, if that holds several runs.
    RunLog(const TrainingFlags& flags, const TrainAndTest& data, const Training& training,
           Progress& progress, RunDirectory& directory, std::string part);
    RunLog(const RunLog&) = delete;
    RunLog& operator=(const RunLog&) = delete;
    ~RunLog();

    /// Begins, or goes on after `done` steps; `model` is the table of its layers.
    void begin(Index done, const std::string& model);
    /// After each training step; `last`: it ends the epoch, or the run.
    void after_step(Index step, double loss, Index correct, Index examples, bool last);
    void after_epoch(Index step, const Evaluation& test, bool best);
    /// When `step` was the last one of a run that leaves early: logs those since the last line.
    void leave(Index step);
    /// Logs what has come of the whole run, and reports.
    std::filesystem::path finish();
    /// Writes the report of what there is so far and returns where it is; "" if there is none.
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
    void write_step(Index step);
    void write_epoch(Index step, const Evaluation& test, bool best);
    void write_evaluation(Index step, const Evaluation& test);
    void log_evaluation(SummaryWriter& events, Index step, const Evaluation& test) const;

    const TrainingFlags& flags_;
    const TrainAndTest& data_;
    Training training_;
    Progress& progress_;
    RunDirectory& directory_;
    const std::string part_;
    const Index every_;      // steps
    std::string model_;      // the table of its layers
    Index begun_after_ = 0;  // steps
    bool run_written_ = false;
    int metrics_ = -1;     // the file, once it is open
    std::string pending_;  // lines that are not in it yet
    std::unique_ptr<SummaryWriter> events_;
    Index events_skipped_ = 0;  // attempts since they failed
    EpochSums sums_;            // since the last line
    Index in_epoch_ = 0;
    double earlier_seconds_ = 0;  // of the run, before it was resumed
    Clock::time_point start_ = Clock::now(), line_start_ = start_;
    double test_accuracy_ = 0;
};

/// Where a directory holds several runs, in these folders: writes a report of them all, and returns
/// where it is; "" if there is none.
std::filesystem::path report_side_by_side(RunDirectory& directory,
                                          const std::vector<std::string>& parts);

}  // namespace primer::examples

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <primer/core/int_tensor.h>
#include <primer/core/tensor.h>
#include "checkpoints.h"
#include "data.h"
#include "progress.h"
#include "run_directory.h"
#include "run_log.h"
#include "training_flags.h"

namespace primer::examples {

/// Everything around the training loop of an example. The loop trains, and reports when a step or
/// an epoch is done; this class counts the steps, and shows the run (Progress), saves and resumes
/// it (Checkpoints) and logs it (RunLog).
class TrainingRun {
  public:
    /// Prints the model and its data, and resumes the run that --resume names. Throws Error for
    /// flags that make no sense and for a checkpoint that does not fit. All arguments but the flags
    /// must outlive the run.
    TrainingRun(const TrainingFlags& flags, const TrainAndTest& data, const Training& training);
    /// One of several runs in the same directory, each in a folder `part` of its own. Does not
    /// print the model and its data.
    TrainingRun(const TrainingFlags& flags, const TrainAndTest& data, const Training& training,
                RunDirectory& directory, const std::string& part);

    /// The number of training steps done, and of all.
    Index step() const { return count_.step; }
    Index steps() const { return steps_; }
    bool done() const { return step() >= steps_; }

    /// After each training step. Throws Error if the loss is not finite, and Interrupted if the
    /// user has asked for the end. Either way there is a report of what has been logged.
    void after_step(const Tensor& loss, const Tensor& logits, const IntTensor& labels);
    /// After each evaluation. Throws Interrupted, too.
    void after_epoch(const DetailedEvaluation& test);
    /// After the last one: makes the report and, of a single run, prints where it is.
    void finish();
    /// The same, saves the weights where --save-weights says, and prints the test accuracy. Throws
    /// Error if the weights cannot be saved, after all the rest.
    void finish(const std::string& network, const Evaluation& test);

    /// The time of the epochs so far in this process, without their evaluation.
    double training_seconds() const { return progress_.training_seconds(); }

  private:
    TrainingRun(const TrainingFlags& flags, const TrainAndTest& data, const Training& training,
                RunDirectory* directory, const std::string& part);

    void report_if_interrupted(const std::function<void()>& go_on);

    const double max_lr_;  // for a message
    const std::filesystem::path weights_file_;
    const bool quiet_;
    Module& model_;
    Optimizer& optimizer_;
    const std::string layers_;                   // the table of them
    std::optional<RunDirectory> own_directory_;  // unless it is another's
    RunDirectory& directory_;
    Lock weights_lock_;
    RunCount count_;
    Progress progress_;
    Checkpoints checkpoints_;
    RunLog log_;
    const Index steps_;
};

/// Prints the path of the report, if there is one.
void print_report_path(const std::filesystem::path& report);

}  // namespace primer::examples

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

/// The bookkeeping around an example's training loop. The loop trains, and says when a step or an
/// epoch is done; this counts the steps, shows the run (Progress), saves and resumes it
/// (Checkpoints) and logs it (RunLog).
class TrainingRun {
  public:
    /// Announces the data and the model, and resumes the run that --resume names. Throws Error for
    /// flags that make no sense and for a checkpoint that does not fit. The data and all of
    /// `training` must outlive the run.
    TrainingRun(const TrainingFlags& flags, const TrainAndTest& data, const Training& training);
    /// One of several runs in the same directory, each in a folder `part` of its own. Does not
    /// announce the data and the model.
    TrainingRun(const TrainingFlags& flags, const TrainAndTest& data, const Training& training,
                RunDirectory& directory, const std::string& part);

    /// How many training steps are done, and how many there will be.
    Index step() const { return count_.step; }
    Index steps() const { return steps_; }
    bool done() const { return step() >= steps_; }

    /// Call after each training step. Throws Error if the loss is not finite, and Interrupted if
    /// the user has asked to stop. Either way there is a report of what has been logged.
    void after_step(const Tensor& loss, const Tensor& logits, const IntTensor& labels);
    /// Call after each evaluation. It, too, throws Interrupted.
    void after_epoch(const DetailedEvaluation& test);
    /// Call after the last one: makes the report and, for a single run, prints where it is.
    void finish();
    /// The same, saves the weights where --save-weights says, and prints the test accuracy. Throws
    /// Error if the weights cannot be saved, after all the rest.
    void finish(const std::string& network, const Evaluation& test);

    /// Seconds that the epochs have taken so far in this process, without their evaluation.
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
    std::optional<RunDirectory> own_directory_;  // unless several runs share one
    RunDirectory& directory_;
    Lock weights_lock_;
    RunCount count_;
    Progress progress_;
    Checkpoints checkpoints_;
    RunLog log_;
    const Index steps_;
};

/// Prints where the report is, if there is one.
void print_report_path(const std::filesystem::path& report);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

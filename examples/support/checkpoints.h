#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <primer/core/io/checkpoint.h>
#include <primer/core/rng.h>
#include <primer/datasets/loader.h>
#include <primer/layers/module.h>
#include <primer/optim/optimizer.h>
#include "flags.h"
#include "lock.h"
#include "progress.h"
#include "run_directory.h"

namespace primer::examples {

/// A training run: all that changes in it, and so all that a checkpoint is of.
struct Training {
    Module& model;
    Optimizer& optimizer;
    Rng& rng;
    DataLoader& train_loader;
    DataLoader& test_loader;
    std::string note = "";  ///< whatever else a resumed run wants to find again
};

/// Takes up a training run that was stopped, with --resume, and saves it from time to time, to the
/// file of --checkpoint or, without it, in the run directory: every --save-every steps, at the end
/// of every epoch before its evaluation, and when a signal (interrupt.h) stops the program. What is
/// resumed ends with the same bits as what was never stopped.
///
/// Where a save fails, a line on standard error says so, training goes on and the next save is
/// tried all the same; or, with --save-required, Error is thrown.
class Checkpoints {
  public:
    /// Puts everything to where --resume left it, if that is given. Throws Error if that does not
    /// fit, for flags that make no sense, for a file that can not be written to, and if another
    /// process saves to it. From here on, interrupts are only noted.
    /// `data` is the folder of the training data, which a checkpoint names: what is resumed goes on
    /// with the same, from wherever it is started. Empty for drawn data.
    Checkpoints(const TrainingFlags& flags, const Training& training,
                const std::filesystem::path& data, Progress& progress, RunDirectory& directory);

    /// How many training steps are done.
    Index step() const { return step_; }

    /// After each training step; `step` is how many are done. Throws Interrupted if the user has
    /// asked for the end.
    void after_step(Index step);
    /// After each evaluation; returns whether its accuracy is the best so far. Throws Interrupted,
    /// too: then the evaluation has not been completed.
    bool after_epoch(double accuracy);
    /// At the end of the run: saves it, if the last attempt has failed.
    void finish();

  private:
    /// Where to save to; "": nowhere.
    std::string file() const;
    void resume();
    Checkpoint state() const;
    void save();
    [[noreturn]] void leave();

    const TrainingFlags& flags_;
    const std::vector<std::string> kept_;  // the flags that a checkpoint has
    Training training_;
    Progress& progress_;
    RunDirectory& directory_;
    Lock lock_;
    Index step_ = 0;
    Index saved_step_ = -1;  // of the last save that went well
    double best_accuracy_ = 0;
};

}  // namespace primer::examples

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <primer/core/rng.h>
#include <primer/datasets/loader.h>
#include <primer/layers/module.h>
#include <primer/optim/optimizer.h>
#include "progress.h"
#include "run_directory.h"
#include "training_flags.h"

namespace primer::examples {

/// Everything that changes in a training run, and so what a checkpoint holds.
struct Training {
    Module& model;
    Optimizer& optimizer;
    Rng& rng;
    DataLoader& train_loader;
    DataLoader& test_loader;
    std::string note = "";  ///< anything else that a resumed run needs
};

/// Resumes a training run, with --resume, and saves it from time to time, to the file of
/// --checkpoint or, without it, in the run directory: every --save-every steps, at the end of every
/// epoch before its evaluation, and when a signal stops the program. A resumed run ends with the
/// same bits as one that was never stopped.
///
/// If a save fails, a line on standard error says so, training goes on and the next save is tried
/// all the same; or, with --save-required, Error is thrown.
class Checkpoints {
  public:
    /// With --resume, restores everything, `count` included. Throws Error for a checkpoint that
    /// does not fit, for flags that make no sense, for a file that cannot be written to, and if
    /// another process saves to it. From here on, interrupts are only noted. All arguments but the
    /// flags must outlive this.
    ///
    /// `data` is the folder of the training data, which a checkpoint names: a resumed run continues
    /// with the same, wherever it is started. Empty for drawn data.
    Checkpoints(const TrainingFlags& flags, const Training& training,
                const std::filesystem::path& data, RunCount& count, Progress& progress,
                RunDirectory& directory);

    /// After each training step, once it is counted. Throws Interrupted if the user has asked for
    /// the end.
    void after_step();
    /// After each evaluation; returns whether its accuracy is the best so far. Throws Interrupted,
    /// too: then the evaluation has not been completed.
    bool after_epoch(double accuracy);
    /// At the end of the run: saves it, if the last attempt has failed.
    void finish();

  private:
    /// Where to save to; "": nowhere.
    std::string file() const;
    void resume(const TrainingFlags& flags, RunCount& count);
    void save();
    [[noreturn]] void leave();

    const std::string given_file_;  // by --checkpoint
    const Index save_every_;        // steps; 0: only at the end of epochs
    const bool required_;
    const std::vector<std::string> command_;  // as a checkpoint keeps it
    const Training training_;
    const RunCount& count_;
    Progress& progress_;
    RunDirectory& directory_;
    Lock lock_;
    Index saved_step_ = -1;  // of the last successful save
    double best_accuracy_ = 0;
};

}  // namespace primer::examples

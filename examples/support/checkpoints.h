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

namespace primer::examples {

/// All that changes in a training run, and so all that a checkpoint holds.
struct Training {
    Module& model;
    Optimizer& optimizer;
    Rng& rng;
    DataLoader& train_loader;
    DataLoader& test_loader;
    std::string note = "";  ///< anything else that a resumed run needs
};

/// What a run resumes from, and where and when it is saved, as its flags say.
struct Saving {
    std::string file;                  ///< of --checkpoint; empty: in the run directory
    Index every = 0;                   ///< steps; 0: only at the end of an epoch
    bool required = false;             ///< a save that fails ends the run
    std::string resume;                ///< the checkpoint to resume from; empty: none
    std::vector<std::string> command;  ///< the program and its flags, as a checkpoint keeps them
    bool dry_run = false;              ///< one step, which is saved
    bool quiet = false;
};

/// Resumes a training run, with --resume, and saves it from time to time, to the file of
/// --checkpoint or, without it, in the run directory: every --save-every steps, at the end of every
/// epoch before its evaluation, and when a signal stops the program. A resumed run ends with the
/// same bits as one that was never stopped.
///
/// If a save fails, a line on standard error says so, training goes on, and the next save is tried
/// as usual; with --save-required, Error is thrown instead.
class Checkpoints {
  public:
    /// With --resume, restores everything, `count` included. Throws Error if the checkpoint does
    /// not fit, for flags that make no sense, for a file that cannot be written to, and if another
    /// process saves to it. From here on, interrupts are only noted. All arguments but `saving` and
    /// `data` must outlive this object.
    ///
    /// `data` is the folder of the training data; empty for drawn data. A checkpoint names it, so
    /// that a resumed run finds the same data from any working directory.
    Checkpoints(Saving saving, const Training& training, const std::filesystem::path& data,
                RunCount& count, Progress& progress, RunDirectory& directory);

    /// Call after each training step, once it is counted. Throws Interrupted if the user has asked
    /// to stop.
    void after_step();
    /// Call after each evaluation; returns whether its accuracy is the best so far. It, too, throws
    /// Interrupted; the evaluation then does not count as completed.
    bool after_epoch(double accuracy);
    /// Call at the end of the run: saves it if the last attempt failed.
    void finish();

  private:
    /// Where to save to; "": nowhere.
    std::string file() const;
    void resume(RunCount& count);
    void save();
    [[noreturn]] void leave();

    const Saving saving_;
    const std::filesystem::path data_;  // absolute; empty for drawn data
    const Training training_;
    const RunCount& count_;
    Progress& progress_;
    RunDirectory& directory_;
    Lock lock_;
    Index saved_step_ = -1;  // of the last successful save
    double best_accuracy_ = 0;
};

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkpoints.h"
#include "program.h"
#include "run_directory.h"

namespace primer::examples {

/// A flag's name and value. Only its kind tells whether 007 is a number or the name of a folder.
struct Setting {
    enum class Kind { text, whole, real, toggle };

    std::string name, value;
    Kind kind = Kind::text;
};

/// The flags that every training example has; an example sets its own defaults first.
struct TrainingFlags {
    std::string data;  ///< folder with the data files; empty: look in the usual places
    int epochs = 5;
    int batch_size = 64;
    int test_batch_size = 1000;
    double lr = 0.1;  ///< the largest learning rate of the run
    double momentum = 0.9;
    double weight_decay = 0;
    std::uint64_t seed = 1;
    int threads = 0;  ///< 0: PRIMER_NUM_THREADS or, without it, all cores
    bool dry_run = false;

    std::string checkpoint;  ///< file that the run is saved to; empty: in the run directory
    int save_every = 0;      ///< steps; 0: only at the end of an epoch
    bool save_required = false;
    std::string resume;  ///< file to resume from; empty: start a new run

    std::string run_dir;      ///< folder for metrics, report and so on; empty: a new one
    bool no_run_dir = false;  ///< write no run directory
    bool quiet = false;       ///< print nothing but the result

    std::string save_weights;  ///< file for the trained weights; empty: they are not kept

    std::vector<std::string> command;  ///< the program's name and its flags; set by run
    std::vector<std::string> kept;  ///< those that a checkpoint keeps, without --data; set by run
    std::vector<Setting> settings;  ///< every flag, given or not; set by run
};

/// Where a run writes, and how it is saved and resumed, as its flags say. Both need run() to have
/// set flags.command.
RunPlace place_of(const TrainingFlags& flags);
Saving saving_of(const TrainingFlags& flags);

/// Offers the flags on the command line, with their defaults in --help.
void add_training_flags(CLI::App& app, TrainingFlags& flags);

/// Offers --save-weights.
void add_weights_flag(CLI::App& app, TrainingFlags& flags);

/// As run() of program.h; sets the number of threads, too. With --resume, flags of the training
/// that are not given keep their saved values; where to write is never taken from a checkpoint,
/// which may come from anybody. "latest" is the checkpoint in the run directory or, without
/// --run-dir, in the newest of the example's, and a folder means the checkpoint in it. A run
/// resumed from its run directory goes on there; any other checkpoint is saved to again.
int run(CLI::App& app, int argc, char** argv, TrainingFlags& flags,
        const std::function<void()>& body);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <filesystem>
#include <string>

#include "../../core/io/checkpoint.h"
#include "../../core/rng.h"
#include "../../layers/module.h"
#include "../../optim/optimizer.h"
#include "../loader.h"

namespace primer {

/// What training changes from step to step, and so what a checkpoint must hold:
///
///     save_checkpoint("run.ckpt", {model, optimizer, &loader}, step);
///     ...
///     Index step = load_checkpoint("run.ckpt", {model, optimizer, &loader});
///
/// A run resumed from there ends with the same bits as one that was never stopped. Options, such as
/// the learning rate, are not in the file; the program sets them, as at the first start. Checkpoint
/// lists what the file contains.
struct TrainingState {
    Module& model;         ///< its parameters, buffers and generators
    Optimizer& optimizer;  ///< what it remembers
    /// The loader of the training batches. `step` counts these, so an epoch that the loop leaves
    /// early is taken up where it was left.
    DataLoader* loader = nullptr;
    Rng* rng = nullptr;  ///< a generator that the loop draws from itself, such as &default_rng()
};

/// Writes the file as Checkpoint::save does: whole, or not at all. `step` is how many training
/// steps are done. Throws Error if the file cannot be written.
void save_checkpoint(const std::filesystem::path& path, const TrainingState& training,
                     Only<Index> step = 0);

/// Restores everything as save_checkpoint found it, and returns the step. The loader goes on with
/// the batch after the last one: with the rest of the epoch or, after a whole one, with the next.
/// Throws Error, one line with the path, for a file that cannot be read, is damaged or belongs to
/// another model, optimizer or loader; then nothing is changed.
Index load_checkpoint(const std::filesystem::path& path, const TrainingState& training);

/// save_checkpoint and load_checkpoint without the file, for a program that keeps more in its
/// checkpoints. take_checkpoint returns handles, so write them to a file before the next step.
/// `source` is what messages call the checkpoint.
Checkpoint take_checkpoint(const TrainingState& training, Only<Index> step = 0);
void restore_checkpoint(const Checkpoint& saved, const TrainingState& training,
                        const std::string& source);

}  // namespace primer
// SPDX-License-Identifier: MIT

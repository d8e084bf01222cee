#include "checkpoints.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/datasets/training/resume.h>
#include "output.h"
#include "program.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

TrainingState state_of(const Training& training) {
    return {training.model, training.optimizer, &training.train_loader, &training.rng};
}

}  // namespace

Checkpoints::Checkpoints(Saving saving, const Training& training, const fs::path& data,
                         RunCount& count, Progress& progress, RunDirectory& directory)
    : saving_(std::move(saving)),
      data_(data.empty() ? data : fs::absolute(data)),
      training_(training),
      count_(count),
      progress_(progress),
      directory_(directory) {
    const bool somewhere = !saving_.file.empty() || directory.wanted();
    check_usage(saving_.every == 0 || somewhere,
                "--save-every: expected --checkpoint FILE as well, got nowhere to save to");
    check_usage(!saving_.required || somewhere,
                "--save-required: expected --checkpoint FILE as well, got nowhere to save to");
    if (!saving_.file.empty()) {
        // A mistyped name is reported now, not an epoch later.
        const fs::path folder = fs::absolute(saving_.file).parent_path();
        check_usage(fs::is_directory(folder),
                    "--checkpoint: expected a file in a folder that is there, got ",
                    full_name(saving_.file));
        check_usage(!fs::is_directory(saving_.file),
                    "--checkpoint: expected a file, got the folder ", full_name(saving_.file));
        check_can_save("--checkpoint", saving_.file, kCheckpointFile);
    }
    directory.claim();
    if (!file().empty()) {
        check_replaceable(file(), kCheckpointFile);
        lock_ = lock_file(file());
    }
    if (!saving_.resume.empty()) resume(count);
    note_interrupts();
}

// In the run directory; "" until that could be made.
std::string Checkpoints::file() const {
    if (!saving_.file.empty()) return saving_.file;
    return directory_.path().empty() ? "" : (directory_.path() / kCheckpointName).string();
}

void Checkpoints::resume(RunCount& count) {
    const std::string source = full_name(saving_.resume);
    const Checkpoint saved = Checkpoint::load(saving_.resume);
    check(saving_.dry_run || saved.epoch() <= count.epochs, source,
          ": expected a checkpoint from the first ", count.epochs,
          " epochs, as --epochs has it, got one from epoch ", saved.epoch());
    Rng(0).set_state(saved.test_loader);  // throws before anything is changed
    restore_checkpoint(saved, state_of(training_), source);
    training_.test_loader.set_rng_state(saved.test_loader);
    if (saved.batch() == saved.batches) {
        // That epoch's evaluation is still to come: go on after all of its batches.
        training_.train_loader.set_rng_state(saved.train_loader);
        training_.train_loader.skip(saved.batches);
    }
    count.step = saved_step_ = saved.step;
    count.sums = saved.sums;
    best_accuracy_ = saved.best_accuracy;
    if (saving_.quiet) return;
    std::cout << "Resumed from " << source << ": " << saved.step << " steps are done.\n";
}

void Checkpoints::after_step() {
    const Index every = saving_.dry_run ? 1 : saving_.every;
    const bool due = count_.batch() == count_.batches || (every > 0 && count_.step % every == 0);
    if (due) save();
    if (interrupt() != 0) leave();
}

bool Checkpoints::after_epoch(double accuracy) {
    if (interrupt() != 0) leave();
    const bool best = accuracy > best_accuracy_;
    best_accuracy_ = std::max(best_accuracy_, accuracy);
    return best;
}

void Checkpoints::save() {
    if (saving_.file.empty() && !directory_.wanted()) return;
    try {
        // Makes the directory if that could not be done before.
        if (saving_.file.empty()) directory_.make();
        check_replaceable(file(), kCheckpointFile);
        Checkpoint checkpoint = take_checkpoint(state_of(training_), count_.step);
        checkpoint.command = saving_.command;
        // An absolute path: the run may be resumed from another working directory.
        if (!data_.empty()) checkpoint.command.push_back("--data=" + data_.string());
        checkpoint.note = training_.note;
        checkpoint.test_loader = training_.test_loader.rng_state();
        checkpoint.sums = count_.sums;
        checkpoint.best_accuracy = best_accuracy_;
        checkpoint.save(file());
        saved_step_ = count_.step;
        directory_.works("the checkpoint");
    } catch (const std::exception& error) {
        if (saving_.required) throw;
        if (!directory_.fails_anew("the checkpoint")) return;  // the user knows already
        progress_.make_room();
        print_warning(std::string(error.what()) +
                      "; the next save will be tried all the same, training goes on");
    }
}

void Checkpoints::finish() {
    if (saved_step_ != count_.step) save();
}

void Checkpoints::leave() {
    if (saved_step_ != count_.step) save();
    std::string message = "interrupted after step " + std::to_string(count_.step) + "; ";
    if (saved_step_ == count_.step) {
        message += "saved: go on with --resume " + printable(file());
    } else if (saving_.file.empty() && !directory_.wanted()) {
        message += "nothing is saved: there is no --checkpoint FILE";
    } else {
        message += "it could not be saved";
    }
    progress_.make_room();
    throw Interrupted(interrupt(), message);
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

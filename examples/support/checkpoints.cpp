#include "checkpoints.h"

#include <algorithm>
#include <iostream>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/optim/training/resume.h>
#include "output.h"
#include "program.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

TrainingState state_of(const Training& training) {
    return {training.model, training.optimizer, &training.train_loader, &training.rng};
}

// The program, its flags, and --data with the folder in which the data was found: a checkpoint may
// be resumed from another one.
std::vector<std::string> command_of(const TrainingFlags& flags, const fs::path& data) {
    std::vector<std::string> command{flags.command[0]};
    command.insert(command.end(), flags.kept.begin(), flags.kept.end());
    if (!data.empty()) command.push_back("--data=" + fs::absolute(data).string());
    return command;
}

}  // namespace

Checkpoints::Checkpoints(const TrainingFlags& flags, const Training& training, const fs::path& data,
                         RunCount& count, Progress& progress, RunDirectory& directory)
    : given_file_(flags.checkpoint),
      save_every_(flags.dry_run ? 1 : flags.save_every),
      required_(flags.save_required),
      command_(command_of(flags, data)),
      training_(training),
      count_(count),
      progress_(progress),
      directory_(directory) {
    const bool somewhere = !given_file_.empty() || directory.wanted();
    check_usage(flags.save_every == 0 || somewhere,
                "--save-every: expected --checkpoint FILE as well, got nowhere to save to");
    check_usage(!required_ || somewhere,
                "--save-required: expected --checkpoint FILE as well, got nowhere to save to");
    if (!given_file_.empty()) {
        // Report a mistyped path now, not an epoch later.
        const fs::path folder = fs::absolute(given_file_).parent_path();
        check_usage(fs::is_directory(folder),
                    "--checkpoint: expected a file in a folder that is there, got ",
                    full_name(given_file_));
        check_usage(!fs::is_directory(given_file_),
                    "--checkpoint: expected a file, got the folder ", full_name(given_file_));
        check_can_save("--checkpoint", given_file_, kCheckpointFile);
    }
    directory.claim();
    if (!file().empty()) {
        check_replaceable(file(), kCheckpointFile);
        lock_ = lock_file(file());
    }
    if (!flags.resume.empty()) resume(flags, count);
    note_interrupts();
}

// In the run directory, once that has been made.
std::string Checkpoints::file() const {
    if (!given_file_.empty()) return given_file_;
    return directory_.path().empty() ? "" : (directory_.path() / kCheckpointName).string();
}

void Checkpoints::resume(const TrainingFlags& flags, RunCount& count) {
    const std::string source = full_name(flags.resume);
    const Checkpoint saved = Checkpoint::load(flags.resume);
    check(flags.dry_run || saved.epochs_before() < flags.epochs, source,
          ": expected a checkpoint from the first ", flags.epochs,
          " epochs, as --epochs has it, got one from epoch ", saved.epochs_before() + 1);
    Rng(0).set_state(saved.test_loader);  // throws before anything is changed
    restore_checkpoint(saved, state_of(training_), source);
    training_.test_loader.set_rng_state(saved.test_loader);
    if (saved.batches_done() == saved.batches) {
        // The evaluation of that epoch is still to come: after an epoch of no batches.
        training_.train_loader.set_rng_state(saved.train_loader);
        training_.train_loader.skip(saved.batches);
    }
    count.step = saved_step_ = saved.step;
    count.sums = saved.sums;
    best_accuracy_ = saved.best_accuracy;
    if (flags.quiet) return;
    std::cout << "Resumed from " << source << ": " << saved.step << " steps are done.\n";
}

void Checkpoints::after_step() {
    const bool due =
        count_.batch() == count_.batches || (save_every_ > 0 && count_.step % save_every_ == 0);
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
    if (given_file_.empty() && !directory_.wanted()) return;
    try {
        // Makes the directory if that could not be done before.
        if (given_file_.empty()) directory_.make();
        check_replaceable(file(), kCheckpointFile);
        Checkpoint checkpoint = take_checkpoint(state_of(training_), count_.step);
        checkpoint.command = command_;
        checkpoint.note = training_.note;
        checkpoint.test_loader = training_.test_loader.rng_state();
        checkpoint.sums = count_.sums;
        checkpoint.best_accuracy = best_accuracy_;
        checkpoint.save(file());
        saved_step_ = count_.step;
        directory_.works("the checkpoint");
    } catch (const std::exception& error) {
        if (required_) throw;
        if (!directory_.fails_anew("the checkpoint")) return;  // that is known already
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
    } else if (given_file_.empty() && !directory_.wanted()) {
        message += "nothing is saved: there is no --checkpoint FILE";
    } else {
        message += "it could not be saved";
    }
    progress_.make_room();
    throw Interrupted(interrupt(), message);
}

}  // namespace primer::examples

#include "checkpoints.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include "interrupt.h"
#include "output_file.h"
#include "wrong_usage.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

ModelState state_of(const Training& training) {
    ModelState state;
    TextStream description;
    description << training.model;
    state.description = description.str();
    for (const StateEntry& entry : training.model.state_dict()) {
        state.tensors.emplace_back(entry.name, entry.tensor);
    }
    for (const auto& [name, generator] : training.model.named_generators()) {
        state.generators.emplace_back("model." + name, generator);
    }
    state.generators.emplace_back("rng", &training.rng);
    return state;
}

// The flags, and --data with the folder in which the data was found. A checkpoint may be resumed
// from another one.
std::vector<std::string> with_data(std::vector<std::string> flags, const fs::path& data) {
    if (!data.empty()) flags.push_back("--data=" + fs::absolute(data).string());
    return flags;
}

}  // namespace

Checkpoints::Checkpoints(const TrainingFlags& flags, const Training& training, const fs::path& data,
                         Progress& progress, RunDirectory& directory)
    : flags_(flags),
      kept_(with_data(flags.kept, data)),
      training_(training),
      progress_(progress),
      directory_(directory) {
    const bool somewhere = !flags.checkpoint.empty() || directory.wanted();
    check_usage(flags.save_every == 0 || somewhere,
                "--save-every: expected --checkpoint FILE as well, got nowhere to save to");
    check_usage(!flags.save_required || somewhere,
                "--save-required: expected --checkpoint FILE as well, got nowhere to save to");
    if (!flags.checkpoint.empty()) {
        // A slip of the pen should not be found out an epoch later.
        const fs::path folder = fs::absolute(flags.checkpoint).parent_path();
        check_usage(fs::is_directory(folder),
                    "--checkpoint: expected a file in a folder that is there, got ",
                    full_name(flags.checkpoint));
        check_usage(!fs::is_directory(flags.checkpoint),
                    "--checkpoint: expected a file, got the folder ", full_name(flags.checkpoint));
        check_can_save("--checkpoint", flags.checkpoint, kCheckpointFile);
    }
    directory.claim();
    if (!file().empty()) {
        check_replaceable(file(), kCheckpointFile);
        lock_ = lock_file(file());
    }
    if (!flags.resume.empty()) resume();
    note_interrupts();
}

// In the run directory, once that could be made.
std::string Checkpoints::file() const {
    if (!flags_.checkpoint.empty()) return flags_.checkpoint;
    return directory_.path().empty() ? "" : (directory_.path() / kCheckpointName).string();
}

void Checkpoints::resume() {
    const std::string source = full_name(flags_.resume);
    const Checkpoint saved = Checkpoint::load(flags_.resume);
    const ModelState model = state_of(training_);
    DataLoader& loader = training_.train_loader;
    saved.check_fits(model, source);
    check(saved.batches == loader.batches() && saved.examples == loader.size(), source,
          ": expected a checkpoint of epochs of ", loader.size(), " examples in ", loader.batches(),
          " batches, got one of ", saved.examples, " in ", saved.batches,
          "; are --data and --batch-size what they were?");
    check(flags_.dry_run || saved.step <= flags_.epochs * saved.batches, source,
          ": expected a checkpoint from the first ", flags_.epochs,
          " epochs, as --epochs has it, got one from epoch ", saved.epochs_before() + 1);

    // What may throw comes first: nothing is changed by a file that fits only a part of the run.
    for (const Rng::State& state : {saved.train_loader, saved.test_loader}) Rng(0).set_state(state);
    training_.optimizer.check_state(saved.optimizer);
    saved.restore(model, source);
    training_.optimizer.load_state(saved.optimizer);
    loader.set_rng_state(saved.train_loader);
    loader.skip(saved.batches_done());
    training_.test_loader.set_rng_state(saved.test_loader);
    progress_.resume(saved.step, saved.sums);
    step_ = saved_step_ = saved.step;
    best_accuracy_ = saved.best_accuracy;
    if (flags_.quiet) return;
    std::cout << "Resumed from " << source << ": " << step_ << " steps are done.\n";
}

void Checkpoints::after_step(Index step) {
    step_ = step;
    const bool due = flags_.dry_run || step % training_.train_loader.batches() == 0 ||
                     (flags_.save_every > 0 && step % flags_.save_every == 0);
    if (due) save();
    if (interrupt() != 0) leave();
}

bool Checkpoints::after_epoch(double accuracy) {
    if (interrupt() != 0) leave();
    const bool best = accuracy > best_accuracy_;
    best_accuracy_ = std::max(best_accuracy_, accuracy);
    return best;
}

Checkpoint Checkpoints::state() const {
    Checkpoint checkpoint;
    checkpoint.command = {flags_.command[0]};
    checkpoint.command.insert(checkpoint.command.end(), kept_.begin(), kept_.end());
    checkpoint.note = training_.note;
    checkpoint.take(state_of(training_));
    checkpoint.optimizer = training_.optimizer.named_state();
    checkpoint.step = step_;
    checkpoint.batches = training_.train_loader.batches();
    checkpoint.examples = training_.train_loader.size();
    checkpoint.train_loader = training_.train_loader.epoch_state();
    checkpoint.test_loader = training_.test_loader.rng_state();
    checkpoint.sums = progress_.sums();
    checkpoint.best_accuracy = best_accuracy_;
    return checkpoint;
}

void Checkpoints::save() {
    if (flags_.checkpoint.empty() && !directory_.wanted()) return;
    try {
        // Makes the directory if that could not be done before.
        if (flags_.checkpoint.empty()) directory_.make();
        check_replaceable(file(), kCheckpointFile);
        state().save(file());
        saved_step_ = step_;
        directory_.works("the checkpoint");
    } catch (const std::exception& error) {
        if (flags_.save_required) throw;
        if (!directory_.fails_anew("the checkpoint")) return;  // that is known already
        progress_.make_room();
        print_warning(std::string(error.what()) +
                      "; the next save will be tried all the same, training goes on");
    }
}

void Checkpoints::finish() {
    if (saved_step_ != step_) save();
}

void Checkpoints::leave() {
    if (saved_step_ != step_) save();
    std::string message = "interrupted after step " + std::to_string(step_) + "; ";
    if (saved_step_ == step_) {
        message += "saved: go on with --resume " + printable(file());
    } else if (flags_.checkpoint.empty() && flags_.no_run_dir) {
        message += "nothing is saved: there is no --checkpoint FILE";
    } else {
        message += "it could not be saved";
    }
    progress_.make_room();
    throw Interrupted(interrupt(), message);
}

}  // namespace primer::examples

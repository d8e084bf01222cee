#include "resume.h"

#include "../../core/error.h"
#include "../../core/full_name.h"
#include "../../core/text.h"

namespace primer {
namespace {

ModelState state_of(const TrainingState& training) {
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
    if (training.rng != nullptr) state.generators.emplace_back("rng", training.rng);
    return state;
}

void check_loader(const Checkpoint& saved, const DataLoader* loader, const std::string& source) {
    const bool has_loader = saved.train_loader != Rng::State{};
    const auto with = [](bool there) { return there ? "with a loader" : "without a loader"; };
    check(has_loader == (loader != nullptr), source, ": expected a checkpoint ",
          with(loader != nullptr), ", got one ", with(has_loader),
          "; name the same parts as when it was saved");
    if (loader == nullptr) return;
    check(saved.batches == loader->batches() && saved.examples == loader->examples(), source,
          ": expected a checkpoint of epochs of ", loader->examples(), " examples in ",
          loader->batches(), " batches, got one of ", saved.examples, " in ", saved.batches,
          "; are the data and the batch size what they were?");
}

}  // namespace

Checkpoint take_checkpoint(const TrainingState& training, Only<Index> step) {
    check(step >= 0, "take_checkpoint: expected a step of at least 0, got ", Index{step});
    Checkpoint checkpoint;
    checkpoint.take(state_of(training));
    checkpoint.optimizer = training.optimizer.named_state();
    checkpoint.step = step;
    if (training.loader != nullptr) {
        checkpoint.batches = training.loader->batches();
        checkpoint.examples = training.loader->examples();
        checkpoint.train_loader = training.loader->epoch_state();
    }
    return checkpoint;
}

void restore_checkpoint(const Checkpoint& saved, const TrainingState& training,
                        const std::string& source) {
    const ModelState model = state_of(training);
    // All checks come first, so a file that fits only a part changes nothing.
    saved.check_fits(model, source);
    check_loader(saved, training.loader, source);
    training.optimizer.check_state(saved.optimizer);
    saved.restore(model, source);
    training.optimizer.load_state(saved.optimizer);
    if (training.loader == nullptr) return;
    training.loader->set_rng_state(saved.train_loader);
    training.loader->skip(saved.batch());
    // After a whole epoch no batch of it is left, so the next epoch follows.
    if (saved.batch() == saved.batches) training.loader->begin();
}

void save_checkpoint(const std::filesystem::path& path, const TrainingState& training,
                     Only<Index> step) {
    take_checkpoint(training, step).save(path);
}

Index load_checkpoint(const std::filesystem::path& path, const TrainingState& training) {
    const Checkpoint saved = Checkpoint::load(path);
    restore_checkpoint(saved, training, full_name(path));
    return saved.step;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

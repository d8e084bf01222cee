#include "training_run.h"

#include <cstdio>
#include <iostream>

#include <primer/core/error.h>
#include <primer/core/io/safetensors.h>
#include <primer/core/metrics.h>
#include <primer/layers/inspect/summary.h>
#include "output.h"

namespace primer::examples {
namespace {

/// The table of the model's layers. If `shown`, prints it, after a line about the data.
std::string introduce(const TrainAndTest& data, Index batch_size, Module& model, bool shown) {
    const Shape picture = data.train.shape();
    TextStream table;
    table << summary(model, {batch_size, picture[0], picture[1], picture[2]});
    if (shown) {
        announce(data);
        std::cout << table.str() << '\n';
    }
    return table.str();
}

}  // namespace

void print_report_path(const std::filesystem::path& report) {
    if (!report.empty()) std::cout << "Report: " << printable(report.string()) << '\n';
}

TrainingRun::TrainingRun(const TrainingFlags& flags, const TrainAndTest& data,
                         const Training& training)
    : TrainingRun(flags, data, training, nullptr, "") {}

TrainingRun::TrainingRun(const TrainingFlags& flags, const TrainAndTest& data,
                         const Training& training, RunDirectory& directory, const std::string& part)
    : TrainingRun(flags, data, training, &directory, part) {}

TrainingRun::TrainingRun(const TrainingFlags& flags, const TrainAndTest& data,
                         const Training& training, RunDirectory* directory, const std::string& part)
    : max_lr_(flags.lr),
      weights_file_(flags.save_weights),
      quiet_(flags.quiet),
      model_(training.model),
      optimizer_(training.optimizer),
      layers_(introduce(data, flags.batch_size, model_, directory == nullptr && !quiet_)),
      own_directory_(directory == nullptr ? std::optional<RunDirectory>(place_of(flags))
                                          : std::nullopt),
      directory_(directory == nullptr ? *own_directory_ : *directory),
      count_{.epochs = flags.dry_run ? 1 : flags.epochs,
             .batches = training.train_loader.batches(),
             .sums = {}},
      progress_(count_, quiet_),
      checkpoints_(saving_of(flags), training, data.folder, count_, progress_, directory_),
      log_(flags.command, flags.settings, data, training, count_, progress_, directory_, part),
      steps_(flags.dry_run ? count_.step + 1 : count_.epochs * count_.batches) {
    if (!weights_file_.empty()) {
        check_can_save("--save-weights", weights_file_, kWeightsFile);
        weights_lock_ = lock_file(weights_file_);
    }
    progress_.begin();
    log_.begin(layers_);
}

void TrainingRun::after_step(const Tensor& loss, const Tensor& logits, const IntTensor& labels) {
    double value = 0;
    try {
        value = loss_value(loss);
    } catch (const Error& error) {
        log_.report();
        fail("step ", step() + 1, ": ", error.what(), " (--lr was ", max_lr_, ")");
    }
    const Index correct = count_correct(logits, labels), examples = logits.shape()[0];
    count_.add(value, correct, examples);
    progress_.step(value, static_cast<double>(correct) / static_cast<double>(examples),
                   optimizer_.lr());
    log_.after_step(count_.batch() == count_.batches || done());
    report_if_interrupted([&] { checkpoints_.after_step(); });
}

void TrainingRun::after_epoch(const DetailedEvaluation& test) {
    bool best = false;
    report_if_interrupted([&] { best = checkpoints_.after_epoch(test.accuracy); });
    log_.after_epoch(test, best);
    progress_.end_epoch(test.accuracy);
    count_.sums = {};
}

void TrainingRun::report_if_interrupted(const std::function<void()>& go_on) {
    try {
        go_on();
    } catch (...) {  // also a save that was required
        log_.leave();
        log_.report();
        throw;
    }
}

void TrainingRun::finish() {
    checkpoints_.finish();
    const std::filesystem::path report = log_.finish();
    if (own_directory_.has_value() && !quiet_) print_report_path(report);
}

void TrainingRun::finish(const std::string& network, const Evaluation& test) {
    // A failure is reported last: the accuracy and the report come first in any case.
    std::string failure;
    try {
        if (!weights_file_.empty()) {
            check_replaceable(weights_file_, kWeightsFile);
            save_safetensors(weights_file_, model_.state_dict(),
                             {{"format", "pt"}, {"network", network}});
            if (!quiet_) {
                std::cout << "Weights saved to " << printable(weights_file_.string()) << '\n';
            }
        }
    } catch (const std::exception& error) {
        failure = error.what();
    }
    finish();
    std::printf("test accuracy: %.2f%%\n", 100 * test.accuracy);
    check(failure.empty(), failure);
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

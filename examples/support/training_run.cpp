#include "training_run.h"

#include <cstdio>
#include <iostream>

#include <primer/core/error.h>
#include <primer/core/metrics.h>
#include <primer/layers/inspect/summary.h>
#include "interrupt.h"
#include "networks.h"
#include "output_file.h"

namespace primer::examples {
namespace {

/// The table of the model's layers; says what is trained on what, if anybody is to hear it.
std::string introduce(const TrainingFlags& flags, const TrainAndTest& data, Module& model,
                      bool announced) {
    const Shape picture = data.train.shape();
    TextStream table;
    table << summary(model, {flags.batch_size, picture[0], picture[1], picture[2]});
    if (!announced && !flags.quiet) {
        announce(data);
        std::cout << table.str() << '\n';
    }
    return table.str();
}

}  // namespace

void tell_of_report(const TrainingFlags& flags, const std::filesystem::path& report) {
    if (!report.empty() && !flags.quiet)
        std::cout << "Report: " << printable(report.string()) << '\n';
}

TrainingRun::TrainingRun(const TrainingFlags& flags, const TrainAndTest& data,
                         const Training& training)
    : TrainingRun(flags, data, training, nullptr, "") {}

TrainingRun::TrainingRun(const TrainingFlags& flags, const TrainAndTest& data,
                         const Training& training, RunDirectory& directory, const std::string& part)
    : TrainingRun(flags, data, training, &directory, part) {}

TrainingRun::TrainingRun(const TrainingFlags& flags, const TrainAndTest& data,
                         const Training& training, RunDirectory* directory, const std::string& part)
    : flags_(flags),
      model_of_run_(training.model),
      optimizer_(training.optimizer),
      batches_(training.train_loader.batches()),
      model_(introduce(flags, data, training.model, directory != nullptr)),
      own_directory_(directory == nullptr ? std::optional(RunDirectory(flags)) : std::nullopt),
      directory_(directory == nullptr ? *own_directory_ : *directory),
      progress_(flags.dry_run ? 1 : flags.epochs, batches_, flags.quiet),
      checkpoints_(flags, training, data.folder, progress_, directory_),
      log_(flags, data, training, progress_, directory_, part),
      step_(checkpoints_.step()),
      steps_(flags.dry_run ? step_ + 1 : flags.epochs * batches_) {
    if (!flags.save_weights.empty()) {
        check_can_save("--save-weights", flags.save_weights, kWeightsFile);
        weights_lock_ = lock_file(flags.save_weights);
    }
    log_.begin(step_, model_);
}

void TrainingRun::after_step(const Tensor& loss, const Tensor& logits, const IntTensor& labels) {
    ++step_;
    double value = 0;
    try {
        value = loss_value(loss);
    } catch (const Error& error) {
        log_.report();
        fail("step ", step_, ": ", error.what(), " (--lr was ", flags_.lr, ")");
    }
    const Index correct = count_correct(logits, labels), examples = logits.shape()[0];
    progress_.step(value, correct, examples, optimizer_.lr());
    log_.after_step(step_, value, correct, examples, step_ % batches_ == 0 || done());
    report_if_interrupted([&] { checkpoints_.after_step(step_); });
}

void TrainingRun::after_epoch(const Evaluation& test) {
    bool best = false;
    report_if_interrupted([&] { best = checkpoints_.after_epoch(test.accuracy); });
    log_.after_epoch(step_, test, best);
    progress_.end_epoch(test.accuracy);
}

void TrainingRun::report_if_interrupted(const std::function<void()>& go_on) {
    try {
        go_on();
    } catch (...) {  // also a save that was required
        log_.leave(step_);
        log_.report();
        throw;
    }
}

void TrainingRun::finish() {
    checkpoints_.finish();
    const std::filesystem::path report = log_.finish();
    if (own_directory_.has_value()) tell_of_report(flags_, report);
}

void TrainingRun::finish(const std::string& network, const Evaluation& test) {
    // What has failed is told in the end: the accuracy and the report are there all the same.
    std::string failure;
    try {
        save_weights(flags_, network, model_of_run_);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    finish();
    std::printf("test accuracy: %.2f%%\n", 100 * test.accuracy);
    check(failure.empty(), failure);
}

}  // namespace primer::examples

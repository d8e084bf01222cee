#include "progress.h"

#include <iostream>
#include <string>

#include "system.h"

namespace primer::examples {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};  // a line that changes faster cannot be read
constexpr Index kPlainLines = 4;                   // for each epoch, the one at its end included
constexpr double kKept = 0.98;                     // of the smoothed means at each step

// Plain lines go to a file, or to a terminal that tells its width but cannot redraw a line.
std::size_t plain_width() {
    return output_is_terminal() ? terminal_width() - 1 : std::string::npos;
}

}  // namespace

void RunCount::add(double loss, Index correct, Index examples) {
    ++step;
    sums.loss += loss * static_cast<double>(examples);
    sums.correct += correct;
    sums.examples += examples;
}

Progress::Progress(const RunCount& count, bool quiet) : count_(count), quiet_(quiet) {}

void Progress::begin() {
    resumed_steps_ = count_.step;
    resumed_examples_ = count_.sums.examples;
    start_ = epoch_start_ = last_step_ = Clock::now();
}

void Progress::step(double loss, double accuracy, double lr) {
    smooth_loss_ = kKept * smooth_loss_ + (1 - kKept) * loss;
    smooth_accuracy_ = kKept * smooth_accuracy_ + (1 - kKept) * accuracy;
    smooth_weight_ = kKept * smooth_weight_ + (1 - kKept);
    losses_.add(loss);
    lr_ = lr;
    last_step_ = Clock::now();
    if (quiet_) return;
    const Index batch = count_.batch(), batches = count_.batches;
    if (style_.live) {
        // After an epoch's last step, none follows until the test set has been evaluated.
        if (last_step_ - shown_ >= kRedraw || batch == batches) draw();
    } else if (batch * kPlainLines / batches != (batch - 1) * kPlainLines / batches &&
               batch < batches) {
        std::cout << plain_line(status(), plain_width()) << std::endl;
    }
}

void Progress::draw() {
    shown_ = last_step_;
    const std::size_t width = terminal_width();
    // A terminal that has become narrower has wrapped the line, and its row is unknown. So the old
    // line stays, and a new one begins.
    if (drawn_ >= width) std::cout << '\n';
    // The last column stays free: a letter there moves some terminals to the next row.
    const std::string line = live_line(status(), width - 1, style_);
    drawn_ = columns(line);
    std::cout << '\r' << line << "\x1b[K" << std::flush;
}

void Progress::make_room() {
    if (drawn_ > 0) std::cout << "\r\x1b[K" << std::flush;
    drawn_ = 0;
}

double Progress::images_per_s() const {
    return static_cast<double>(count_.sums.examples - resumed_examples_) / epoch_seconds();
}

Status Progress::status() const {
    const double run = Seconds(last_step_ - start_).count();
    const auto done = static_cast<double>(count_.step - resumed_steps_);
    const auto left = static_cast<double>(count_.epochs * count_.batches - count_.step);
    return {.epoch = count_.epoch(),
            .epochs = count_.epochs,
            .batch = count_.batch(),
            .batches = count_.batches,
            .testing = count_.batch() == count_.batches,
            .loss = smooth_loss_ / smooth_weight_,
            .accuracy = smooth_accuracy_ / smooth_weight_,
            .lr = lr_,
            .images_per_s = images_per_s(),
            .seconds_left = run / done * left,
            .losses = losses_.values()};
}

void Progress::end_epoch(double test_accuracy) {
    make_room();
    const EpochSums& sums = count_.sums;
    const auto seen = static_cast<double>(sums.examples);
    if (!quiet_) {
        std::cout << epoch_line({.epoch = count_.epoch(),
                                 .epochs = count_.epochs,
                                 .loss = sums.loss / seen,
                                 .accuracy = static_cast<double>(sums.correct) / seen,
                                 .test_accuracy = test_accuracy,
                                 .seconds = epoch_seconds()},
                                style_.live ? terminal_width() - 1 : plain_width())
                  << std::endl;
    }
    training_ += last_step_ - epoch_start_;
    resumed_examples_ = 0;
    epoch_start_ = last_step_ = Clock::now();
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#include "progress.h"

#include <unistd.h>

#include <iostream>
#include <string>

namespace primer::examples {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};  // a line that changes faster can not be read
constexpr Index kPlainLines = 4;                   // for each epoch, the one at its end included
constexpr double kKept = 0.98;                     // of the smoothed means at each step

// Plain lines go to a file, or to a terminal of which nothing is known but its width.
std::size_t plain_width() {
    return isatty(STDOUT_FILENO) == 1 ? terminal_width() - 1 : std::string::npos;
}

}  // namespace

Progress::Progress(Index epochs, Index batches_per_epoch, bool quiet)
    : epochs_(epochs), batches_(batches_per_epoch), quiet_(quiet) {}

void Progress::step(double loss, Index correct, Index examples, double lr) {
    ++batch_;
    sums_.loss += loss * static_cast<double>(examples);
    sums_.correct += correct;
    sums_.examples += examples;
    const double accuracy = static_cast<double>(correct) / static_cast<double>(examples);
    smooth_loss_ = kKept * smooth_loss_ + (1 - kKept) * loss;
    smooth_accuracy_ = kKept * smooth_accuracy_ + (1 - kKept) * accuracy;
    smooth_weight_ = kKept * smooth_weight_ + (1 - kKept);
    losses_.add(loss);
    lr_ = lr;
    last_step_ = Clock::now();
    if (quiet_) return;
    if (style_.live) {
        // After the last step of an epoch, no other one comes until the test set is evaluated.
        if (last_step_ - shown_ >= kRedraw || batch_ == batches_) draw();
    } else if (batch_ * kPlainLines / batches_ != (batch_ - 1) * kPlainLines / batches_ &&
               batch_ < batches_) {
        std::cout << plain_line(status(), plain_width()) << std::endl;
    }
}

void Progress::draw() {
    shown_ = last_step_;
    const std::size_t width = terminal_width();
    // A terminal that has become narrower has wrapped the line, and what is on which row now is
    // anybody's guess: it is left there, and a new one begun.
    if (drawn_ >= width) std::cout << '\n';
    // The last column stays free: after a letter there, some terminals are on the next row.
    const std::string line = live_line(status(), width - 1, style_);
    drawn_ = columns(line);
    std::cout << '\r' << line << "\x1b[K" << std::flush;
}

void Progress::make_room() {
    if (drawn_ > 0) std::cout << "\r\x1b[K" << std::flush;
    drawn_ = 0;
}

double Progress::images_per_s() const {
    return static_cast<double>(sums_.examples - resumed_.examples) / epoch_seconds();
}

Status Progress::status() const {
    const double run = Seconds(last_step_ - start_).count();
    const Index steps = (epoch_ - 1) * batches_ + batch_;
    const auto done = static_cast<double>(steps - resumed_steps_);
    const auto left = static_cast<double>(epochs_ * batches_ - steps);
    return {.epoch = epoch_,
            .epochs = epochs_,
            .batch = batch_,
            .batches = batches_,
            .testing = batch_ == batches_,
            .loss = smooth_loss_ / smooth_weight_,
            .accuracy = smooth_accuracy_ / smooth_weight_,
            .lr = lr_,
            .images_per_s = images_per_s(),
            .seconds_left = run / done * left,
            .losses = losses_.values()};
}

void Progress::resume(Index steps, const EpochSums& sums) {
    epoch_ = steps == 0 ? 1 : (steps - 1) / batches_ + 1;
    batch_ = steps - (epoch_ - 1) * batches_;
    resumed_steps_ = steps;
    sums_ = resumed_ = sums;
    start_ = epoch_start_ = last_step_ = Clock::now();
}

void Progress::end_epoch(double test_accuracy) {
    make_room();
    const auto seen = static_cast<double>(sums_.examples);
    if (!quiet_) {
        std::cout << epoch_line({.epoch = epoch_,
                                 .epochs = epochs_,
                                 .loss = sums_.loss / seen,
                                 .accuracy = static_cast<double>(sums_.correct) / seen,
                                 .test_accuracy = test_accuracy,
                                 .seconds = epoch_seconds()},
                                style_.live ? terminal_width() - 1 : plain_width())
                  << std::endl;
    }
    training_ += last_step_ - epoch_start_;
    ++epoch_;
    batch_ = 0;
    sums_ = resumed_ = {};
    epoch_start_ = last_step_ = Clock::now();
}

}  // namespace primer::examples

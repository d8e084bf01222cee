#pragma once

#include <chrono>
#include <cstddef>

#include <primer/core/io/checkpoint.h>
#include <primer/core/shape.h>
#include "output.h"
#include "progress_line.h"

namespace primer::examples {

/// How far a training run is. Only TrainingRun counts; the display, the checkpoints and the log
/// read it here.
struct RunCount {
    Index epochs, batches;  ///< of the whole run; of an epoch
    Index step = 0;         ///< training steps that are done
    EpochSums sums;         ///< of the running epoch, until its evaluation is over

    /// The running epoch, from 1 on, and how many of its batches are done. When all are done, the
    /// epoch keeps running until the first step of the next.
    Index epoch() const { return step == 0 ? 1 : (step - 1) / batches + 1; }
    Index batch() const { return step - (epoch() - 1) * batches; }

    /// Counts a step: the batch's mean loss, how many of its examples were classified right, and
    /// how many there were.
    void add(double loss, Index correct, Index examples);
};

/// Shows a training run on standard output: in a terminal one line that keeps changing, elsewhere a
/// plain line from time to time; after each epoch a line that stays. It costs a step next to
/// nothing: a line is drawn at most ten times a second, and before each evaluation.
class Progress {
  public:
    /// With `quiet`, it prints nothing and only measures time. `count` must outlive the display.
    Progress(const RunCount& count, bool quiet);
    /// Clears the line that keeps changing.
    ~Progress() { make_room(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Call before the first step, with a resumed run's count: time is measured from here on.
    void begin();
    /// After each training step, once it is counted: the batch's mean loss, the share of its
    /// examples that were classified right, and the learning rate.
    void step(double loss, double accuracy, double lr);
    /// After each epoch's evaluation. `test_accuracy` from 0 to 1.
    void end_epoch(double test_accuracy);

    /// Seconds that the epochs have taken so far in this process, without their evaluation.
    double training_seconds() const { return training_.count(); }
    /// The same of the running epoch alone, up to its last step.
    double epoch_seconds() const { return Seconds(last_step_ - epoch_start_).count(); }
    /// The speed of the running epoch.
    double images_per_s() const;
    /// Clears the line that keeps changing, so that others can write.
    void make_room();

  private:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;

    Status status() const;
    void draw();

    const RunCount& count_;
    const bool quiet_;
    const TerminalStyle style_ = terminal_style();
    // What was done before this process began, so not in its time: steps of the run, and examples
    // of the running epoch.
    Index resumed_steps_ = 0, resumed_examples_ = 0;
    // Means in which older steps count exponentially less, and the sum of their weights.
    double smooth_loss_ = 0, smooth_accuracy_ = 0, smooth_weight_ = 0;
    double lr_ = 0;
    LossHistory losses_;
    Clock::time_point start_ = Clock::now(), epoch_start_ = start_, last_step_ = start_, shown_{};
    Seconds training_{0};
    std::size_t drawn_ = 0;  // columns of the line on the screen
};

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

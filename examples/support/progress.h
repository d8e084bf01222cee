#pragma once

#include <chrono>
#include <cstddef>

#include <primer/core/io/checkpoint.h>
#include <primer/core/shape.h>
#include "progress_line.h"
#include "terminal.h"

namespace primer::examples {

/// Shows a training run on standard output: in a terminal one line that keeps changing, elsewhere a
/// plain line from time to time; after each epoch a line that stays. A step costs next to nothing:
/// it adds numbers up, and ten times a second and before each evaluation a line is drawn.
class Progress {
  public:
    /// `quiet`: shows nothing, and only adds up.
    Progress(Index epochs, Index batches_per_epoch, bool quiet);
    /// Takes away the line that keeps changing.
    ~Progress() { make_room(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// After each training step: the batch's mean loss, how many of its examples were classified
    /// right, how many there were, and the learning rate.
    void step(double loss, Index correct, Index examples, double lr);
    /// After each epoch's evaluation. `test_accuracy` from 0 to 1.
    void end_epoch(double test_accuracy);

    Index epoch() const { return epoch_; }
    /// What the epochs have taken so far in this process, without their evaluation.
    double training_seconds() const { return training_.count(); }
    /// Likewise what the running epoch has taken, up to its last step.
    double epoch_seconds() const { return Seconds(last_step_ - epoch_start_).count(); }
    /// Of the running epoch.
    double images_per_s() const;
    /// The sums of the running epoch, to be saved.
    const EpochSums& sums() const { return sums_; }
    /// Goes on after `steps` training steps, with these sums of the epoch of the last of them.
    void resume(Index steps, const EpochSums& sums);
    /// Takes away the line that keeps changing, so that others can write.
    void make_room();

  private:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;

    Status status() const;
    void draw();

    const Index epochs_, batches_;
    const bool quiet_;
    const TerminalStyle style_ = terminal_style();
    Index epoch_ = 1;
    Index batch_ = 0;  // steps done in this epoch
    EpochSums sums_;
    EpochSums resumed_;  // those that were there when this process began, in no time of its own
    Index resumed_steps_ = 0;  // likewise
    // Means in which a step counts the less the longer ago it was, and the sum of the weights.
    double smooth_loss_ = 0, smooth_accuracy_ = 0, smooth_weight_ = 0;
    double lr_ = 0;
    LossHistory losses_;
    Clock::time_point start_ = Clock::now(), epoch_start_ = start_, last_step_ = start_, shown_{};
    Seconds training_{0};
    std::size_t drawn_ = 0;  // columns of the line that stands there
};

}  // namespace primer::examples

#pragma once

#include <chrono>
#include <string>

#include "primer/core/io/checkpoint.h"
#include "primer/core/shape.h"

namespace primer::examples {

/// Shows a training run on standard output: in a terminal one line that keeps changing, elsewhere a
/// plain line from time to time; after each epoch a line that stays.
class Progress {
  public:
    Progress(int epochs, Index batches_per_epoch);

    /// After each training step: the batch's mean loss, how many of its examples were classified
    /// right, and how many there were.
    void step(double loss, Index correct, Index examples);
    /// After each epoch's evaluation. `test_accuracy` from 0 to 1.
    void end_epoch(double test_accuracy);

    /// What the epochs have taken so far in this process, without their evaluation.
    double training_seconds() const { return training_.count(); }
    /// The sums of the running epoch, to be saved.
    const EpochSums& sums() const { return sums_; }
    /// Goes on after `steps` training steps, with these sums of the epoch of the last of them.
    void resume(Index steps, const EpochSums& sums);
    /// Takes away the line that keeps changing, so that others can write.
    void make_room() const;

  private:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;

    std::string line() const;
    std::string means() const;

    const int epochs_;
    const Index batches_;
    const bool terminal_;
    int epoch_ = 1;
    Index batch_ = 0;  // steps done in this epoch
    EpochSums sums_;
    EpochSums resumed_;  // those that were there when this process began, in no time of its own
    Index resumed_steps_ = 0;  // likewise
    Clock::time_point start_ = Clock::now(), epoch_start_ = start_, last_step_ = start_, shown_{};
    Seconds training_{0};
};

}  // namespace primer::examples

#pragma once

#include <chrono>
#include <string>

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

  private:
    using Clock = std::chrono::steady_clock;

    std::string line() const;

    const int epochs_;
    const Index batches_;
    const bool terminal_;
    int epoch_ = 1;
    Index batch_ = 0;  // steps done in this epoch
    double loss_ = 0;  // summed over this epoch's examples
    Index correct_ = 0, examples_ = 0;
    Clock::time_point start_ = Clock::now(), epoch_start_ = start_, shown_{};
};

}  // namespace primer::examples

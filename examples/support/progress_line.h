#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <primer/core/shape.h>
#include "output.h"

// The lines that show a training run: texts made of numbers, nothing else.

namespace primer::examples {

/// Where a training run is.
struct Status {
    Index epoch = 1, epochs = 1;    ///< the running one, from 1 on
    Index batch = 0, batches = 1;   ///< done in this epoch
    bool testing = false;           ///< they are all done, and the test set is evaluated
    double loss = 0, accuracy = 0;  ///< smoothed; accuracy from 0 to 1
    double lr = 0;                  ///< learning rate
    double images_per_s = 0;
    double seconds_left = 0;     ///< of the whole run
    std::vector<double> losses;  ///< over the whole run so far, oldest first
};

/// A finished epoch.
struct EpochStatus {
    Index epoch = 1, epochs = 1;
    double loss = 0, accuracy = 0, test_accuracy = 0;
    double seconds = 0;  ///< of its training
};

/// The line that keeps changing, of at most `width` columns. If long words do not fit, short ones
/// replace them; then the least important parts are left out. The bars take the remaining room. A
/// number that gains a digit moves nothing.
std::string live_line(const Status& status, std::size_t width, const TerminalStyle& style);
/// The same for output that cannot be redrawn: no bars, no curve, no colours, ASCII.
std::string plain_line(const Status& status, std::size_t width = std::string::npos);
/// The line that stays after an epoch.
std::string epoch_line(const EpochStatus& status, std::size_t width = std::string::npos);

/// `share`, from 0 to 1, as a bar of `width` columns, its ends included: |#####     |
std::string bar(double share, std::size_t width, bool utf8);
/// The values as a curve of at most `width` columns, a letter of eight heights for each. If there
/// are more values, each column is the mean of some. The heights are logarithmic, so the second
/// half of the way down is visible as well. Values that are not positive numbers are left out.
std::string sparkline(const std::vector<double>& values, std::size_t width, bool utf8);
/// How many columns a text takes: its letters, without the codes that set colours.
std::size_t columns(std::string_view text);

/// The losses of a run of any length as at most 64 means of equally many steps each.
class LossHistory {
  public:
    void add(double value);
    /// The last one may be of fewer steps.
    std::vector<double> values() const;

  private:
    std::vector<double> means_;
    Index each_ = 1;  // steps in a mean
    double sum_ = 0;  // of those since the last mean
    Index count_ = 0;
};

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

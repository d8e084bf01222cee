#pragma once

#include "module.h"

namespace primer {

/// Merges the dimensions start_dim ... end_dim; -1 is the last. By default it keeps the batch and
/// merges the rest: images [64, 3, 32, 32] -> [64, 3072]. Shares memory with its input.
class Flatten : public Module {
  public:
    /// Flatten(), or Flatten(0, 1) for the first two dimensions.
    explicit Flatten(Only<int> start_dim = 1, Only<int> end_dim = -1);

    /// Throws Error if x does not have these dimensions, or has them in the wrong order.
    Tensor forward(const Tensor& x) override;
    std::string describe() const override;

  private:
    int start_dim_, end_dim_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

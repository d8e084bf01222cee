#pragma once

#include <utility>
#include <vector>

#include "module.h"

namespace primer {

/// While it exists, a model is in eval mode. When it ends, each module returns to the mode that it
/// was in before, even if that was not the model's.
class EvalMode {
  public:
    /// `model` must outlive it.
    [[nodiscard("name it: EvalMode eval(model);")]] explicit EvalMode(Module& model);
    ~EvalMode();
    EvalMode(const EvalMode&) = delete;
    EvalMode& operator=(const EvalMode&) = delete;

  private:
    std::vector<std::pair<Module*, bool>> modes_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include "primer/layers/module.h"

// The activations as layers, for Sequential. Each maps a tensor of any shape to one of the same
// shape, element by element; the formulas are in core/ops.h.

namespace primer {

/// max(x, 0).
class ReLU : public Module {
  public:
    Tensor forward(const Tensor& x) override;
    std::string describe() const override { return "ReLU()"; }
};

}  // namespace primer

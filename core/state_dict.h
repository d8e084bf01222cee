#pragma once

#include <string>
#include <vector>

#include "tensor.h"

namespace primer {

/// A tensor by name. The tensor is a handle, so what is written through it changes the model that
/// it comes from.
struct StateEntry {
    std::string name;    ///< as PyTorch names it: "0.weight"
    Tensor tensor;       ///< a handle to the model's
    bool whole = false;  ///< it counts something: files keep it as I64
};

/// What a model has learnt, by the names that PyTorch's state_dict gives: Module::state_dict(). A
/// tensor that layers share is in it under each of its names.
using StateDict = std::vector<StateEntry>;

}  // namespace primer
// SPDX-License-Identifier: MIT

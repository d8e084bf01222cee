#pragma once

#include "primer/datasets/loader.h"
#include "primer/layers/module.h"

namespace primer::examples {

struct Evaluation {
    double loss = 0;      ///< mean cross-entropy
    double accuracy = 0;  ///< share of the examples that are classified right
};

/// Runs the model over all of the loader's examples in eval mode, unrecorded, and leaves it in
/// training mode. An interrupt ends it early: what it returns is then not to be used.
Evaluation evaluate(Module& model, DataLoader& loader);

}  // namespace primer::examples

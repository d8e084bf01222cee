#pragma once

#include <vector>

#include <primer/datasets/loader.h>
#include <primer/layers/inspect/diagnostics.h>
#include <primer/layers/module.h>

namespace primer::examples {

/// What the model makes of one example.
struct Prediction {
    Index truth = 0, guess = 0;  ///< classes
    double probability = 0;      ///< that the model gives its guess
};

struct Evaluation {
    double loss = 0;                      ///< mean cross-entropy
    double accuracy = 0;                  ///< share of the examples that are classified right
    std::vector<Prediction> predictions;  ///< of all examples, in the loader's order
    std::vector<DeadUnits> dead_units;    ///< of each activation layer
};

/// Runs the model over all of the loader's examples in eval mode, unrecorded, and leaves it in
/// training mode. An interrupt ends it early: what it returns is then not to be used.
Evaluation evaluate(Module& model, DataLoader& loader);

}  // namespace primer::examples

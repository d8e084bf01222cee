#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "../module.h"

// Looks inside a model. None of this runs, or costs anything, unless it is called.

namespace primer {

/// The outputs of one layer while it was watched.
struct LayerStatistics {
    std::string name;             ///< "3", "block.relu"
    std::string type;             ///< "ReLU"
    Index outputs = 0;            ///< how many values
    double mean = 0, stddev = 0;  ///< of the values
    double zeros = 0;             ///< share of the values that are exactly 0
    /// Share of the units that were 0 for every example. A unit is a feature of [N, features] or a
    /// channel of [N, channels, ...]: what one row of weights makes. A unit that no example wakes
    /// has no gradient, and so never will be.
    double dead_units = 0;
};

/// Runs `evaluate`, in which the model must be called, and returns statistics of the outputs of
/// each innermost layer, one that holds no others, in the order of visit. Layers that were not
/// called have no outputs. It does not switch recording or train/eval.
std::vector<LayerStatistics> activation_statistics(Module& model,
                                                   const std::function<void()>& evaluate);

/// activation_statistics for the activation layers only, including a BatchNorm with relu: `zeros`
/// and `dead_units` tell how much of the model its ReLUs have switched off.
std::vector<LayerStatistics> dead_relu_ratio(Module& model, const std::function<void()>& evaluate);

/// A table with one layer per line.
std::ostream& operator<<(std::ostream& out, const std::vector<LayerStatistics>& rows);

/// How much of one activation layer is switched off.
struct DeadUnits {
    std::string name;  ///< "3", "block.relu"
    std::string type;  ///< "ReLU"
    double share = 0;  ///< LayerStatistics::dead_units
};

/// dead_relu_ratio without the statistics, for the layers that were called. It looks at a unit only
/// until something wakes it, so it costs next to nothing and may watch every evaluation.
std::vector<DeadUnits> dead_units(Module& model, const std::function<void()>& evaluate);

/// The gradient of one parameter.
struct GradientStatistics {
    std::string name;             ///< "0.weight"
    double norm = 0;              ///< square root of the sum of squares
    double mean = 0, stddev = 0;  ///< of the elements
    double largest = 0;           ///< absolute value
    double zeros = 0;             ///< share of the elements that are exactly 0
};

/// The statistics of every gradient that the model's parameters have: call it after backward().
std::vector<GradientStatistics> gradient_statistics(Module& model);

/// A table with one parameter per line.
std::ostream& operator<<(std::ostream& out, const std::vector<GradientStatistics>& rows);

}  // namespace primer
// SPDX-License-Identifier: MIT

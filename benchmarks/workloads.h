#pragma once

#include <span>
#include <string_view>

#include <primer/core/rng.h>
#include <primer/core/shape.h>
#include <primer/layers/sequential.h>

namespace primer::benchmarks {

/// The number of classes, the same for all networks.
inline constexpr Index kClasses = 10;

/// A network with its input.
struct Workload {
    std::string_view name;
    Sequential (*build)(Rng& rng);
    Shape input;             ///< of one example
    Index batch;             ///< examples in a step
    bool inference = false;  ///< forward only, in eval mode, instead of a training step
    bool fused = true;       ///< inference after fuse_for_prediction
};

/// All workloads, in the order of their runs.
std::span<const Workload> workloads();

/// The cost of an example: two operations, a multiplication and an addition, for each product in
/// the convolutions and linear layers. Other layers do not count.
struct Flops {
    double forward;
    /// Forward and backward. The backward costs as much as the forward for the gradients of the
    /// weights, and again for those of the inputs, except the first layer's input.
    double training;
};

/// Sends one example through the network in eval mode and counts. Leaves the network in training
/// mode.
Flops count_flops(Module& network, const Shape& input);

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

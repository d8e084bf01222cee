#pragma once

#include <span>
#include <string_view>

#include <primer/core/rng.h>
#include <primer/core/shape.h>
#include <primer/layers/sequential.h>

namespace primer::benchmarks {

/// How many classes every network tells apart.
inline constexpr Index kClasses = 10;

/// A network, and what it is given.
struct Workload {
    std::string_view name;
    Sequential (*build)(Rng& rng);
    Shape input;             ///< of one example
    Index batch;             ///< how many of them a step takes
    bool inference = false;  ///< forward only, in eval mode, in place of a training step
};

/// All of them, in the order in which they are run.
std::span<const Workload> workloads();

/// What an example costs: two operations, a multiplication and an addition, for each product in the
/// convolutions and linear layers. The rest of the network is not counted.
struct Flops {
    double forward;
    /// The forward, and in the backward as much again for the gradient of each layer's weight and
    /// as much for that of its input, but for the first layer: nobody asks for its input's.
    double training;
};

/// Sends one example through the network, in eval mode, and counts. The network is left in training
/// mode.
Flops count_flops(Module& network, const Shape& input);

}  // namespace primer::benchmarks

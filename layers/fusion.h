#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "module.h"

// Conv2d, Linear and Sequential use this; fuse.h has what users see.

namespace primer {

/// What Module keeps for fuse_for_prediction, and how it is used.
class Fusion {
  public:
    /// Whether modules of this thread may be fused now: nobody watches or records them.
    static bool allowed();

    /// The output of the first `modules` modules of a Sequential.
    struct Result {
        Tensor y;             ///< the output
        std::size_t modules;  ///< how many modules gave it
    };
    /// Computes the first of the modules, and those that it takes over; nullopt if the first must
    /// run as a layer by itself. Needs allowed().
    static std::optional<Result> run(std::span<const std::unique_ptr<Module>> modules,
                                     const Tensor& x);
    /// The output of a layer by itself; nullopt if it is not prepared for that.
    static std::optional<Tensor> run_alone(const Module& layer, const Tensor& x);

    /// Prepares a layer. Returns whether it can be, and was not yet.
    static bool add(Module& module);
    static void remove(Module& module);

  private:
    struct Run;
    static Run find_run(std::span<const std::unique_ptr<Module>> modules);
    static std::optional<Tensor> compute(const Run& run, const Tensor& x);
    static bool predicts(const Module& module);
};

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <memory>
#include <optional>

#include "shape.h"

namespace primer {

struct ThreadState;

/// An op's name and its cost: record({"linear", multiply_adds, 2}, ...), record({"snake", 0}, ...)
/// for one without products, or record("mine", ...) if the cost is unknown.
///
/// An op that calls others, as it may with detached inputs or under NoGrad, leaves out their
/// multiply-adds, which are counted anyway.
///
/// Multiply-adds are counted as the Python package torchinfo does: a product added to a sum counts
/// as one, and so does an added bias. batch_norm, layer_norm, group_norm and prelu count each of
/// their parameters once for each example of the batch. conv_transpose2d counts its products, of
/// which torchinfo counts about stride x stride times as many. Everything else counts 0.
struct Op {
    /// An op of unknown cost.
    Op(const char* op) : name(op) {}
    /// An op whose forward takes that many multiply-adds.
    Op(const char* op, Index forward, std::optional<int> first_inputs = {})
        : name(op), multiply_adds(forward), factors(first_inputs) {}

    const char* name;                    ///< must outlive the tape
    std::optional<Index> multiply_adds;  ///< of the forward; nullopt: unknown
    /// The first so many defined inputs are the factors of the products; the gradient of each costs
    /// as much as the forward. linear has 2, x and the weight, not the bias. nullopt: unknown.
    std::optional<int> factors;
};

/// While it exists, it is notified of every op that its thread calls, whether or not a Tape records
/// the op. An op made of others is reported after them. Hooks must end on their own thread, the
/// last made first.
class OpHook {
  public:
    OpHook();
    virtual ~OpHook();
    OpHook(const OpHook&) = delete;
    OpHook& operator=(const OpHook&) = delete;

    /// Called for each op, when its forward is done.
    virtual void called(const Op& op) = 0;
    /// Called by record(): tells all hooks of this thread, the innermost first.
    static void tell(const Op& op);

  private:
    std::shared_ptr<ThreadState> thread_;
    OpHook* outer_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

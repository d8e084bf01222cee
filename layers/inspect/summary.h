#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "../module.h"

namespace primer {

/// One module's line of a Summary.
struct SummaryRow {
    int depth = 0;                ///< 0 is the model, 1 what is directly in it, ...
    std::string name;             ///< its name in the module around it; "" for the model
    std::string type;             ///< "Linear"
    std::optional<Shape> output;  ///< of its last call; nothing if the forward does not call it
    Index parameters = 0;         ///< elements of its own, not counting those of the modules in it
    /// Those of the ops in all its calls, see Op; modules inside it have their own rows.
    Index multiply_adds = 0;
    bool unknown_cost = false;  ///< some of these ops do not state theirs: there are more
    Index output_bytes = 0;     ///< of all its outputs, in Reals; 0 for a module that holds others
};

/// What a model is made of, and what a forward costs. Print it with <<.
///
/// Multiply-adds are those that the ops state, each counted for the module whose forward calls it.
/// They and the memory are counted as the Python package torchinfo does, so that the figures can be
/// compared. Memory is what the outputs of the layers with parameters take, and as much again for
/// their gradients; the other layers are assumed to work in place. graph_of, in graph.h, says what
/// a training step really keeps.
struct Summary {
    std::vector<SummaryRow> rows;  ///< in the order of visit
    Index parameters = 0;          ///< elements in all; those that modules share are counted once
    Index trainable = 0;           ///< of these, in parameters that require a gradient
    Index multiply_adds = 0;       ///< of a forward of the whole batch
    bool unknown_cost = false;     ///< some ops do not state theirs: there are more
    Index input_bytes = 0;         ///< of the batch
    Index forward_backward_bytes = 0;  ///< of the outputs and their gradients
    /// The bytes of the parameters.
    Index parameter_bytes() const { return parameters * Index{sizeof(Real)}; }
    /// The bytes of all three.
    Index total_bytes() const { return input_bytes + forward_backward_bytes + parameter_bytes(); }
};

/// Calls the model once, with zeros of input_shape, the batch included: unrecorded and in eval
/// mode. Afterwards, even if the forward throws, every module is back in its earlier mode.
Summary summary(Module& model, const Shape& input_shape);

/// A table with one module per line, and the totals. A `?` stands for multiply-adds that are not
/// known.
std::ostream& operator<<(std::ostream& out, const Summary& summary);

}  // namespace primer
// SPDX-License-Identifier: MIT

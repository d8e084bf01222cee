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
    std::string name;             ///< what it is called in the module around it; of the model, ""
    std::string type;             ///< "Linear"
    std::optional<Shape> output;  ///< of its last call; nothing if the forward does not call it
    Index parameters = 0;         ///< elements of its own, not counting those of the modules in it
    /// Of all its calls, see Summary; 0 for a module that holds others.
    Index multiply_adds = 0;
    Index output_bytes = 0;  ///< of all its outputs, in Reals; 0 for a module that holds others
};

/// What a model is made of, and what a forward costs. Print it with <<.
///
/// Multiply-adds and memory are counted as the Python package torchinfo does, so that the figures
/// can be compared. A layer takes a multiply-add for each of its parameters, the biases included,
/// and each place where it uses them: each pixel of its output for Conv2d, each row of it for
/// Linear, each example of the batch for any other. Memory is what the outputs of the layers with
/// parameters take, and as much again for their gradients; the other layers are thought to work in
/// place. What a training step keeps in fact is told by graph_of, in core/graph.h.
struct Summary {
    std::vector<SummaryRow> rows;
    Index parameters = 0;     ///< elements in all; those that modules share are counted once
    Index trainable = 0;      ///< of these, in parameters that ask for their gradient
    Index multiply_adds = 0;  ///< of a forward of the whole batch
    Index input_bytes = 0;    ///< of the batch
    Index forward_backward_bytes = 0;
    Index parameter_bytes() const { return parameters * Index{sizeof(Real)}; }
    /// Of all three.
    Index total_bytes() const { return input_bytes + forward_backward_bytes + parameter_bytes(); }
};

/// Calls the model once, with zeros of input_shape, the batch included: unrecorded and in eval
/// mode. Afterwards, even if the forward throws, every module is in the mode in which it was.
Summary summary(Module& model, const Shape& input_shape);

/// A table with a module a line, and the totals.
std::ostream& operator<<(std::ostream& out, const Summary& summary);

}  // namespace primer

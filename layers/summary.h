#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "primer/layers/module.h"

namespace primer {

/// One module's line of a Summary.
struct SummaryRow {
    int depth = 0;                ///< 0 is the model, 1 what is directly in it, ...
    std::string name;             ///< what it is called in the module around it; of the model, ""
    std::string type;             ///< "Linear"
    std::optional<Shape> output;  ///< of its last call; nothing if the forward does not call it
    Index parameters = 0;         ///< elements of its own, not counting those of the modules in it
};

/// What a model is made of. Print it with <<.
struct Summary {
    std::vector<SummaryRow> rows;
    Index parameters = 0;  ///< elements in all; those that modules share are counted once
    Index trainable = 0;   ///< of these, in parameters that ask for their gradient
};

/// Calls the model once, with zeros of input_shape, the batch included: unrecorded and in eval
/// mode. Afterwards, even if the forward throws, every module is in the mode in which it was.
Summary summary(Module& model, const Shape& input_shape);

/// A table with a module a line, and the totals.
std::ostream& operator<<(std::ostream& out, const Summary& summary);

}  // namespace primer

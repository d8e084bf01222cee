#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "../module.h"

namespace primer {

/// The cost of one direction of an op, or of several.
///
/// Operations: two, a multiplication and an addition, for each multiply-add that the op states (see
/// Op), and as many again in backward for each of its factors whose gradient is wanted; but in
/// either direction at least as many as the largest input or result has elements. Ops that are not
/// recorded count in the forward of the next one that is. A view, such as reshape, moves nothing
/// and counts 0.
///
/// Bytes: forward reads all inputs once and writes the result once; backward reads the gradient of
/// the result and what was kept, and writes the wanted gradients. Caches are not taken into
/// account.
struct PassCost {
    double seconds = 0;  ///< the median over the steps; of several ops, the sum of these
    /// nullopt if the op, or one of several, does not state its multiply-adds; in backward also if
    /// it does not state its factors, unless neither it nor an op that it calls has products.
    std::optional<double> operations = 0;
    double bytes = 0;  ///< read and written
};

/// An op or a layer in a Profile.
struct ProfileRow {
    std::string name;            ///< "op 3: conv2d"; of a layer "3 (Conv2d)"
    std::string layer;           ///< of an op: the innermost layer; "" outside of all layers
    Shape output;                ///< of an op, or of the layer's last one
    Index calls = 0;             ///< how often it was measured
    PassCost forward, backward;  ///< what each pass costs
    /// Both passes together.
    double seconds() const { return forward.seconds + backward.seconds; }
};

/// Where the time of a training step goes.
struct Profile {
    Index steps = 0;                 ///< how many were measured
    std::vector<ProfileRow> ops;     ///< in the order of the tape
    std::vector<ProfileRow> layers;  ///< the same added up, in the order of the forward
    double forward_seconds = 0;      ///< medians of the whole passes
    double backward_seconds = 0;     ///< likewise
};

/// The options of profile.
struct ProfileOptions {
    Only<Index> steps = 10;   ///< to be measured
    Only<Index> warm_up = 2;  ///< steps before those, which are not measured
};

/// Measures steps of `loss`, which calls the model and returns what backward() starts from. The
/// same ops must be recorded each time. Nothing is learnt, but as in any training step batch
/// normalisation moves its running statistics, and dropout draws random numbers; the parameters are
/// left without gradients.
///
/// An op's time runs from the end of the one before it, so what comes between, such as ops that are
/// not recorded, belongs to it.
Profile profile(Module& model, const std::function<Tensor()>& loss,
                const ProfileOptions& options = {});

/// Two tables, of ops and of layers, the slowest first. A `?` stands for a rate that is not known.
std::ostream& operator<<(std::ostream& out, const Profile& profile);

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "../module.h"
#include "graph.h"

namespace primer {

/// While it exists, it notes which ops of a tape belong to which layer:
///
///     Tape tape;
///     LayerOps layers(model, tape);
///     const Tensor loss = cross_entropy(model(images), labels);
///     write_graph(tape, "graph.dot", model.state_dict(), layers.groups());
class LayerOps : public ForwardHook {
  public:
    /// Both must outlive it.
    LayerOps(Module& model, const Tape& tape);

    /// One for each call of a module that has recorded ops, in the order in which they began, with
    /// names such as "body.0 (Conv2d)". The model itself has one only if it is a layer without
    /// layers in it; otherwise it would hold nearly everything.
    std::vector<OpGroup> groups() const;

    /// Notes the beginning and the end of a call.
    void entered(Module& module, const Tensor& x) override;
    void called(Module& module, const Tensor& x, const Tensor& y) override;

  private:
    const Tape& tape_;
    std::unordered_map<const Module*, std::string> name_of_;
    std::vector<OpGroup> calls_;
    std::vector<std::size_t> open_;  // calls that have not returned
};

}  // namespace primer
// SPDX-License-Identifier: MIT

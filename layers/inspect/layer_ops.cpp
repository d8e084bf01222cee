#include "layer_ops.h"

#include <algorithm>

#include "../../core/error.h"

namespace primer {
namespace {

void find_names(const std::string& prefix, Module& module,
                std::unordered_map<const Module*, std::string>& names) {
    for (const auto& [name, child] : module.named_children()) {
        names.emplace(child, layer_name(prefix + name, child->type()));
        find_names(prefix + name + '.', *child, names);
    }
}

}  // namespace

LayerOps::LayerOps(Module& model, const Tape& tape) : tape_(tape) {
    find_names("", model, name_of_);
    if (name_of_.empty()) name_of_[&model] = model.type();
}

void LayerOps::entered(Module& module, const Tensor&) {
    const auto name = name_of_.find(&module);
    if (name == name_of_.end()) return;
    open_.push_back(calls_.size());
    calls_.push_back({name->second, tape_.size(), tape_.size()});
}

void LayerOps::called(Module& module, const Tensor&, const Tensor&) {
    if (!name_of_.contains(&module)) return;
    calls_[open_.back()].last = tape_.size();
    open_.pop_back();
}

std::vector<OpGroup> LayerOps::groups() const {
    std::vector<OpGroup> found = calls_;
    std::erase_if(found, [](const OpGroup& call) { return call.first == call.last; });
    return found;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

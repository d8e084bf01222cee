#include "optimizer.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "../core/creation.h"
#include "../core/error.h"
#include "../core/text.h"

namespace primer {
namespace {

std::string full_name(std::size_t parameter, const std::string& name) {
    return std::to_string(parameter) + '.' + name;
}

}  // namespace

Optimizer::Optimizer(const char* name, std::vector<Parameter> parameters,
                     std::initializer_list<std::string> state,
                     std::initializer_list<std::string> counts,
                     std::initializer_list<std::string> always)
    : name_(name), parameters_(std::move(parameters)), counts_(counts), always_(always) {
    check(!parameters_.empty(), name, ": expected at least one parameter, got none");
    std::unordered_map<const void*, std::size_t> first;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        check(parameters_[i].defined(), name, ": parameter ", i, " is undefined");
        const auto [seen, is_new] = first.emplace(&parameters_[i].impl(), i);
        check(is_new, name, ": the parameters ", seen->second, " and ", i,
              " are the same one, of shape ", parameters_[i].shape(),
              "; every step would update it twice");
        // Counts the optimizers that exist, so the claim's deleter subtracts this one again.
        ++parameters_[i].impl().optimizers;
        const std::weak_ptr<Tensor::Impl> parameter = parameters_[i].handle();
        claims_.emplace_back(nullptr, [parameter](void*) {
            if (const auto left = parameter.lock()) --left->optimizers;
        });
    }
    for (const std::string& kept : state) state_[kept].resize(parameters_.size());
    for (const std::string& kept : counts) state_[kept].resize(parameters_.size());
}

Shape Optimizer::shape_of(const std::string& name, std::size_t i) const {
    return counts_.contains(name) ? Shape{} : parameters_[i].shape();
}

Tensor& Optimizer::state(const std::string& name, std::size_t i) {
    Tensor& kept = state_.at(name)[i];
    if (!kept.defined()) kept = zeros(shape_of(name, i));
    return kept;
}

void Optimizer::zero_grad() {
    check_not_moved();
    for (const Parameter& parameter : parameters_) parameter.set_grad({});
}

void Optimizer::check_not_moved() const {
    check(!parameters_.empty(), name_,
          ": this optimizer has been moved from; use the one that it was moved to");
}

void Optimizer::begin_step(long handles) const {
    check_not_moved();
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const Tensor grad = parameters_[i].grad();
        check(!grad.defined() || !grad.impl().used_before, name_,
              "::step: the gradient of parameter ", i, ", of shape ", parameters_[i].shape(),
              ", still contains the gradient that the last step used, and backward() has added "
              "to it; call zero_grad() once before each step's backward()");
        check(grad.defined() || parameters_[i].handle().use_count() > handles, name_,
              "::step: only this optimizer still has parameter ", i, ", of shape ",
              parameters_[i].shape(),
              ": its layer has been replaced, and the new layer is not trained; make the optimizer "
              "after replacing layers");
    }
}

void Optimizer::end_step() const {
    for (const Parameter& parameter : parameters_) {
        const Tensor grad = parameter.grad();
        if (grad.defined()) grad.impl().used_version = grad.impl().storage->version();
    }
}

void Optimizer::set_lr(Only<double> lr) {
    for (Index group = 0; group < group_count(); ++group) set_lr(lr, group);
}

std::vector<std::pair<std::string, Tensor>> Optimizer::named_state() const {
    std::vector<std::pair<std::string, Tensor>> all;
    for (const auto& [name, tensors] : state_) {
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            if (tensors[i].defined()) all.emplace_back(full_name(i, name), tensors[i]);
        }
    }
    return all;
}

std::map<std::string, std::vector<Tensor>> Optimizer::sorted(
    const std::vector<std::pair<std::string, Tensor>>& state) const {
    std::map<std::string, Tensor> left;
    for (const auto& [name, tensor] : state) {
        check(left.emplace(name, tensor).second, name_,
              "::load_state: expected every name once, got ", in_quotes(name), " again");
    }
    auto sorted = state_;
    for (auto& [name, tensors] : sorted) {
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            tensors[i] = {};
            const auto saved = left.extract(full_name(i, name));
            if (saved.empty()) continue;
            const Shape shape = shape_of(name, i);
            check(saved.mapped().shape() == shape, name_, "::load_state: expected ", saved.key(),
                  " of shape ", shape, ", got ", saved.mapped().shape());
            tensors[i] = saved.mapped();
        }
    }
    if (!left.empty()) {
        fail(name_, "::load_state: there is nothing called ", printable(left.begin()->first),
             " among the ", parameters_.size(), " parameters of this optimizer");
    }
    check_sound(sorted);
    return sorted;
}

// Otherwise, say with Adam's count of steps but without its average of squares, that average would
// begin at 0 without correction, and the next steps would be 30 times too long.
void Optimizer::check_sound(const std::map<std::string, std::vector<Tensor>>& state) const {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const auto there = [&](const auto& kept) { return kept.second[i].defined(); };
        const auto some = std::ranges::find_if(state, there);
        if (some == state.end()) continue;
        for (const std::string& name : always_) {
            check(state.at(name)[i].defined(), name_, "::load_state: expected ", full_name(i, name),
                  " beside ", full_name(i, some->first), ", found none");
        }
        for (const std::string& name : counts_) {
            const Tensor& count = state.at(name)[i];
            if (!count.defined()) continue;
            const Real value = count.item();
            check(value >= 0 && std::trunc(value) == value, name_, "::load_state: expected ",
                  full_name(i, name), " to be a whole number from 0 on, got ", value);
        }
    }
}

void Optimizer::load_state(const std::vector<std::pair<std::string, Tensor>>& state) {
    auto loaded = sorted(state);
    for (auto& [name, tensors] : loaded) {
        for (Tensor& kept : tensors) {
            if (kept.defined()) kept = kept.clone();
        }
    }
    state_ = std::move(loaded);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

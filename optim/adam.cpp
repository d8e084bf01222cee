#include "adam.h"

#include <cmath>

#include "../core/error.h"
#include "../core/kernels/optimizer.h"
#include "../core/options.h"

namespace primer {
namespace {

void check_options(const char* name, const AdamOptions& o) {
    check_not_negative(o.lr, name, "lr");
    for (const double beta : {o.betas[0], o.betas[1]}) {
        check(beta >= 0 && beta < 1, name, ": expected betas from 0 to below 1, got ", beta);
    }
    check_not_negative(o.eps, name, "eps");
    check_not_negative(o.weight_decay, name, "weight_decay");
}

Adam::Group as_adam(const AdamW::Group& group) {
    const AdamWOptions& o = group.options;
    return {group.parameters,
            {.lr = o.lr,
             .betas = o.betas,
             .eps = o.eps,
             .weight_decay = o.weight_decay,
             .amsgrad = o.amsgrad,
             .maximize = o.maximize}};
}

std::vector<Adam::Group> as_adam(const std::vector<AdamW::Group>& groups) {
    std::vector<Adam::Group> all;
    for (const AdamW::Group& group : groups) all.push_back(as_adam(group));
    return all;
}

}  // namespace

Adam::Adam(std::vector<Parameter> parameters, const AdamOptions& options)
    : Adam(std::vector<Group>{{std::move(parameters), options}}) {}

Adam::Adam(std::vector<Group> groups) : Adam(std::move(groups), Decay::in_gradient) {}

Adam::Adam(std::vector<Group> groups, Decay decay)
    : GroupedOptimizer(
          decay == Decay::apart ? "AdamW" : "Adam", std::move(groups),
          decay == Decay::apart ? [](const AdamOptions& o) { check_options("AdamW", o); }
                                : [](const AdamOptions& o) { check_options("Adam", o); },
          {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, {"step"}, {"step", "exp_avg", "exp_avg_sq"}),
      decay_(decay) {}

void Adam::update(std::size_t i, const Parameter& parameter, const AdamOptions& o) {
    const bool apart = decay_ == Decay::apart;
    const char* const writer = apart ? "AdamW::step" : "Adam::step";
    Real& step = *state("step", i).mutable_data(writer);
    ++step;  // in float no further than 2^24, where the corrections have long been 1
    const double t = static_cast<double>(step);
    const double beta1 = o.betas[0], beta2 = o.betas[1];
    const double decay = parameter.weight_decay ? double{o.weight_decay} : 0;
    const kernels::AdamStep numbers{
        .lr = static_cast<Real>(o.lr / (1 - std::pow(beta1, t))),
        .beta1 = static_cast<Real>(beta1),
        .one_minus_beta1 = static_cast<Real>(1 - beta1),
        .beta2 = static_cast<Real>(beta2),
        .one_minus_beta2 = static_cast<Real>(1 - beta2),
        .root_correction = static_cast<Real>(std::sqrt(1 - std::pow(beta2, t))),
        .eps = static_cast<Real>(o.eps),
        .weight_decay = static_cast<Real>(apart ? 0 : decay),
        .keep = static_cast<Real>(apart ? 1 - o.lr * decay : 1),
        .maximize = o.maximize};
    Real* const largest = o.amsgrad ? state("max_exp_avg_sq", i).mutable_data(writer) : nullptr;
    kernels::adam_update(parameter.numel(), numbers, parameter.grad().data(),
                         state("exp_avg", i).mutable_data(writer),
                         state("exp_avg_sq", i).mutable_data(writer), largest,
                         parameter.mutable_data(writer));
}

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options)
    : AdamW(std::vector<Group>{{std::move(parameters), options}}) {}

AdamW::AdamW(const std::vector<Group>& groups) : Adam(as_adam(groups), Decay::apart) {}

}  // namespace primer
// SPDX-License-Identifier: MIT

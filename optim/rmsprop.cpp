#include "rmsprop.h"

#include "../core/error.h"
#include "../core/kernels/optimizer.h"
#include "../core/options.h"

namespace primer {
namespace {

void check_options(const RMSpropOptions& o) {
    check_not_negative(o.lr, "RMSprop", "lr");
    check(o.alpha >= 0 && o.alpha <= 1, "RMSprop: expected alpha from 0 to 1, got ", o.alpha);
    check_not_negative(o.eps, "RMSprop", "eps");
    check_not_negative(o.weight_decay, "RMSprop", "weight_decay");
    check_not_negative(o.momentum, "RMSprop", "momentum");
}

}  // namespace

RMSprop::RMSprop(std::vector<Parameter> parameters, const RMSpropOptions& options)
    : RMSprop(std::vector<Group>{{std::move(parameters), options}}) {}

RMSprop::RMSprop(std::vector<Group> groups)
    : GroupedOptimizer("RMSprop", std::move(groups), check_options,
                       {"square_avg", "grad_avg", "momentum_buffer"}, {}, {"square_avg"}) {}

void RMSprop::update(std::size_t i, const Parameter& parameter, const RMSpropOptions& o) {
    const char* const writer = "RMSprop::step";
    const kernels::RmspropStep step{
        .lr = static_cast<Real>(o.lr),
        .alpha = static_cast<Real>(o.alpha),
        .one_minus_alpha = static_cast<Real>(1 - o.alpha),
        .eps = static_cast<Real>(o.eps),
        .weight_decay = static_cast<Real>(parameter.weight_decay ? double{o.weight_decay} : 0),
        .momentum = static_cast<Real>(o.momentum),
        .maximize = o.maximize};
    const auto kept = [&](const char* name) { return state(name, i).mutable_data(writer); };
    kernels::rmsprop_update(parameter.numel(), step, parameter.grad().data(), kept("square_avg"),
                            o.centered ? kept("grad_avg") : nullptr,
                            o.momentum > 0 ? kept("momentum_buffer") : nullptr,
                            parameter.mutable_data(writer));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

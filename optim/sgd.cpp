#include "sgd.h"

#include "../core/error.h"
#include "../core/kernels/optimizer.h"
#include "../core/options.h"

namespace primer {
namespace {

void check_options(const SGDOptions& o) {
    check_not_negative(o.lr, "SGD", "lr");
    check_not_negative(o.momentum, "SGD", "momentum");
    check_finite(o.dampening, "SGD", "dampening");
    check_not_negative(o.weight_decay, "SGD", "weight_decay");
    check(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
          "SGD: nesterov needs momentum > 0 and dampening = 0, got ", o.momentum, " and ",
          o.dampening);
}

}  // namespace

SGD::SGD(std::vector<Parameter> parameters, const SGDOptions& options)
    : SGD(std::vector<Group>{{std::move(parameters), options}}) {}

SGD::SGD(std::vector<Group> groups)
    : GroupedOptimizer("SGD", std::move(groups), check_options, {"momentum_buffer"}) {}

void SGD::update(std::size_t i, const Parameter& parameter, const SGDOptions& o) {
    const bool moving = o.momentum != 0;
    const bool first = !state("momentum_buffer")[i].defined();
    const kernels::SgdStep step{
        .lr = static_cast<Real>(o.lr),
        .momentum = static_cast<Real>(o.momentum),
        .gain = static_cast<Real>(first ? 1 : 1 - o.dampening),
        .weight_decay = static_cast<Real>(parameter.weight_decay ? double{o.weight_decay} : 0),
        .nesterov = o.nesterov,
        .maximize = o.maximize};
    Real* velocity = moving ? state("momentum_buffer", i).mutable_data("SGD::step") : nullptr;
    kernels::sgd_update(parameter.numel(), step, parameter.grad().data(), velocity,
                        parameter.mutable_data("SGD::step"));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "primer/optim/sgd.h"

#include "primer/core/error.h"
#include "primer/core/kernels/optimizer.h"

namespace primer {
namespace {

void check_options(const SGDOptions& o) {
    check(o.lr >= 0, "SGD: expected lr >= 0, got ", o.lr);
    check(o.momentum >= 0, "SGD: expected momentum >= 0, got ", o.momentum);
    check(o.weight_decay >= 0, "SGD: expected weight_decay >= 0, got ", o.weight_decay);
    check(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
          "SGD: nesterov needs momentum > 0 and dampening = 0, got ", o.momentum, " and ",
          o.dampening);
}

std::vector<Parameter> all_parameters(const std::vector<SGD::Group>& groups) {
    std::vector<Parameter> all;
    for (const SGD::Group& group : groups) {
        all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    }
    return all;
}

void update(const Parameter& parameter, Tensor& velocity, const SGDOptions& o) {
    const Tensor grad = parameter.grad();
    const bool moving = o.momentum != 0, first = moving && !velocity.defined();
    if (first) velocity = zeros(parameter.shape());
    const kernels::SgdStep step{.lr = static_cast<Real>(o.lr),
                                .momentum = static_cast<Real>(o.momentum),
                                .gain = static_cast<Real>(first ? 1 : 1 - o.dampening),
                                .weight_decay = static_cast<Real>(o.weight_decay),
                                .nesterov = o.nesterov,
                                .maximize = o.maximize};
    kernels::sgd_update(parameter.numel(), step, grad.data(),
                        moving ? velocity.mutable_data("SGD::step") : nullptr,
                        parameter.mutable_data("SGD::step"));
}

}  // namespace

SGD::SGD(std::vector<Parameter> parameters, const SGDOptions& options)
    : SGD(std::vector<Group>{{std::move(parameters), options}}) {}

SGD::SGD(std::vector<Group> groups)
    : Optimizer("SGD", all_parameters(groups), {"momentum_buffer"}), groups_(std::move(groups)) {
    for (const Group& group : groups_) check_options(group.options);
}

void SGD::step() {
    for (const Group& group : groups_) check_options(group.options);
    std::vector<Tensor>& velocities = state("momentum_buffer");
    std::size_t i = 0;
    for (const Group& group : groups_) {
        for (const Parameter& parameter : group.parameters) {
            Tensor& velocity = velocities[i++];
            if (parameter.grad().defined()) update(parameter, velocity, group.options);
        }
    }
}

SGDOptions& SGD::options(Index group) {
    check(group >= 0 && group < group_count(), "SGD: there is no group ", group, " among ",
          group_count());
    return groups_[static_cast<std::size_t>(group)].options;
}

}  // namespace primer

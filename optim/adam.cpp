#include "primer/optim/adam.h"

#include <cmath>

#include "primer/core/error.h"
#include "primer/core/kernels/optimizer.h"
#include "primer/core/options.h"

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

AdamOptions as_adam(const AdamWOptions& o) {
    return {.lr = o.lr,
            .betas = o.betas,
            .eps = o.eps,
            .weight_decay = o.weight_decay,
            .amsgrad = o.amsgrad,
            .maximize = o.maximize};
}

// What is remembered of one parameter.
struct State {
    const Tensor& step;
    const Tensor& mean;
    const Tensor& square;
    const Tensor* largest;  // null without amsgrad
};

void update_one(const char* writer, const Parameter& parameter, const State& state,
                const AdamOptions& o, bool decoupled) {
    Real& step = *state.step.mutable_data(writer);
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
        .weight_decay = static_cast<Real>(decoupled ? 0 : decay),
        .keep = static_cast<Real>(decoupled ? 1 - o.lr * decay : 1),
        .maximize = o.maximize};
    kernels::adam_update(parameter.numel(), numbers, parameter.grad().data(),
                         state.mean.mutable_data(writer), state.square.mutable_data(writer),
                         state.largest != nullptr ? state.largest->mutable_data(writer) : nullptr,
                         parameter.mutable_data(writer));
}

}  // namespace

Adam::Adam(std::vector<Parameter> parameters, const AdamOptions& options)
    : Adam(std::vector<Group>{{std::move(parameters), options}}) {}

Adam::Adam(std::vector<Group> groups)
    : GroupedOptimizer("Adam", std::move(groups),
                       [](const AdamOptions& o) { check_options("Adam", o); },
                       {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, {"step"},
                       {"step", "exp_avg", "exp_avg_sq"}) {}

void Adam::update(std::size_t i, const Parameter& parameter, const AdamOptions& o) {
    const State kept{.step = state("step", i),
                     .mean = state("exp_avg", i),
                     .square = state("exp_avg_sq", i),
                     .largest = o.amsgrad ? &state("max_exp_avg_sq", i) : nullptr};
    update_one("Adam::step", parameter, kept, o, false);
}

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options)
    : AdamW(std::vector<Group>{{std::move(parameters), options}}) {}

AdamW::AdamW(std::vector<Group> groups)
    : GroupedOptimizer("AdamW", std::move(groups),
                       [](const AdamWOptions& o) { check_options("AdamW", as_adam(o)); },
                       {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, {"step"},
                       {"step", "exp_avg", "exp_avg_sq"}) {}

void AdamW::update(std::size_t i, const Parameter& parameter, const AdamWOptions& o) {
    const State kept{.step = state("step", i),
                     .mean = state("exp_avg", i),
                     .square = state("exp_avg_sq", i),
                     .largest = o.amsgrad ? &state("max_exp_avg_sq", i) : nullptr};
    update_one("AdamW::step", parameter, kept, as_adam(o), true);
}

}  // namespace primer

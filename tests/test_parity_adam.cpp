// The optimizers that adapt to each weight, and the learning rate schedules, compared with
// PyTorch's; the inputs are in tests/parity/cases/.

#include <vector>

#include <primer/optim/adam.h>
#include <primer/optim/rmsprop.h>
#include <primer/optim/schedules.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: Adam and AdamW") {
    const auto adam = [](const AdamOptions& options, const std::vector<double>& schedule = {}) {
        return [=](const In& in) {
            return trajectory(Adam({Parameter(in["w"])}, options), in, schedule);
        };
    };
    const auto adamw = [](const AdamWOptions& options, const std::vector<double>& schedule = {}) {
        return [=](const In& in) {
            return trajectory(AdamW({Parameter(in["w"])}, options), in, schedule);
        };
    };
    const std::vector<double> rates{0.1, 0.2, 0.05, 0, 0.01, 1};
    check_parity(
        "adam", {
                    {"Adam: defaults", adam({})},
                    {"Adam: lr", adam({.lr = 0.1})},
                    {"Adam: betas", adam({.lr = 0.1, .betas = {0.5, 0.75}})},
                    {"Adam: beta 0", adam({.lr = 0.1, .betas = {0, 0.75}})},
                    {"Adam: eps", adam({.lr = 0.1, .eps = 0.5})},
                    {"Adam: weight decay", adam({.lr = 0.1, .weight_decay = 0.25})},
                    {"Adam: no weight decay", adam({.lr = 0.1, .weight_decay = 0})},
                    {"Adam: amsgrad", adam({.lr = 0.1, .betas = {0.5, 0.25}, .amsgrad = true})},
                    {"Adam: maximize", adam({.lr = 0.1, .weight_decay = 0.25, .maximize = true})},
                    {"Adam: lr changes", adam({}, rates)},
                    {"AdamW: defaults", adamw({})},
                    {"AdamW: lr", adamw({.lr = 0.1})},
                    {"AdamW: betas", adamw({.lr = 0.1, .betas = {0.5, 0.75}})},
                    {"AdamW: beta 0", adamw({.lr = 0.1, .betas = {0, 0.75}})},
                    {"AdamW: eps", adamw({.lr = 0.1, .eps = 0.5})},
                    {"AdamW: weight decay", adamw({.lr = 0.1, .weight_decay = 0.25})},
                    {"AdamW: no weight decay", adamw({.lr = 0.1, .weight_decay = 0})},
                    {"AdamW: amsgrad", adamw({.lr = 0.1, .betas = {0.5, 0.25}, .amsgrad = true})},
                    {"AdamW: maximize", adamw({.lr = 0.1, .weight_decay = 0.25, .maximize = true})},
                    {"AdamW: lr changes", adamw({}, rates)},
                });
}

TEST_CASE("parity: RMSprop") {
    const auto rmsprop = [](const RMSpropOptions& options,
                            const std::vector<double>& schedule = {}) {
        return [=](const In& in) {
            return trajectory(RMSprop({Parameter(in["w"])}, options), in, schedule);
        };
    };
    check_parity(
        "rmsprop",
        {
            {"defaults", rmsprop({})},
            {"alpha", rmsprop({.lr = 0.1, .alpha = 0.5})},
            {"eps", rmsprop({.lr = 0.1, .eps = 0.5})},
            {"weight decay", rmsprop({.lr = 0.1, .weight_decay = 0.25})},
            {"momentum", rmsprop({.lr = 0.1, .momentum = 0.9})},
            {"centered", rmsprop({.lr = 0.1, .centered = true})},
            {"centered, momentum, weight decay",
             rmsprop({.weight_decay = 0.25, .momentum = 0.5, .centered = true})},
            {"maximize", rmsprop({.lr = 0.1, .weight_decay = 0.25, .maximize = true})},
            {"momentum, lr changes", rmsprop({.momentum = 0.5}, {0.1, 0.2, 0.05, 0, 0.01, 1})},
        });
}

TEST_CASE("parity: schedules") {
    // schedule(0, options), ..., schedule(steps - 1, options).
    const auto rates = [](auto schedule, Index steps, const auto& options) {
        return [=](const In&) {
            Tensor lr = empty({steps});
            for (Index step = 0; step < steps; ++step) {
                lr.mutable_data()[step] = static_cast<Real>(schedule(step, options));
            }
            return lr;
        };
    };
    check_parity(
        "schedules",
        {
            {"step_decay", rates(step_decay, 10, StepDecayOptions{.lr = 0.1, .every = 3})},
            {"step_decay: factor",
             rates(step_decay, 10, StepDecayOptions{.lr = 0.1, .every = 2, .factor = 0.5})},
            {"cosine", rates(cosine, 11, CosineOptions{.lr = 0.1, .steps = 10})},
            {"cosine: min_lr",
             rates(cosine, 8, CosineOptions{.lr = 0.1, .steps = 7, .min_lr = 0.02})},
            {"linear_warmup", rates(linear_warmup, 10, LinearWarmupOptions{.lr = 0.1, .steps = 5})},
            {"linear_warmup: from 0.1",
             rates(linear_warmup, 6,
                   LinearWarmupOptions{.lr = 0.1, .steps = 4, .start_factor = 0.1})},
            {"one_cycle", rates(one_cycle, 20, OneCycleOptions{.max_lr = 0.5, .total_steps = 20})},
            {"one_cycle: other factors", rates(one_cycle, 11,
                                               OneCycleOptions{.max_lr = 0.5,
                                                               .total_steps = 11,
                                                               .pct_start = 0.5,
                                                               .div_factor = 10,
                                                               .final_div_factor = 100})},
        });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

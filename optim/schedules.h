#pragma once

#include "../core/only.h"
#include "../core/shape.h"

// Learning rates as functions of the step. A step is whatever you count from 0, batches or epochs:
//
//     optimizer.set_lr(cosine(step, {.lr = 0.1, .steps = 10'000}));
//
// sets the learning rate before that step. Schedules have no state, so they need not be saved, and
// they can be combined:
//
//     step < 500 ? linear_warmup(step, {.lr = 0.1, .steps = 500})
//                : cosine(step - 500, {.lr = 0.1, .steps = 9'500})
//
// All throw Error for a negative step and for options out of range.

namespace primer {

/// The options of step_decay.
struct StepDecayOptions {
    Only<double> lr;            ///< at the start
    Only<Index> every;          ///< steps from one reduction to the next
    Only<double> factor = 0.1;  ///< of each reduction
};

/// lr factor^(step / every), with the quotient rounded down.
double step_decay(Only<Index> step, const StepDecayOptions& options);

/// The options of cosine.
struct CosineOptions {
    Only<double> lr;          ///< at the start
    Only<Index> steps;        ///< until min_lr is reached
    Only<double> min_lr = 0;  ///< at the end, and from then on
};

/// min_lr + (lr - min_lr) (1 + cos(pi step / steps)) / 2: half a wave from lr down to min_lr, and
/// constant from then on. Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
/// Restarts", 2017, equation 5, without restarts.
double cosine(Only<Index> step, const CosineOptions& options);

/// The options of linear_warmup.
struct LinearWarmupOptions {
    Only<double> lr;                      ///< at the end
    Only<Index> steps;                    ///< until lr is reached
    Only<double> start_factor = 1.0 / 3;  ///< the share of lr at step 0
};

/// lr (start_factor + (1 - start_factor) step / steps): a line up to lr, then constant.
double linear_warmup(Only<Index> step, const LinearWarmupOptions& options);

/// The options of one_cycle.
struct OneCycleOptions {
    Only<double> max_lr;                  ///< the highest
    Only<Index> total_steps;              ///< of the whole training
    Only<double> pct_start = 0.3;         ///< the share of the steps in which the rate rises
    Only<double> div_factor = 25;         ///< the rate starts at max_lr / div_factor
    Only<double> final_div_factor = 1e4;  ///< and ends this many times below its start
};

/// Two half waves:
///
///     first = max_lr / div_factor                 at step 0, up to
///     max_lr                                      at step pct_start total_steps - 1, and down to
///     first / final_div_factor                    at the last step, total_steps - 1
///
/// and constant from then on. Smith and Topin, "Super-Convergence: Very Fast Training of Neural
/// Networks Using Large Learning Rates", 2018, in the default form of PyTorch's OneCycleLR (but
/// without changing the momentum).
double one_cycle(Only<Index> step, const OneCycleOptions& options);

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include "../core/only.h"
#include "../core/shape.h"

// Learning rates as functions of the step, which is whatever you count, batches or epochs, from 0:
//
//     optimizer.set_lr(cosine(step, {.lr = 0.1, .steps = 10'000}));
//
// before the step of that number. They keep nothing, so they need not be saved, and they can be put
// together:
//
//     step < 500 ? linear_warmup(step, {.lr = 0.1, .steps = 500})
//                : cosine(step - 500, {.lr = 0.1, .steps = 9'500})
//
// All throw Error for a negative step and for options out of range.

namespace primer {

struct StepDecayOptions {
    Only<double> lr;            ///< at the start
    Only<Index> every;          ///< steps from one reduction to the next
    Only<double> factor = 0.1;  ///< what is left of it each time
};

/// lr factor^(step / every), the quotient rounded down.
double step_decay(Only<Index> step, const StepDecayOptions& options);

struct CosineOptions {
    Only<double> lr;          ///< at the start
    Only<Index> steps;        ///< until min_lr is reached
    Only<double> min_lr = 0;  ///< from then on
};

/// min_lr + (lr - min_lr) (1 + cos(pi step / steps)) / 2: half a wave from lr down to min_lr, where
/// it stays. Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017,
/// equation 5, without restarts.
double cosine(Only<Index> step, const CosineOptions& options);

struct LinearWarmupOptions {
    Only<double> lr;                      ///< at the end
    Only<Index> steps;                    ///< until lr is reached
    Only<double> start_factor = 1.0 / 3;  ///< the part of it at step 0
};

/// lr (start_factor + (1 - start_factor) step / steps): a line up to lr, where it stays.
double linear_warmup(Only<Index> step, const LinearWarmupOptions& options);

struct OneCycleOptions {
    Only<double> max_lr;                  ///< the highest
    Only<Index> total_steps;              ///< of the whole training
    Only<double> pct_start = 0.3;         ///< the part of them in which it rises
    Only<double> div_factor = 25;         ///< it starts at max_lr / div_factor
    Only<double> final_div_factor = 1e4;  ///< and ends that many times below its start
};

/// Two half waves:
///
///     first = max_lr / div_factor                 at step 0, up to
///     max_lr                                      at step pct_start total_steps - 1, and down to
///     first / final_div_factor                    at the last step, total_steps - 1
///
/// where it stays. Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using
/// Large Learning Rates", 2018, in the form that PyTorch's OneCycleLR has by default (the momentum
/// is left alone).
double one_cycle(Only<Index> step, const OneCycleOptions& options);

}  // namespace primer

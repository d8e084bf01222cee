#include "schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../core/error.h"
#include "../core/options.h"

namespace primer {
namespace {

void check_common(const char* name, Index step, double lr, const char* length_name, Index length) {
    check(step >= 0, name, ": expected a step of 0 or more, got ", step);
    check(lr >= 0, name, ": expected a learning rate of 0 or more, got ", lr);
    check_finite(lr, name, "the learning rate");
    check(length >= 1, name, ": expected ", length_name, " >= 1, got ", length);
}

// Half a wave: `from` at part = 0, `to` at part = 1.
double half_wave(double from, double to, double part) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace

double step_decay(Only<Index> step, const StepDecayOptions& o) {
    check_common("step_decay", step, o.lr, "every", o.every);
    check_not_negative(o.factor, "step_decay", "factor");
    return o.lr * std::pow(o.factor, static_cast<double>(step / o.every));
}

double cosine(Only<Index> step, const CosineOptions& o) {
    check_common("cosine", step, o.lr, "steps", o.steps);
    check_not_negative(o.min_lr, "cosine", "min_lr");
    const auto t = static_cast<double>(std::min<Index>(step, o.steps));
    return half_wave(o.lr, o.min_lr, t / static_cast<double>(o.steps));
}

double linear_warmup(Only<Index> step, const LinearWarmupOptions& o) {
    check_common("linear_warmup", step, o.lr, "steps", o.steps);
    check(o.start_factor >= 0 && o.start_factor <= 1,
          "linear_warmup: expected a start_factor from 0 to 1, got ", o.start_factor);
    const auto t = static_cast<double>(std::min<Index>(step, o.steps));
    return o.lr * (o.start_factor + (1 - o.start_factor) * t / static_cast<double>(o.steps));
}

double one_cycle(Only<Index> step, const OneCycleOptions& o) {
    check_common("one_cycle", step, o.max_lr, "total_steps", o.total_steps);
    check(o.pct_start >= 0 && o.pct_start <= 1, "one_cycle: expected a pct_start from 0 to 1, got ",
          o.pct_start);
    check(o.div_factor > 0 && o.final_div_factor > 0,
          "one_cycle: expected div_factor > 0 and final_div_factor > 0, got ", o.div_factor,
          " and ", o.final_div_factor);
    check_finite(o.div_factor, "one_cycle", "div_factor");
    check_finite(o.final_div_factor, "one_cycle", "final_div_factor");
    const double first = o.max_lr / o.div_factor, final = first / o.final_div_factor;
    const double peak = o.pct_start * static_cast<double>(o.total_steps) - 1;
    const auto last = static_cast<double>(o.total_steps - 1);
    const double t = std::min(static_cast<double>(step), last);
    if (t < peak) return half_wave(first, o.max_lr, t / peak);
    return t == peak ? double{o.max_lr} : half_wave(o.max_lr, final, (t - peak) / (last - peak));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

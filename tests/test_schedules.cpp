#include <primer/optim/schedules.h>

#include <functional>
#include <vector>

#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

// The rates of the steps 0, 1, 2, ....
void check_rates(const std::function<double(Index)>& schedule,
                 const std::vector<double>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        CHECK(schedule(static_cast<Index>(i)) == doctest::Approx(expected[i]).epsilon(1e-10));
    }
}

// All of these rates are from the schedulers of torch 2.13.

TEST_CASE("step_decay: as StepLR") {
    check_rates([](Index s) { return step_decay(s, {.lr = 0.8, .every = 3, .factor = 0.5}); },
                {0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1});
    CHECK(step_decay(20, {.lr = 5, .every = 10}) == doctest::Approx(0.05));  // by 10 each time
}

TEST_CASE("cosine: as CosineAnnealingLR, and then flat") {
    check_rates([](Index s) { return cosine(s, {.lr = 0.5, .steps = 8, .min_lr = 0.1}); },
                {0.5, 0.484775906502, 0.441421356237, 0.376536686473, 0.3, 0.223463313527,
                 0.158578643763, 0.115224093498, 0.1, 0.1, 0.1});
    CHECK(cosine(0, {.lr = 2, .steps = 10}) == 2);
    CHECK(cosine(5, {.lr = 2, .steps = 10}) == doctest::Approx(1));
    CHECK(cosine(10, {.lr = 2, .steps = 10}) == 0);
    CHECK(cosine(1'000'000, {.lr = 2, .steps = 10}) == 0);
}

TEST_CASE("linear_warmup: as LinearLR") {
    check_rates(
        [](Index s) { return linear_warmup(s, {.lr = 0.8, .steps = 4, .start_factor = 0.25}); },
        {0.2, 0.35, 0.5, 0.65, 0.8, 0.8, 0.8});
    check_rates([](Index s) { return linear_warmup(s, {.lr = 0.9, .steps = 5}); },
                {0.3, 0.42, 0.54, 0.66, 0.78, 0.9, 0.9});
    CHECK(linear_warmup(0, {.lr = 1, .steps = 2, .start_factor = 0}) == 0);
}

TEST_CASE("one_cycle: as OneCycleLR") {
    check_rates([](Index s) { return one_cycle(s, {.max_lr = 0.5, .total_steps = 10}); },
                {0.02, 0.26, 0.5, 0.475242316007, 0.405872826975, 0.305631010968, 0.194370989032,
                 0.0941291730251, 0.0247596839933, 2e-06, 2e-06, 2e-06});
    // The peak between two steps.
    check_rates(
        [](Index s) {
            return one_cycle(s, {.max_lr = 0.5,
                                 .total_steps = 9,
                                 .pct_start = 0.5,
                                 .div_factor = 10,
                                 .final_div_factor = 5});
        },
        {0.05, 0.134714794582, 0.32506721014, 0.477717995278, 0.485224692093, 0.3775,
         0.212456196472, 0.0673191114359, 0.01});
    // The peak before the first step, and at the last.
    check_rates(
        [](Index s) { return one_cycle(s, {.max_lr = 0.5, .total_steps = 3, .pct_start = 0.2}); },
        {0.466506484921, 0.185296497543, 2e-06});
    check_rates(
        [](Index s) { return one_cycle(s, {.max_lr = 0.5, .total_steps = 4, .pct_start = 1}); },
        {0.02, 0.14, 0.38, 0.5, 0.5});
    check_rates(
        [](Index s) { return one_cycle(s, {.max_lr = 0.5, .total_steps = 4, .pct_start = 0}); },
        {0.42677698819, 0.250001, 0.0732250118101, 2e-06});
    CHECK(one_cycle(0, {.max_lr = 0.5, .total_steps = 1, .pct_start = 1}) == 0.5);
}

TEST_CASE("schedules: put together, and set between steps") {
    const auto schedule = [](Index step) {
        return step < 4 ? linear_warmup(step, {.lr = 0.8, .steps = 4, .start_factor = 0.25})
                        : cosine(step - 4, {.lr = 0.8, .steps = 2});
    };
    SGD optimizer({Parameter(zeros({1}))}, {.lr = 1});
    std::vector<double> rates;
    for (Index step = 0; step < 8; ++step) {
        optimizer.set_lr(schedule(step));
        rates.push_back(optimizer.lr());
    }
    check_rates([&](Index s) { return rates[static_cast<std::size_t>(s)]; },
                {0.2, 0.35, 0.5, 0.65, 0.8, 0.4, 0, 0});
}

TEST_CASE("schedules: bad arguments") {
    check_error([] { step_decay(-1, {.lr = 1, .every = 1}); },
                {"step_decay: expected a step of 0 or more, got -1"});
    check_error([] { step_decay(0, {.lr = -1, .every = 1}); },
                {"step_decay: expected a learning rate of 0 or more, got -1"});
    check_error([] { step_decay(0, {.lr = 1, .every = 0}); },
                {"step_decay: expected every >= 1, got 0"});
    check_error([] { step_decay(0, {.lr = 1, .every = 1, .factor = -0.1}); },
                {"step_decay: expected factor >= 0, got -0.1"});

    check_error([] { cosine(-1, {.lr = 1, .steps = 1}); },
                {"cosine: expected a step of 0 or more"});
    check_error([] { cosine(0, {.lr = NAN, .steps = 1}); },
                {"cosine: expected a learning rate of 0 or more, got nan"});
    check_error([] { cosine(0, {.lr = 1, .steps = 0}); }, {"cosine: expected steps >= 1, got 0"});
    check_error([] { cosine(0, {.lr = 1, .steps = 1, .min_lr = -1}); },
                {"cosine: expected min_lr >= 0, got -1"});

    check_error([] { linear_warmup(0, {.lr = 1, .steps = 0}); },
                {"linear_warmup: expected steps >= 1, got 0"});
    check_error([] { linear_warmup(0, {.lr = 1, .steps = 1, .start_factor = 1.5}); },
                {"linear_warmup: expected a start_factor from 0 to 1, got 1.5"});

    check_error([] { one_cycle(0, {.max_lr = 1, .total_steps = 0}); },
                {"one_cycle: expected total_steps >= 1, got 0"});
    check_error([] { one_cycle(0, {.max_lr = 1, .total_steps = 9, .pct_start = 1.1}); },
                {"one_cycle: expected a pct_start from 0 to 1, got 1.1"});
    check_error([] { one_cycle(0, {.max_lr = 1, .total_steps = 9, .div_factor = 0}); },
                {"one_cycle: expected div_factor > 0 and final_div_factor > 0, got 0 and 10000"});
    check_error([] { one_cycle(0, {.max_lr = 1, .total_steps = 9, .final_div_factor = -1}); },
                {"got 25 and -1"});

    check_error([] { linear_warmup(0, {.lr = INFINITY, .steps = 1}); },
                {"linear_warmup: expected the learning rate to be finite", "got inf"});
    check_error([] { step_decay(0, {.lr = 1, .every = 1, .factor = INFINITY}); },
                {"step_decay: expected factor to be finite"});
    check_error([] { cosine(0, {.lr = 1, .steps = 1, .min_lr = INFINITY}); },
                {"cosine: expected min_lr to be finite"});
    check_error([] { one_cycle(0, {.max_lr = 1, .total_steps = 9, .div_factor = INFINITY}); },
                {"one_cycle: expected div_factor to be finite"});
    check_error([] { one_cycle(0, {.max_lr = 1, .total_steps = 9, .final_div_factor = INFINITY}); },
                {"one_cycle: expected final_div_factor to be finite"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/optim/optimizer.h>
#include "support.h"

// What the tests of the optimizers share.

namespace primer {

inline Parameter parameter(std::initializer_list<double> values) {
    return Parameter(tensor(values));
}

inline void step(Optimizer& optimizer, const Parameter& w, std::initializer_list<double> grad) {
    w.set_grad(tensor(grad));
    optimizer.step();
}

/// Options, and the two weights that PyTorch computes with them after each step.
template <class Options>
struct OptimizerCase {
    Options options;
    std::vector<double> weights;
};

/// Checks up to four steps from the weights 1 and -2. make(w, options) returns an optimizer of w.
template <class Options, class Make>
void check_cases(const std::vector<OptimizerCase<Options>>& cases, double tolerance, Make make) {
    const double grads[4][2] = {{0.5, -0.25}, {-0.125, 1}, {0.75, 0.5}, {0.01, -3}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(i);
        const std::vector<double>& weights = cases[i].weights;
        const Parameter w = parameter({1, -2});
        auto optimizer = make(w, cases[i].options);
        for (std::size_t s = 0; s < weights.size() / 2; ++s) {
            CAPTURE(s);
            step(optimizer, w, {grads[s][0], grads[s][1]});
            check_values(w, {2}, {weights[2 * s], weights[2 * s + 1]}, tolerance);
        }
    }
}

/// Checks that `resumed`, given the state and the two weights of `optimizer` after two steps, takes
/// the same steps from there.
inline void check_resumes(Optimizer& optimizer, Optimizer& resumed) {
    const Parameter &w = optimizer.parameters()[0], &copy = resumed.parameters()[0];
    step(optimizer, w, {1, -5});
    step(optimizer, w, {2, 3});
    resumed.load_state(optimizer.named_state());
    copy.copy_(w);
    for (int i = 0; i < 3; ++i) {
        step(optimizer, w, {-1, 0.5});
        step(resumed, copy, {-1, 0.5});
    }
    CHECK(std::ranges::equal(w.values(), copy.values()));
}

/// Checks that backward() refuses a weight that a step of `optimizer` has changed since the
/// forward, and names `writer`.
inline void check_told_to_backward(Optimizer&& optimizer, const char* writer) {
    const Parameter& w = optimizer.parameters()[0];
    Tape tape;
    const Tensor loss = sum(w * w);
    step(optimizer, w, {1});
    check_error([&] { tape.backward(loss); }, {"mul: backward needs a value", writer});
}

/// Minimizes (w0 - 3)^2 + scale^2 (w1 + 1)^2. set_up(i) comes before step i.
template <class SetUp>
void minimize(Optimizer& optimizer, int steps, double scale, const SetUp& set_up) {
    const Parameter& w = optimizer.parameters()[0];
    for (int i = 0; i < steps; ++i) {
        set_up(i);
        Tape tape;
        const Tensor d = (w - tensor({3, -1})) * tensor({1, scale});
        optimizer.zero_grad();
        tape.backward(sum(d * d));
        optimizer.step();
    }
}

/// A large parameter, its gradient, and its values after three steps.
struct Trained {
    Tensor start, grad, end;
};

/// Checks three steps over several chunks, of which the last one is shorter: the bits are the same
/// for any number of threads, and each element comes out as if it were alone. make(w) returns an
/// optimizer of w.
template <class Make>
Trained check_same_bits(Make make) {
    const Shape shape{3, 20011};
    Rng rng(1);
    Trained trained{randn(shape, rng), randn(shape, rng), {}};
    const int before = num_threads();
    for (const int threads : {1, 2, 3, 8}) {
        set_num_threads(threads);
        const Parameter w(trained.start.clone());
        auto optimizer = make(w);
        w.set_grad(trained.grad);
        for (int i = 0; i < 3; ++i) optimizer.step();
        if (threads == 1) trained.end = w.clone();
        CHECK(std::ranges::equal(w.values(), trained.end.values()));
    }
    set_num_threads(before);
    for (const Index i : {0, 7, 16383, 16384, 60000, 60032}) {
        CAPTURE(i);
        const auto value = [i](const Tensor& x) { return static_cast<double>(x.data()[i]); };
        const Parameter alone = parameter({value(trained.start)});
        auto optimizer = make(alone);
        for (int s = 0; s < 3; ++s) step(optimizer, alone, {value(trained.grad)});
        check_values(alone, {1}, {value(trained.end)});
    }
    return trained;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/optim/clip_grad.h>

#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

// Two parameters with the gradients [3, 0, -4] and [[0, 12], [0, 0]], together of length 13; and
// one without a gradient.
std::vector<Parameter> three() {
    std::vector<Parameter> parameters{Parameter(zeros({3})), Parameter(zeros({1})),
                                      Parameter(zeros({2, 2}))};
    parameters[0].set_grad(tensor({3, 0, -4}));
    parameters[2].set_grad(tensor({0, 12, 0, 0}, {2, 2}));
    return parameters;
}

TEST_CASE("clip_grad_norm_: gradients that are too long are scaled together") {
    const std::vector<Parameter> parameters = three();
    CHECK(clip_grad_norm_(parameters, 2) == 13);
    // times 2 / (13 + 1e-6); the same digits as torch.nn.utils.clip_grad_norm_ of torch 2.13
    check_values(parameters[0].grad(), {3}, {0.46153842603551, 0, -0.61538456804734});
    check_values(parameters[2].grad(), {2, 2}, {0, 1.846153704142, 0, 0});
    CHECK_FALSE(parameters[1].grad().defined());
    check_values(parameters[0], {3}, {0, 0, 0});  // the weights stay
    CHECK(static_cast<double>(clip_grad_norm_(parameters, 100)) ==
          doctest::Approx(2).epsilon(1e-6));
}

TEST_CASE("clip_grad_norm_: parameters in braces") {
    const std::vector<Parameter> parameters = three();
    CHECK(clip_grad_norm_({parameters[0], parameters[2]}, 26) == 13);
    CHECK(clip_grad_norm_({parameters[0]}, 1) == 5);
}

TEST_CASE("clip_grad_norm_: short ones are left alone") {
    const std::vector<Parameter> parameters = three();
    CHECK(clip_grad_norm_(parameters, 13.1) == 13);
    check_values(parameters[0].grad(), {3}, {3, 0, -4}, 0);
    check_values(parameters[2].grad(), {2, 2}, {0, 12, 0, 0}, 0);
    CHECK(clip_grad_norm_(parameters, INFINITY) == 13);
    check_values(parameters[0].grad(), {3}, {3, 0, -4}, 0);
}

TEST_CASE("clip_grad_norm_: after a step it does not hide that zero_grad is missing") {
    const Parameter w(ones({2}));
    SGD optimizer({w}, {.lr = 0.1});
    for (int i = 0; i < 2; ++i) {
        {
            Tape tape;
            tape.backward(sum(w * 3));
        }
        if (i == 0) {
            optimizer.step();
            clip_grad_norm_(optimizer.parameters(), 1);
        } else {
            clip_grad_norm_(optimizer.parameters(), 1);
            check_error([&] { optimizer.step(); }, {"call zero_grad() once before"});
        }
    }
}

TEST_CASE("clip_grad_norm_: nothing, and to nothing") {
    CHECK(clip_grad_norm_({}, 1) == 0);
    const Parameter without(zeros({2}));
    CHECK(clip_grad_norm_(std::vector{without}, 1) == 0);
    const std::vector<Parameter> parameters = three();
    CHECK(clip_grad_norm_(parameters, 0) == 13);
    check_values(parameters[0].grad(), {3}, {0, 0, 0});
}

TEST_CASE("clip_grad_norm_: 1e-6 is added to the norm") {
    const Parameter w(zeros({1}));
    w.set_grad(tensor({1e-6}));
    clip_grad_norm_(std::vector{w}, 1e-6);  // times 1e-6 / 2e-6
    CHECK(static_cast<double>(w.grad().item()) == doctest::Approx(5e-7).epsilon(1e-5));
}

TEST_CASE("clip_grad_norm_: a NaN is not hidden") {
    const std::vector<Parameter> parameters = three();
    parameters[0].set_grad(tensor({NAN, 0, 1}));
    CHECK(std::isnan(clip_grad_norm_(parameters, 2)));
    check_values(parameters[2].grad(), {2, 2}, {NAN, NAN, NAN, NAN});
}

TEST_CASE("clip_grad_norm_: a bad length") {
    check_error([] { clip_grad_norm_({}, -1); },
                {"clip_grad_norm_: expected max_norm >= 0, got -1"});
    check_error([] { clip_grad_norm_({}, NAN); }, {"got nan"});
}

TEST_CASE("clip_grad_norm_: large gradients, the same bits for any number of threads") {
    Rng rng(1);
    const Parameter w(zeros({100003}));
    w.set_grad(randn({100003}, rng));
    double squares = 0;
    for (Real g : w.grad().values()) squares += static_cast<double>(g) * static_cast<double>(g);
    const auto norm = [&](int threads) {
        const int before = num_threads();
        set_num_threads(threads);
        const Real n = clip_grad_norm_(std::vector{w}, 1e9);
        set_num_threads(before);
        return n;
    };
    for (const int threads : {2, 3, 8}) CHECK(norm(threads) == norm(1));
    CHECK(static_cast<double>(norm(1)) == doctest::Approx(std::sqrt(squares)).epsilon(1e-6));
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

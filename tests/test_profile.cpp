#include <primer/layers/inspect/profile.h>

#include <chrono>
#include <sstream>
#include <thread>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

constexpr double kEach = sizeof(Real);

Sequential network(Rng& rng) {
    return Sequential{Conv2d(1, 2, {.kernel_size = 3, .padding = 1, .bias = false}, rng), ReLU(),
                      Flatten(), Linear(32, 3, rng)};
}

TEST_CASE("profile: calls, operations and bytes, worked out by hand") {
    Rng rng(1);
    Sequential model = network(rng);
    const Tensor x = randn({5, 1, 4, 4}, rng);
    Index called = 0;
    const Profile p = profile(model,
                              [&] {
                                  ++called;
                                  return cross_entropy(model(x), {0, 1, 2, 0, 1});
                              },
                              {.steps = 3, .warm_up = 2});
    CHECK(called == 5);
    CHECK(p.steps == 3);
    REQUIRE(p.ops.size() == 5);
    for (const ProfileRow& row : p.ops) {
        CHECK(row.calls == 3);
        CHECK(row.forward.seconds >= 0);
        CHECK(row.backward.seconds >= 0);
        CHECK(row.seconds() == row.forward.seconds + row.backward.seconds);
    }
    // 160 outputs of 9 products; backward only for the weight, because nobody wants the gradient of
    // x. It reads dy and x and writes dw.
    const ProfileRow& conv = p.ops[0];
    CHECK(conv.name == "op 0: conv2d");
    CHECK(conv.layer == "0 (Conv2d)");
    CHECK(conv.output == Shape{5, 2, 4, 4});
    CHECK(conv.forward.operations == 2 * 160 * 9);
    CHECK(conv.backward.operations == 2 * 160 * 9);
    CHECK(conv.forward.bytes == (80 + 18 + 160) * kEach);
    CHECK(conv.backward.bytes == (160 + 80 + 18) * kEach);
    // Reads x and writes y; reads dy and y and writes dx.
    CHECK(p.ops[1].forward.operations == 160);
    CHECK(p.ops[1].backward.operations == 160);
    CHECK(p.ops[1].forward.bytes == 320 * kEach);
    CHECK(p.ops[1].backward.bytes == 480 * kEach);
    CHECK(p.ops[2].forward.operations == 0);  // flatten
    CHECK(p.ops[2].backward.bytes == 0);
    // 15 outputs of 32 products and a bias, and both gradients.
    CHECK(p.ops[3].forward.operations == 2 * 15 * 33);
    CHECK(p.ops[3].backward.operations == 4 * 15 * 33);
    CHECK(p.ops[3].forward.bytes == (160 + 96 + 3 + 15) * kEach);
    CHECK(p.ops[3].backward.bytes == (15 + 160 + 96 + 160 + 96 + 3) * kEach);
    CHECK(p.ops[4].name == "op 4: cross_entropy");
    CHECK(p.ops[4].layer.empty());
    CHECK(p.ops[4].forward.operations == 15);

    double forward = 0;
    for (const ProfileRow& row : p.ops) forward += row.forward.operations.value();
    REQUIRE(p.layers.size() == 5);
    double by_layer = 0;
    for (const ProfileRow& row : p.layers) by_layer += row.forward.operations.value();
    CHECK(by_layer == forward);
    CHECK(p.forward_seconds >= 0);
    CHECK(p.backward_seconds >= 0);
    for (const Parameter& parameter : model.parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE(
    "profile: ops of one layer are added up; ops that do not lead to the loss have no backward") {
    Rng rng(1);
    Linear model(2, 3, rng);
    const Tensor x = ones({4, 2});
    const Profile p = profile(model,
                              [&] {
                                  const Tensor y = model(x), z = model(x);
                                  exp(y);
                                  return mean(add(matmul(y, ones({3, 3})), z));
                              },
                              {.steps = 2, .warm_up = 0});
    REQUIRE(p.ops.size() == 6);
    REQUIRE(p.layers.size() == 2);
    CHECK(p.layers[0].name == "Linear");
    CHECK(p.layers[0].calls == 4);
    CHECK(p.layers[0].forward.operations == 2 * 2 * 12 * 3);
    CHECK(p.layers[1].name.empty());
    CHECK(p.layers[1].calls == 8);
    CHECK(p.ops[2].name == "op 2: exp");
    CHECK(p.ops[2].forward.operations == 12);
    CHECK(p.ops[2].backward.operations == 0);
    CHECK(p.ops[2].backward.seconds == 0);
    CHECK(p.ops[3].forward.operations == 2 * 12 * 3);
    CHECK(p.ops[3].backward.operations == 2 * 12 * 3);  // one factor is a constant
}

// The median of two steps is their mean: at least half of the pause in one of them, at most half of
// the whole time, however busy the machine.
TEST_CASE("profile: the median of two steps lies between them") {
    Rng rng(1);
    Linear model(2, 3, rng);
    const std::chrono::milliseconds pause(200);
    int step = 0;
    const auto loss = [&] {
        if (++step == 2) std::this_thread::sleep_for(pause);
        return mean(model(ones({4, 2})));
    };
    const auto start = std::chrono::steady_clock::now();
    const Profile p = profile(model, loss, {.steps = 2, .warm_up = 0});
    const std::chrono::duration<double> all = std::chrono::steady_clock::now() - start;
    CHECK(p.forward_seconds >= 0.1);
    CHECK(p.forward_seconds <= all.count() / 2);
}

TEST_CASE("profile: an op that does not state its cost") {
    Rng rng(1);
    Linear model(2, 3, rng);
    const auto profiled = [&](const Op& op) {
        return profile(model, [&] {
            const Tensor y = model(ones({4, 2}));
            return mean(record(op, y.clone(), {y}, [](const Tensor& dy, std::span<Grad> d) {
                Grad& dx = d[0];
                dx.add(dy);
            }));
        });
    };
    const Profile p = profiled("own");
    REQUIRE(p.ops.size() == 4);  // linear, clone, own, mean
    CHECK(p.ops[2].name == "op 2: own");
    CHECK_FALSE(p.ops[2].forward.operations.has_value());
    CHECK_FALSE(p.ops[2].backward.operations.has_value());
    REQUIRE(p.layers.size() == 2);
    CHECK(p.layers[0].forward.operations == 2 * 12 * 3);
    CHECK_FALSE(p.layers[1].forward.operations.has_value());
    std::ostringstream out;
    out << p;
    const std::string text = out.str();
    const std::string line = text.substr(text.find("op 2: own"), text.find('\n'));
    CHECK(line.find(" ? ") != std::string::npos);

    const Profile stated = profiled({"own", 1000, 1});
    CHECK(stated.ops[2].forward.operations == 2000);
    CHECK(stated.ops[2].backward.operations == 2000);
    CHECK(stated.layers[1].forward.operations.has_value());
    // Which inputs are factors is not known.
    const Profile half = profiled({"own", 1000});
    CHECK(half.ops[2].forward.operations == 2000);
    CHECK_FALSE(half.ops[2].backward.operations.has_value());
    const Profile without = profiled({"own", 0});
    CHECK(without.ops[2].forward.operations == 12);
    CHECK(without.ops[2].backward.operations == 12);
}

TEST_CASE("profile: an op of three factors, and one that calls others") {
    Rng rng(1);
    Linear model(2, 3, rng);
    const Tensor constant = ones({4, 3});
    const auto profiled = [&](const Op& op, bool calls_others) {
        return profile(model, [&] {
            const Tensor y = model(ones({4, 2})), z = model(ones({4, 2}));
            Tensor result = y.detach().clone();
            if (calls_others) {
                const NoGrad unrecorded;
                matmul(y, ones({3, 3}));
            }
            result = record(op, result, {y, constant, z, model.bias},
                            [](const Tensor& dy, std::span<Grad> d) {
                                for (Grad& each : d) each.add(dy);
                            });
            return mean(result);
        });
    };
    const auto of = [](const Profile& p) { return p.ops.at(2); };
    const ProfileRow three = of(profiled({"three", 100, 3}, false));
    CHECK(three.name == "op 2: three");
    CHECK(three.forward.operations == 2 * 100);
    CHECK(three.backward.operations == 2 * 2 * 100);  // one of the three is a constant
    const ProfileRow calls = of(profiled({"calls", 100, 3}, true));
    CHECK(calls.forward.operations == 2 * (100 + 4 * 3 * 3));
    CHECK(calls.backward.operations == 2 * 2 * 100);
    const ProfileRow unknown = of(profiled({"only calls", 0}, true));
    CHECK(unknown.forward.operations == 2 * 4 * 3 * 3);
    CHECK_FALSE(unknown.backward.operations.has_value());
    CHECK_FALSE(of(profiled("none", true)).forward.operations.has_value());
}

TEST_CASE("profile: as text, the slowest first") {
    Profile p;
    p.steps = 3;
    p.forward_seconds = 0.0015;
    p.backward_seconds = 0.0045;
    ProfileRow fast, slow;
    fast.name = "op 0: relu";
    fast.output = {2, 3};
    fast.forward = {.seconds = 0.0005, .operations = 1e6, .bytes = 2e6};
    fast.backward = {.seconds = 0.0005, .operations = 1e6, .bytes = 3e6};
    slow.name = "op 1: linear";
    slow.layer = "1 (Linear)";
    slow.output = {2, 4};
    slow.forward = {.seconds = 0.001, .operations = 8e6, .bytes = 0};
    slow.backward = {.seconds = 0.002, .operations = 8e6, .bytes = 6e6};
    p.ops = {fast, slow};
    fast.name = "";
    fast.forward.seconds = fast.backward.seconds = 0;
    p.layers = {fast};
    std::ostringstream out;
    out << p;
    CHECK(out.str() ==
          "Op                 Layer  Output  Fwd ms  Bwd ms  Share  Fwd GFLOP/s  Bwd GFLOP/s  Fwd "
          "MB  Bwd MB  GB/s\n"
          "----------------------------------------------------------------------------------------"
          "---------------\n"
          "op 1: linear  1 (Linear)  [2, 4]   1.000   2.000  75.0%          8.0          4.0    "
          "0.00    6.00   2.0\n"
          "op 0: relu             -  [2, 3]   0.500   0.500  25.0%          2.0          2.0    "
          "2.00    3.00   5.0\n"
          "\n"
          "Layer       Output  Fwd ms  Bwd ms  Share  Fwd GFLOP/s  Bwd GFLOP/s  Fwd MB  Bwd MB  "
          "GB/s\n"
          "----------------------------------------------------------------------------------------"
          "-\n"
          "(no layer)  [2, 3]   0.000   0.000   0.0%            -            -    2.00    3.00     "
          "-\n"
          "\n"
          "A step: forward 1.500 ms, backward 4.500 ms; medians of 3 steps.\n");
}

TEST_CASE("profile: what it refuses") {
    Rng rng(1);
    Linear model(2, 3, rng);
    const auto loss = [&] { return mean(model(ones({4, 2}))); };
    check_error([&] { profile(model, loss, {.steps = 0}); },
                {"profile: expected at least one step, and a warm-up of at least 0, got 0 and 2"});
    check_error([&] { profile(model, loss, {.steps = 1, .warm_up = -1}); }, {"got 1 and -1"});
    int step = 0;
    check_error([&] { profile(model, [&] { return ++step < 3 ? loss() : neg(loss()); }); },
                {"profile: expected the same ops in every step, got 5 and 6 inputs and ops"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

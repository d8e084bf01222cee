#include <primer/layers/inspect/summary.h>

#include <functional>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

// y = shift + last(body(relu(x))), relu called twice; `spare` is not called.
class Model : public Module {
  public:
    explicit Model(Rng& rng)
        : shift(ones({3})),
          body(Linear(4, 1000, rng), ReLU()),
          last(1000, 3, rng),
          spare(2, 2, rng) {}
    Tensor forward(const Tensor& x) override {
        saw_training = training() || last.training() || body[0].training();
        was_recording = recording();
        if (fails) fail("Model: fails");
        return relu(last(body(relu(x)))) + shift;
    }
    void visit(Visitor& visitor) override {
        visitor("relu", relu);
        visitor("body", body);
        visitor("last", last);
        visitor("spare", spare);
        visitor("shift", shift);
        visitor("count", count);
    }
    std::string describe() const override { return "Model(size=3)"; }

    Parameter shift;
    Buffer count{zeros({100})};
    ReLU relu;
    Sequential body;
    Linear last, spare;
    bool fails = false, saw_training = false, was_recording = false;
};

TEST_CASE("summary: a perceptron") {
    Rng rng(1);
    Sequential model{Flatten(), Linear(784, 256, rng), ReLU(), Linear(256, 10, rng)};
    // 784 * 256 + 256 = 200 960, 256 * 10 + 10 = 2570; each of them once for each of 64 rows. In
    // numbers of 4 or 8 bytes: an input of 64 * 784 = 50 176, outputs of 64 * 266, twice.
    CHECK(text(summary(model, {64, 1, 28, 28})) ==
          "Layer (type)   Output shape  Parameters  Multiply-adds\n"
          "------------------------------------------------------\n"
          "Sequential         [64, 10]           -              -\n"
          "  0 (Flatten)     [64, 784]           -              -\n"
          "  1 (Linear)      [64, 256]     200,960     12,861,440\n"
          "  2 (ReLU)        [64, 256]           -              -\n"
          "  3 (Linear)       [64, 10]       2,570        164,480\n"
          "------------------------------------------------------\n"
          "Parameters: 203,530 (203,530 trainable)\n"
          "Multiply-adds: 13,025,920\n" +
              std::string(kDouble ? "Memory: input 0.40 MB, forward and backward 0.27 MB, "
                                    "parameters 1.63 MB, in all 2.30 MB\n"
                                  : "Memory: input 0.20 MB, forward and backward 0.14 MB, "
                                    "parameters 0.81 MB, in all 1.15 MB\n"));
}

TEST_CASE("summary: modules in modules") {
    Rng rng(1);
    Model model(rng);
    model.last.bias.requires_grad_(false);
    // 4 * 1000 + 1000, 1000 * 3 + 3 of which 3 are frozen, 2 * 2 + 2, and the shift's 3.
    // Outputs of layers with parameters: 2 * 1000 + 2 * 3, twice.
    CHECK(text(summary(model, {2, 4})) ==
          "Layer (type)         Output shape  Parameters  Multiply-adds\n"
          "------------------------------------------------------------\n"
          "Model                      [2, 3]           3              -\n"
          "  relu (ReLU)              [2, 3]           -              -\n"
          "  body (Sequential)     [2, 1000]           -              -\n"
          "    0 (Linear)          [2, 1000]       5,000         10,000\n"
          "    1 (ReLU)            [2, 1000]           -              -\n"
          "  last (Linear)            [2, 3]       3,003          6,006\n"
          "  spare (Linear)       not called           6              -\n"
          "------------------------------------------------------------\n"
          "Parameters: 8,012 (8,009 trainable)\n"
          "Multiply-adds: 16,006\n" +
              std::string(kDouble ? "Memory: input 0.00 MB, forward and backward 0.03 MB, "
                                    "parameters 0.06 MB, in all 0.10 MB\n"
                                  : "Memory: input 0.00 MB, forward and backward 0.02 MB, "
                                    "parameters 0.03 MB, in all 0.05 MB\n"));
}

// The figures are those of torchinfo 1.8.0 for the same layers in PyTorch 2.13, with separate
// ReLUs.
TEST_CASE("summary: a convolutional network has torchinfo's figures") {
    Rng rng(1);
    Sequential model{Conv2d(1, 32, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(32, {.relu = true}),
                     MaxPool2d({.kernel_size = 2}),
                     Conv2d(32, 64, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(64, {.relu = true}),
                     MaxPool2d({.kernel_size = 2}),
                     Flatten(),
                     Linear(3136, 128, rng),
                     ReLU(),
                     Linear(128, 10, rng)};
    const Summary s = summary(model, {64, 1, 28, 28});
    const std::vector<Index> multiply_adds{0, 14'450'688, 4'096,      0, 231'211'008, 8'192,
                                           0, 0,          25'698'304, 0, 82'560};
    REQUIRE(s.rows.size() == multiply_adds.size());
    for (std::size_t i = 0; i < s.rows.size(); ++i) {
        CAPTURE(i);
        CHECK(s.rows[i].multiply_adds == multiply_adds[i]);
    }
    CHECK(s.parameters == 421'738);
    CHECK(s.multiply_adds == 271'454'848);
    constexpr Index to_real = sizeof(Real) / sizeof(float);
    CHECK(s.input_bytes == 200'704 * to_real);
    CHECK(s.forward_backward_bytes == 38'605'824 * to_real);
    CHECK(s.parameter_bytes() == 1'686'952 * to_real);
    CHECK(s.total_bytes() == (200'704 + 38'605'824 + 1'686'952) * to_real);
}

TEST_CASE("summary: each call counts, and each row of a sequence") {
    class Twice : public Module {
      public:
        explicit Twice(Rng& rng) : linear(3, 3, rng) {}
        Tensor forward(const Tensor& x) override { return linear(linear(x)); }
        void visit(Visitor& visitor) override {
            visitor("linear", linear);
            visitor("again", linear);
        }
        std::string describe() const override { return "Twice"; }
        Linear linear;
    };
    Rng rng(1);
    Twice model(rng);
    const Summary s = summary(model, {2, 5, 3});
    CHECK(s.parameters == 12);
    CHECK(s.multiply_adds == 2 * 10 * 12);  // two calls, 10 rows each
    CHECK(s.rows[1].output_bytes == 2 * 30 * Index{sizeof(Real)});
    CHECK(s.forward_backward_bytes == 2 * s.rows[1].output_bytes);
    CHECK(s.input_bytes == 30 * Index{sizeof(Real)});
    PReLU slopes;
    CHECK(summary(slopes, {}).multiply_adds == 1);  // a scalar
    CHECK(summary(slopes, {7, 2}).multiply_adds == 7);
}

// y = x W, without an op of its own; `op` says what it is recorded as.
Tensor product(const Op& op, const Tensor& x, const Tensor& w) {
    const Tensor y = empty({x.shape()[0], w.shape()[1]}).fill_(0);
    return record(op, y, {x, w}, [](const Tensor&, std::span<Grad>) {});
}

// A layer of a user's own: its forward is what the test says, beside that of the layer in it.
struct Own : Module {
    explicit Own(Rng& rng) : inner(3, 4, rng) {}
    Tensor forward(const Tensor& x) override { return f(*this, x); }
    void visit(Visitor& visitor) override {
        visitor("inner", inner);
        visitor("weight", weight);
    }
    std::string describe() const override { return "Own"; }

    Linear inner;
    Parameter weight{ones({4, 5})};
    std::function<Tensor(Own&, const Tensor&)> f;
};

TEST_CASE("summary: what a module computes itself counts for it, once") {
    Rng rng(1);
    Own own(rng);
    own.f = [](Own& m, const Tensor& x) { return relu(matmul(m.inner(x), m.weight)); };
    Sequential model;
    model.append(std::move(own));
    const Summary s = summary(model, {2, 3});
    REQUIRE(s.rows.size() == 3);
    CHECK(s.rows[0].multiply_adds == 0);
    CHECK(s.rows[1].multiply_adds == 2 * 4 * 5);
    CHECK(s.rows[2].multiply_adds == 2 * (3 * 4 + 4));
    CHECK(s.multiply_adds == 2 * 4 * 5 + 2 * (3 * 4 + 4));
    CHECK_FALSE(s.unknown_cost);
    // The same before and after the layer in it, and frozen, so that nothing is recorded.
    Own twice(rng);
    twice.f = [](Own& m, const Tensor& x) {
        return matmul(m.inner(matmul(x, ones({3, 3}))), m.weight);
    };
    for (const Parameter& p : twice.parameters()) p.requires_grad_(false);
    CHECK(summary(twice, {2, 3}).rows[0].multiply_adds == 2 * 3 * 3 + 2 * 4 * 5);
    // A layer that visit does not name has no row: it counts for the module that calls it.
    Linear hidden(3, 3, rng);
    twice.f = [&hidden](Own& m, const Tensor& x) { return m.inner(hidden(x)); };
    const Summary with_hidden = summary(twice, {2, 3});
    CHECK(with_hidden.rows[0].multiply_adds == 2 * (3 * 3 + 3));
    CHECK(with_hidden.rows[1].multiply_adds == 2 * (3 * 4 + 4));
}

TEST_CASE("summary: an op that does not state its cost prints ?, one that does is counted") {
    Rng rng(1);
    Own own(rng);
    own.f = [](Own& m, const Tensor& x) { return product("product", relu(m.inner(x)), m.weight); };
    const Summary unknown = summary(own, {2, 3});
    CHECK(unknown.unknown_cost);
    CHECK(unknown.rows[0].unknown_cost);
    CHECK_FALSE(unknown.rows[1].unknown_cost);
    CHECK(
        text(unknown).starts_with("Layer (type)      Output shape  Parameters  Multiply-adds\n"
                                  "---------------------------------------------------------\n"
                                  "Own                     [2, 5]          20              ?\n"
                                  "  inner (Linear)        [2, 4]          16             32\n"));
    CHECK(text(unknown).find("Multiply-adds: 32 and more: those marked with ? are not known\n") !=
          std::string::npos);

    own.f = [](Own& m, const Tensor& x) {
        return product({"product", 2 * 4 * 5}, relu(m.inner(x)), m.weight);
    };
    const Summary stated = summary(own, {2, 3});
    CHECK_FALSE(stated.unknown_cost);
    CHECK(stated.rows[0].multiply_adds == 40);
    CHECK(stated.multiply_adds == 72);
}

TEST_CASE("summary: its rows") {
    Rng rng(1);
    Model model(rng);
    const Summary s = summary(model, {2, 4});
    REQUIRE(s.rows.size() == 7);
    CHECK(s.rows[0].depth == 0);
    CHECK(s.rows[0].name == "");
    CHECK(s.rows[0].type == "Model");
    CHECK(s.rows[0].parameters == 3);        // shift, which comes after the modules; not the buffer
    CHECK(s.rows[1].output == Shape{2, 3});  // of relu's second call
    CHECK(s.rows[3].depth == 2);
    CHECK(s.rows[3].name == "0");
    CHECK(s.rows[3].type == "Linear");
    CHECK(s.rows[3].output == Shape{2, 1000});
    CHECK(s.rows[3].parameters == 5000);
    CHECK(s.rows[5].name == "last");
    CHECK(s.rows[5].depth == 1);
    CHECK_FALSE(s.rows[6].output.has_value());
    CHECK(s.parameters == 3 + 5000 + 3003 + 6);
    CHECK(s.trainable == s.parameters);
}

TEST_CASE("summary: shared parameters are counted once") {
    Rng rng(1);
    Sequential model;
    Linear first(3, 3, rng), second(3, 3, rng);
    second.weight = first.weight;
    const Summary s = summary(model.append(std::move(first)).append(std::move(second)), {1, 3});
    CHECK(s.parameters == 9 + 3 + 3);
    CHECK(s.rows[1].parameters == 12);
    CHECK(s.rows[2].parameters == 3);
}

TEST_CASE("summary: runs in eval mode and puts every mode back") {
    Rng rng(1);
    Model model(rng);
    model.body.eval();
    model.body[1].train();
    const auto check_modes = [&] {
        CHECK(model.training());
        CHECK(model.last.training());
        CHECK_FALSE(model.body.training());
        CHECK_FALSE(model.body[0].training());
        CHECK(model.body[1].training());
    };
    summary(model, {2, 4});
    CHECK_FALSE(model.saw_training);
    check_modes();

    model.fails = true;
    check_error([&] { summary(model, {2, 4}); }, {"Model: fails"});
    check_modes();
    check_error(
        [&] {
            summary(model.last, {2, 4});
        },
        {"Linear: linear: expected x [*, 1000] for the weight [3, 1000], got [2, 4]"});
}

TEST_CASE("summary: is not recorded") {
    Rng rng(1);
    Model model(rng);
    Tape tape;
    summary(model, {2, 4});
    CHECK_FALSE(model.was_recording);
    CHECK(tape.size() == 0);
    CHECK(recording());
}

TEST_CASE("summary: thousands") {
    const auto total = [](Index n) {
        Summary summary;
        summary.parameters = n;
        return text(summary);
    };
    CHECK(total(0).find("Parameters: 0 (0 trainable)\n") != std::string::npos);
    CHECK(total(999).find("Parameters: 999 (") != std::string::npos);
    CHECK(total(1000).find("Parameters: 1,000 (") != std::string::npos);
    CHECK(total(999999).find("Parameters: 999,999 (") != std::string::npos);
    CHECK(total(25557032).find("Parameters: 25,557,032 (0 trainable)\n") != std::string::npos);
    CHECK(total(25557032).find("parameters " + std::string(kDouble ? "204.46" : "102.23") +
                               " MB") != std::string::npos);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/layers/fuse.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/op.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

/// Sees every call, so that the layers run one by one.
class Watch : public ForwardHook {
  public:
    void called(Module&, const Tensor&, const Tensor&) override { ++calls; }
    int calls = 0;
};

Tensor one_by_one(Module& model, const Tensor& x) {
    const Watch watch;
    return model(x);
}

/// The largest difference, relative to the largest value; infinite if the shapes differ or a value
/// is NaN.
double difference(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape()) return INFINITY;
    double worst = 0, largest = 1e-30;
    for (Index i = 0; i < a.numel(); ++i) {
        const double x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
        if (std::isnan(x) || std::isnan(y)) return INFINITY;
        worst = std::max(worst, std::abs(x - y));
        largest = std::max(largest, std::abs(y));
    }
    return worst / largest;
}

constexpr double kBound = kDouble ? 1e-12 : 1e-5;

/// Gives normalisations the statistics and factors of a trained network, some of them negative.
void disturb(Module& model, Rng& rng) {
    model.apply([&](Module& module) {
        auto* norm = dynamic_cast<BatchNorm*>(&module);
        if (norm == nullptr) return;
        if (norm->weight.defined()) norm->weight.copy_(randn(norm->weight.shape(), rng));
        if (norm->bias.defined()) norm->bias.copy_(randn(norm->bias.shape(), rng));
        if (!norm->running_mean.defined()) return;
        norm->running_mean.copy_(randn(norm->running_mean.shape(), rng));
        norm->running_var.copy_(rand(norm->running_var.shape(), rng) + 0.1);
    });
    model.eval();
}

/// Fuses, and compares with the layers one by one.
void check_same(Module& model, const Tensor& x) {
    const NoGrad unrecorded;
    fuse_for_prediction(model);
    const Tensor expected = one_by_one(model, x), y = model(x);
    CHECK(difference(y, expected) < kBound);
    const int before = num_threads();
    for (const int threads : {1, 2, 3}) {
        set_num_threads(threads);
        CHECK(std::ranges::equal(model(x).values(), y.values()));
    }
    set_num_threads(before);
}

struct Case {
    Index in, out;
    Conv2dLayerOptions options;
    Index h, w;
};

const std::vector<Case> cases{
    {3, 5, {.kernel_size = 3, .padding = 1}, 9, 7},
    {3, 32, {.kernel_size = 3, .padding = 1, .bias = false}, 32, 32},
    {1, 10, {.kernel_size = 5}, 28, 28},
    {32, 48, {.kernel_size = 3, .padding = 1, .bias = false}, 13, 15},
    {32, 32, {.kernel_size = 3, .padding = "same"}, 8, 8},
    {64, 32, {.kernel_size = 3}, 23, 50},
    {32, 32, {.kernel_size = 3, .padding = 1}, 4, 4},
    {4, 6, {.kernel_size = {3, 2}, .stride = {2, 1}, .padding = 1, .groups = 2}, 11, 12},
    {6, 6, {.kernel_size = 3, .padding = 1, .groups = 6}, 10, 10},
    {4, 8, {.kernel_size = 3, .padding = "same", .dilation = 2}, 12, 9},
    {8, 70, {.kernel_size = 1}, 6, 10},
    {2, 3, {.kernel_size = 2}, 3, 3},
};

}  // namespace

TEST_CASE("fuse: every kind of convolution, with everything that may follow it") {
    Rng rng(1);
    for (const Case& c : cases) {
        CAPTURE(c.in);
        CAPTURE(c.out);
        CAPTURE(c.h);
        const auto conv = [&] { return Conv2d(c.in, c.out, c.options, rng); };
        for (const Index batch : {1, 3}) {
            const Tensor x = randn({batch, c.in, c.h, c.w}, rng);
            std::vector<Sequential> models;
            models.push_back(Sequential{conv()});
            models.push_back(Sequential{conv(), ReLU()});
            models.push_back(Sequential{conv(), BatchNorm2d(c.out)});
            models.push_back(Sequential{conv(), BatchNorm2d(c.out, {.relu = true}), MaxPool2d(2)});
            models.push_back(Sequential{conv(), MaxPool2d(2), ReLU(), BatchNorm2d(c.out)});
            models.push_back(Sequential{conv(), Dropout2d(0.5, rng),
                                        BatchNorm2d(c.out, {.affine = false}), ReLU(),
                                        Dropout(0.5, rng), MaxPool2d(2)});
            models.push_back(
                Sequential{conv(), BatchNorm2d(c.out, {.momentum = std::nullopt}), MaxPool2d(2)});
            models.push_back(
                Sequential{conv(), BatchNorm2d(c.out, {.track_running_stats = false}), ReLU()});
            models.push_back(Sequential{conv(), LeakyReLU(0.1), MaxPool2d(2, 1)});
            for (Sequential& model : models) {
                disturb(model, rng);
                check_same(model, x);
            }
        }
    }
}

TEST_CASE("fuse: linear layers, for one row, few and many, and for more dimensions") {
    Rng rng(2);
    for (const Index rows : {1, 2, 13, 300}) {
        Sequential model{Linear(70, 33, rng),
                         BatchNorm1d(33),
                         ReLU(),
                         Linear(33, 300, rng),
                         ReLU(),
                         Dropout(rng),
                         Linear(300, 7, {.bias = false}, rng),
                         BatchNorm1d(7, {.relu = true})};
        disturb(model, rng);
        check_same(model, randn({rows, 70}, rng));
    }
    Sequential model{Linear(5, 6, rng), BatchNorm1d(4), ReLU(), Linear(6, 3, rng)};
    disturb(model, rng);
    check_same(model, randn({2, 4, 5}, rng));
    Linear alone(5, 6, rng);
    alone.eval();
    check_same(alone, randn({5}, rng));
    check_same(alone, randn({0, 5}, rng));
}

namespace {

Sequential small_network(Rng& rng) {
    Sequential model{Conv2d(2, 32, {.kernel_size = 3, .padding = 1}, rng),
                     BatchNorm2d(32, {.relu = true}),
                     Conv2d(32, 32, {.kernel_size = 3, .padding = 1}, rng),
                     BatchNorm2d(32),
                     ReLU(),
                     MaxPool2d(2),
                     Flatten(),
                     Linear(32 * 4 * 4, 5, rng)};
    disturb(model, rng);
    return model;
}

}  // namespace

TEST_CASE("fuse: a change of any weight is seen") {
    const NoGrad unrecorded;
    Rng rng(3);
    Sequential model = small_network(rng);
    const Tensor x = randn({2, 2, 8, 8}, rng);
    fuse_for_prediction(model);
    Tensor before = model(x);
    for (const StateEntry& entry : model.state_dict()) {
        if (entry.whole) continue;
        const std::string& name = entry.name;
        CAPTURE(name);
        entry.tensor.mutable_data()[0] += 3;
        const Tensor after = model(x);
        CHECK(difference(after, one_by_one(model, x)) < kBound);
        if (name != "0.bias" && name != "2.bias") CHECK(difference(after, before) > 1e-4);
        before = after;
    }
    // Other tensors in their place.
    auto& conv = dynamic_cast<Conv2d&>(model[2]);
    conv.weight = Parameter(randn(conv.weight.shape(), rng));
    CHECK(difference(model(x), one_by_one(model, x)) < kBound);
    conv.bias = Parameter();
    CHECK(difference(model(x), one_by_one(model, x)) < kBound);
    dynamic_cast<BatchNorm2d&>(model[3]) = BatchNorm2d(32, {.eps = 0.5});
    model.eval();
    CHECK(difference(model(x), one_by_one(model, x)) < kBound);
    model.replace(4, LeakyReLU(0.3)).replace(-1, Linear(32 * 4 * 4, 5, rng));
    model.append(ReLU());
    model.eval();
    CHECK(difference(model(x), one_by_one(model, x)) < kBound);
    Sequential moved = std::move(model);
    CHECK(difference(moved(x), one_by_one(moved, x)) < kBound);
}

TEST_CASE("fuse: training goes on as if nothing had been fused") {
    Rng rng(4);
    Sequential model = small_network(rng), plain = [] {
        Rng same(4);
        return small_network(same);
    }();
    const Tensor x = randn({3, 2, 8, 8}, rng);
    fuse_for_prediction(model);
    for (int step = 0; step < 3; ++step) {
        for (Sequential* each : {&model, &plain}) {
            each->train();
            Tape tape;
            tape.backward(mean((*each)(x)));
            const NoGrad unrecorded;
            for (Parameter& p : each->parameters()) {
                p -= p.grad() * 0.1;
                p.set_grad({});
            }
            each->eval();
        }
        const auto a = model.state_dict(), b = plain.state_dict();
        for (std::size_t i = 0; i < a.size(); ++i) {
            CHECK(std::ranges::equal(a[i].tensor.values(), b[i].tensor.values()));
        }
        CHECK(difference(model(x), one_by_one(plain, x)) < kBound);
    }
    // In eval mode, a tape still records each layer.
    Tape tape;
    tape.backward(mean(model(x)));
    for (const Parameter& p : model.parameters()) CHECK(p.grad().defined());
}

TEST_CASE("fuse: hooks see every layer and every op") {
    const NoGrad unrecorded;
    Rng rng(5);
    Sequential model = small_network(rng);
    fuse_for_prediction(model);
    const Tensor x = randn({1, 2, 8, 8}, rng);
    Watch watch;
    model(x);
    CHECK(watch.calls == 9);
    struct Ops : OpHook {
        void called(const Op&) override { ++calls; }
        int calls = 0;
    };
    Ops ops;
    model(x);
    CHECK(ops.calls >= 7);
}

TEST_CASE("fuse: errors are those of the layers, with their places") {
    const NoGrad unrecorded;
    Rng rng(6);
    Sequential model = small_network(rng);
    fuse_for_prediction(model);
    for (const Tensor& x : {zeros({1, 3, 8, 8}), zeros({2, 8, 8}), zeros({1, 2, 9, 6}),
                            zeros({1, 2, 1, 1}), zeros({4})}) {
        std::string expected, got;
        try {
            one_by_one(model, x);
        } catch (const Error& error) {
            expected = error.what();
        }
        try {
            model(x);
        } catch (const Error& error) {
            got = error.what();
        }
        CHECK(!expected.empty());
        CHECK(got == expected);
    }
    const Conv2d taken = std::move(dynamic_cast<Conv2d&>(model[0]));
    CHECK_THROWS_WITH_AS(model(zeros({1, 2, 8, 8})), doctest::Contains("moved from"), Error);
}

TEST_CASE("fuse: NaN and infinity pass as they do layer by layer") {
    const NoGrad unrecorded;
    Rng rng(7);
    Sequential model{Conv2d(32, 32, {.kernel_size = 3, .padding = 1}, rng),
                     BatchNorm2d(32, {.relu = true}), MaxPool2d(2)};
    disturb(model, rng);
    fuse_for_prediction(model);
    const Tensor x = randn({2, 32, 16, 16}, rng);
    x.mutable_data()[5 * 16 + 5] = NAN;
    const Tensor y = model(x), expected = one_by_one(model, x);
    Index nans = 0;
    for (Index i = 0; i < y.numel(); ++i) {
        CHECK(std::isnan(y.data()[i]) == std::isnan(expected.data()[i]));
        nans += std::isnan(y.data()[i]) ? 1 : 0;
    }
    CHECK(nans > 0);
    CHECK(nans < y.numel() / 2);
}

namespace {

/// Two convolutions without a Sequential, one of them used twice.
class Skip : public Module {
  public:
    explicit Skip(Rng& rng)
        : first_(32, 32, {.kernel_size = 3, .padding = 1}, rng),
          second_(32, 32, {.kernel_size = 1}, rng) {}
    Tensor forward(const Tensor& x) override { return x + second_(relu(first_(relu(first_(x))))); }
    void visit(Visitor& visitor) override {
        visitor("first", first_);
        visitor("second", second_);
    }
    std::string describe() const override { return "Skip"; }

  private:
    Conv2d first_, second_;
};

/// A convolution of the user's own: its forward must be called.
class Doubled : public Conv2d {
  public:
    using Conv2d::Conv2d;
    Tensor forward(const Tensor& x) override { return 2 * Conv2d::forward(x); }
};

}  // namespace

TEST_CASE("fuse: weights that are loaded, and weights that two layers share") {
    const NoGrad unrecorded;
    Rng rng(13);
    Sequential model = small_network(rng), other = small_network(rng);
    const Tensor x = randn({2, 2, 8, 8}, rng);
    fuse_for_prediction(model);
    model(x);
    const StateDict from = other.state_dict(), to = model.state_dict();
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (!from[i].whole) to[i].tensor.copy_(from[i].tensor);
    }
    CHECK(difference(model(x), one_by_one(other, x)) < kBound);

    Linear first(6, 6, rng), second(6, 6, rng);
    second.weight = first.weight;
    Sequential shared{std::move(first), ReLU(), std::move(second)};
    shared.eval();
    const Tensor rows = randn({3, 6}, rng);
    check_same(shared, rows);
    dynamic_cast<Linear&>(shared[0]).weight.fill_(0.5);
    CHECK(difference(shared(rows), one_by_one(shared, rows)) < kBound);
}

TEST_CASE("fuse: modules of the user's own") {
    Rng rng(8);
    const Tensor x = randn({2, 32, 8, 8}, rng);
    Sequential model{Skip(rng), Doubled(32, 32, 3, rng), BatchNorm2d(32), Skip(rng)};
    disturb(model, rng);
    check_same(model, x);
    Conv2d alone(32, 32, 3, rng);
    alone.eval();
    check_same(alone, x);
}

TEST_CASE("fuse: FusedForPrediction leaves what was fused before") {
    const NoGrad unrecorded;
    Rng rng(9);
    Sequential model = small_network(rng);
    const Tensor x = randn({1, 2, 8, 8}, rng);
    const Tensor plain = model(x);
    CHECK(std::ranges::equal(plain.values(), one_by_one(model, x).values()));
    Tensor fused;
    {
        const FusedForPrediction scope(model);
        fused = model(x);
    }
    CHECK(difference(fused, plain) < kBound);
    CHECK(std::ranges::equal(model(x).values(), plain.values()));
    fuse_for_prediction(model);
    { const FusedForPrediction scope(model); }
    CHECK(std::ranges::equal(model(x).values(), fused.values()));
}

TEST_CASE("fuse: several threads predict with one model" * doctest::skip(kOneThread)) {
    Rng rng(10);
    Sequential model = small_network(rng);
    fuse_for_prediction(model);
    const Tensor x = randn({2, 2, 8, 8}, rng);
    std::vector<Tensor> results(4);
    std::vector<std::thread> threads;
    for (Tensor& result : results) threads.emplace_back([&] { result = model(x); });
    for (std::thread& thread : threads) thread.join();
    for (const Tensor& result : results) {
        CHECK(std::ranges::equal(result.values(), results[0].values()));
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/layers/dropout.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Tensors = std::vector<Tensor>;

bool same(const Tensor& a, const Tensor& b) { return std::ranges::equal(a.values(), b.values()); }

double fraction_of_zeros(const Tensor& x) {
    return static_cast<double>(std::ranges::count(x.values(), Real(0))) /
           static_cast<double>(x.numel());
}

TEST_CASE("dropout: what is kept is divided by 1 - p") {
    Rng rng(1);
    const Tensor x = arange(1000) + 1;  // nothing is 0 before
    for (const double p : {0.25, 0.5, 0.75}) {
        CAPTURE(p);
        const Tensor y = dropout(x, p, rng);
        REQUIRE(y.shape() == x.shape());
        bool right = true;
        for (Index i = 0; i < 1000; ++i) {
            const auto got = static_cast<double>(y.data()[i]);
            const double kept = static_cast<double>(x.data()[i]) / (1 - p);
            right = right && (got == 0 || std::abs(got / kept - 1) < kTolerance);
        }
        CHECK(right);
        CHECK(fraction_of_zeros(y) == doctest::Approx(p).epsilon(0.1));
    }
}

// The dropped share of n = 400 000 elements is within 5 standard deviations, 5 sqrt(p (1 - p) / n),
// of p. So is the share of pairs `lag` apart that are both dropped, of p^2, with twice the
// tolerance, because pairs overlap: neighbours, the two that share a random number, and those in
// the same place of two chunks.
TEST_CASE("dropout: each element on its own, with probability p") {
    Rng rng(2);
    const double n = 400'000;
    for (const double p : {0.05, 0.3, 0.9}) {
        CAPTURE(p);
        const Tensor y = dropout(ones({400'000}), p, rng);
        CHECK(std::abs(fraction_of_zeros(y) - p) < 5 * std::sqrt(p * (1 - p) / n));
        for (const Index lag : {1, 2, 128, 256, 4096, 16384}) {
            CAPTURE(lag);
            double pairs = 0;
            for (Index i = 0; i + lag < y.numel(); ++i) {
                pairs += y.data()[i] == 0 && y.data()[i + lag] == 0;
            }
            pairs /= n - static_cast<double>(lag);
            CHECK(std::abs(pairs - p * p) < 10 * std::sqrt(p * p * (1 - p * p) / n));
        }
        CHECK(static_cast<double>(mean(y).item()) == doctest::Approx(1).epsilon(0.03));
    }
}

TEST_CASE("dropout: all or nothing") {
    Rng rng(3);
    const Rng::State before = rng.state();
    const Tensor x = tensor({1, -2, 3});
    CHECK(&dropout(x, 0, rng).impl() == &x.impl());
    CHECK(rng.state() == before);
    check_values(dropout(x, 1, rng), {3}, {0, 0, 0});
    CHECK(dropout(zeros({0, 3}), 0.5, rng).shape() == Shape{0, 3});
    CHECK(dropout(Tensor(1), 1, rng).item() == 0);
}

TEST_CASE("dropout: takes one number from the generator, whatever the size") {
    Rng rng(4), twin(4);
    dropout(ones({20'000}), 0.5, rng);
    dropout2d(ones({2, 3, 4, 4}), 0.5, rng);
    twin.next();
    twin.next();
    CHECK(rng.state() == twin.state());
    // Another number gives another mask.
    const Tensor x = ones({1000});
    CHECK_FALSE(same(dropout(x, 0.5, rng), dropout(x, 0.5, rng)));
}

TEST_CASE("dropout: the same bits for any number of threads") {
    const int before = num_threads();
    const auto run = [](int threads) {
        set_num_threads(threads);
        const Tensor x = ones({3, 50'001}).requires_grad_();
        Rng rng(5);
        Tape tape;
        const Tensor y = dropout(x, 0.3, rng);
        tape.backward(sum(y * y));
        return std::pair(y, x.grad());
    };
    const auto [y, dx] = run(1);
    for (const int threads : {2, 3, 8}) {
        const auto [more_y, more_dx] = run(threads);
        CHECK(same(more_y, y));
        CHECK(same(more_dx, dx));
    }
    set_num_threads(before);
}

TEST_CASE("dropout: backward through what was kept") {
    Rng rng(6);
    Tensor x = ones({100});
    x.requires_grad_();
    Tape tape;
    const Tensor y = dropout(x, 0.75, rng);
    tape.backward(sum(y * arange(100)));
    bool right = true;
    for (Index i = 0; i < 100; ++i) {
        right = right && x.grad().data()[i] == y.data()[i] * static_cast<Real>(i);
    }
    CHECK(right);

    // The mask is its own: neither x nor y is needed any more.
    Tape second;
    const Tensor z = sum(dropout(x, 0.5, rng));
    x.fill_(7);
    CHECK_NOTHROW(second.backward(z));
}

TEST_CASE("dropout: gradients") {
    Rng rng(7);
    const Tensor x = randn({4, 5}, rng), images = randn({2, 3, 2, 2}, rng);
    const Rng::State state = rng.state();
    const auto again = [&]() -> Rng& {  // the same mask in every call
        rng.set_state(state);
        return rng;
    };
    for (const double p : {0.0, 0.4, 1.0}) {
        CAPTURE(p);
        check_gradients([&](const Tensors& in) { return dropout(in[0], p, again()) * 1; }, {x});
        check_gradients([&](const Tensors& in) { return dropout2d(in[0], p, again()) * 1; },
                        {images});
    }
}

TEST_CASE("dropout2d: whole channels") {
    Rng rng(8);
    const Tensor x = arange(64 * 16 * 6) + 1;
    const Tensor y = dropout2d(reshape(x, {64, 16, 2, 3}), 0.25, rng);
    REQUIRE(y.shape() == Shape{64, 16, 2, 3});
    int dropped = 0;
    bool right = true;
    for (Index channel = 0; channel < 64 * 16; ++channel) {
        const Real* from = x.data() + channel * 6;
        const Real* got = y.data() + channel * 6;
        const Real factor = got[0] == 0 ? Real(0) : static_cast<Real>(1 / 0.75);
        dropped += got[0] == 0;
        for (Index i = 0; i < 6; ++i) right = right && got[i] == from[i] * factor;
    }
    CHECK(right);
    // 1024 / 4, within 5 standard deviations: 5 sqrt(1024 * 3/16) = 69.
    CHECK(std::abs(dropped - 256) < 70);

    // Images differ in their channels: the chance that all drop the same is nil.
    bool alike = true;
    for (Index c = 0; c < 16; ++c)
        alike = alike && (y.at({0, c, 0, 0}) == 0) == (y.at({1, c, 0, 0}) == 0);
    CHECK_FALSE(alike);
    check_values(dropout2d(ones({1, 2, 1, 2}), 1, rng), {1, 2, 1, 2}, {0, 0, 0, 0});
    const Tensor images = ones({1, 2, 1, 2});
    CHECK(&dropout2d(images, 0, rng).impl() == &images.impl());
}

TEST_CASE("dropout: bad arguments") {
    Rng rng(9);
    const Tensor x = ones({2});
    check_error([&] { dropout(x, -0.1, rng); },
                {"dropout: expected a probability p from 0 to 1, got -0.1"});
    check_error([&] { dropout(x, 1.5, rng); }, {"dropout: expected a probability", "got 1.5"});
    check_error([&] { dropout(x, NAN, rng); }, {"dropout: expected a probability", "got nan"});
    check_error([&] { dropout({}, 0.5, rng); }, {"this tensor is undefined"});
    check_error(
        [&] {
            dropout2d(ones({1, 1, 1, 1}), 2, rng);
        },
        {"dropout2d: expected a probability p from 0 to 1, got 2"});
    check_error([&] { dropout2d(x, 0, rng); }, {"dropout2d: expected x [N, C, H, W], got [2]"});
}

// --- layers -------------------------------------------------------------------------------------

TEST_CASE("Dropout: drops in training, the identity in evaluation") {
    Rng rng(10);
    Dropout layer(0.3, rng);
    const Tensor x = ones({1000});
    const Tensor y = layer(x);
    CHECK(fraction_of_zeros(y) == doctest::Approx(0.3).epsilon(0.2));
    layer.eval();
    const Rng::State before = layer.rng_state();
    CHECK(&layer(x).impl() == &x.impl());
    CHECK(layer.rng_state() == before);
    layer.train();
    CHECK_FALSE(same(layer(x), y));  // another mask in every call

    Dropout2d channels(0.3, rng);
    const Tensor images = ones({10, 100, 1, 1});
    CHECK(fraction_of_zeros(channels(images)) == doctest::Approx(0.3).epsilon(0.2));
    channels.eval();
    CHECK(&channels(images).impl() == &images.impl());
}

TEST_CASE("Dropout: half unless it is given") {
    Rng rng(11);
    CHECK(Dropout(rng).describe() == "Dropout(p=0.5, inplace=False)");
    CHECK(Dropout2d(rng).describe() == "Dropout2d(p=0.5, inplace=False)");
    Dropout layer(rng);
    CHECK(fraction_of_zeros(layer(ones({2000}))) == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("Dropout: the same masks from the same state") {
    Rng rng(12);
    Dropout layer(0.5, rng), other(0.5, rng);
    Dropout2d channels(0.5, rng), other_channels(0.5, rng);
    const Tensor x = ones({200}), images = ones({10, 20, 1, 1});
    CHECK_FALSE(same(layer(x), other(x)));  // each has a generator of its own
    CHECK_FALSE(same(channels(images), other_channels(images)));

    other.set_rng_state(layer.rng_state());
    other_channels.set_rng_state(channels.rng_state());
    for (int i = 0; i < 2; ++i) {
        CHECK(same(layer(x), other(x)));
        CHECK(same(channels(images), other_channels(images)));
    }
}

TEST_CASE("Dropout: a visitor sees the generator, and can set it") {
    class Generators : public Visitor {
      public:
        using Visitor::operator();
        void operator()(const std::string& name, Rng& generator) override {
            CHECK(name == "rng");
            found = &generator;
        }
        Rng* found = nullptr;
    } visitor;
    Rng rng(17);
    Dropout layer(0.5, rng);
    Dropout2d channels(0.5, rng);
    const Tensor x = ones({200}), images = ones({10, 20, 1, 1});
    layer.visit(visitor);
    REQUIRE(visitor.found != nullptr);
    const Rng::State state = visitor.found->state();
    const Tensor y = layer(x);
    visitor.found->set_state(state);
    CHECK(same(layer(x), y));

    visitor.found = nullptr;
    channels.visit(visitor);
    REQUIRE(visitor.found != nullptr);
    visitor.found->set_state(state);
    const Tensor kept = channels(images);
    visitor.found->set_state(state);
    CHECK(same(channels(images), kept));
}

TEST_CASE("Dropout: does not depend on what else draws from the generator") {
    Rng rng(13), twin(13);
    Dropout layer(0.5, rng), same_seed(0.5, twin);
    CHECK(rng.state() == twin.state());
    for (int i = 0; i < 5; ++i) rng.next();
    CHECK(same(layer(ones({100})), same_seed(ones({100}))));
}

TEST_CASE("Dropout: gradients") {
    Rng rng(14);
    Dropout layer(0.4, rng);
    Dropout2d channels(0.4, rng);
    const Rng::State state = layer.rng_state(), channels_state = channels.rng_state();
    check_gradients(
        [&](const Tensors& in) {
            layer.set_rng_state(state);
            return layer(in[0]);
        },
        {randn({4, 5}, rng)});
    check_gradients(
        [&](const Tensors& in) {
            channels.set_rng_state(channels_state);
            return channels(in[0]);
        },
        {randn({2, 4, 2, 1}, rng)});
}

TEST_CASE("Dropout: in steady state the mask requests no memory from the system") {
    Rng rng(15);
    Dropout layer(0.5, rng);
    Tensor x = ones({64, 333});
    x.requires_grad_();
    const auto step = [&] {
        x.set_grad({});
        Tape tape;
        tape.backward(sum(layer(x)));
    };
    step();
    step();
    const Index before = storage_stats().system_allocations;
    for (int i = 0; i < 5; ++i) step();
    CHECK(storage_stats().system_allocations == before);
}

TEST_CASE("Dropout: no parameters, description, bad arguments") {
    Rng rng(16);
    Dropout layer(0.1, rng);
    CHECK(layer.parameters().empty());
    CHECK(layer.describe() == "Dropout(p=0.1, inplace=False)");
    CHECK(Dropout2d(0.25, rng).describe() == "Dropout2d(p=0.25, inplace=False)");
    check_error([&] { Dropout(-1, rng); },
                {"Dropout: expected a probability p from 0 to 1, got -1"});
    check_error([&] { Dropout2d(1.01, rng); },
                {"Dropout2d: expected a probability p from 0 to 1, got 1.01"});
    Dropout2d channels(0.5, rng);
    check_error(
        [&] {
            channels(ones({3, 4}));
        },
        {"Dropout2d: dropout2d: expected x [N, C, H, W], got [3, 4]"});
    channels.eval();
    check_error([&] { channels(ones({3, 4})); }, {"Dropout2d: dropout2d: expected x", "[3, 4]"});
}

TEST_CASE("dropout: with training as PyTorch's functions take it") {
    const Tensor x = ones({2, 3, 4, 4});
    CHECK(dropout(x, 0.5, false).data() == x.data());
    Rng a(3), b(3);
    CHECK(mean(dropout(x, 0.5, true, a) == dropout(x, 0.5, b)).item() == 1);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

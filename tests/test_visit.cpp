// What a forward uses but visit does not name, and impossible names.

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/dropout.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

// A module of two parts; visit names those that the test says.
struct Net : Module {
    explicit Net(Rng& rng) : body(3, 3, rng), head(3, 2, rng) {}
    Tensor forward(const Tensor& x) override { return f(*this, x); }
    void visit(Visitor& v) override { show(*this, v); }
    std::string describe() const override { return "Net"; }

    Linear body, head;
    Parameter scale{ones({1})};
    Buffer seen{zeros({1})};
    std::function<Tensor(Net&, const Tensor&)> f = [](Net& n, const Tensor& x) {
        return n.head(n.body(x));
    };
    std::function<void(Net&, Visitor&)> show = [](Net& n, Visitor& v) {
        v("body", n.body);
        v("head", n.head);
    };
};

void only_body(Net& n, Visitor& v) { v("body", n.body); }

// One step as everybody writes it.
void step(Module& model, const Tensor& x = ones({2, 3})) {
    SGD optimizer(model.parameters(), {.lr = 0.1});
    Tape tape;
    const Tensor loss = mean(model(x));
    optimizer.zero_grad();
    tape.backward(loss);
    optimizer.step();
}

TEST_CASE("visit: a child that forward calls and visit does not name is an error") {
    Rng rng(1);
    Net right(rng);
    CHECK_NOTHROW(step(right));
    Net net(rng);
    net.show = only_body;
    check_error([&] { step(net); },
                {"Net: its forward calls a Linear(in_features=3, out_features=2", "Net::visit"});
    CHECK_NOTHROW(net(ones({2, 3})));  // without a tape nothing is trained
    // Deep inside, and remade by every forward.
    Sequential outer;
    outer.append(std::move(net));
    check_error([&] { step(outer); }, {"Net: its forward calls a Linear("});
    Net fresh(rng);
    fresh.f = [&](Net& n, const Tensor& x) { return Linear(3, 2, rng)(n.body(x)); };
    check_error([&] { step(fresh); }, {"Net: its forward calls a Linear("});
}

TEST_CASE("visit: dropout and batch normalisation without weights count, in training") {
    Rng rng(1);
    Dropout dropout(0.5, rng);
    BatchNorm1d norm(3, {.affine = false});
    for (Module* hidden : {static_cast<Module*>(&dropout), static_cast<Module*>(&norm)}) {
        Net net(rng);
        net.f = [hidden](Net& n, const Tensor& x) { return n.head((*hidden)(n.body(x))); };
        check_error([&] { step(net); }, {"Net: its forward calls a ", "switched by eval()"});
        hidden->eval();
        CHECK_NOTHROW(step(net));
    }
}

TEST_CASE("visit: a Parameter or a Buffer that forward uses") {
    Rng rng(1);
    Net net(rng);
    net.f = [](Net& n, const Tensor& x) { return n.head(n.body(x)) * n.scale; };
    check_error([&] { step(net); }, {"Net: its forward uses a Parameter of shape [1]"});
    net.f = [](Net& n, const Tensor& x) {
        n.seen.fill_(1);
        return n.head(n.body(x));
    };
    check_error([&] { step(net); }, {"Net: its forward uses a Buffer of shape [1]"});
    net.f = [](Net& n, const Tensor& x) { return n.head(n.body(x)) + n.seen; };
    check_error([&] { step(net); }, {"Net: its forward uses a Buffer of shape [1]"});
    net.show = [](Net& n, Visitor& v) {
        v("body", n.body);
        v("head", n.head);
        v("seen", n.seen);
    };
    CHECK_NOTHROW(step(net));
}

// Has no members, but behaves differently in training.
struct Noise : Module {
    Rng& rng;
    explicit Noise(Rng& r) : rng(r) {}
    Tensor forward(const Tensor& x) override { return training() ? dropout(x, 0.5, rng) : x; }
    std::string describe() const override { return "Noise()"; }
};

TEST_CASE("visit: a module without members that asks whether it is in training") {
    Rng rng(1);
    Noise noise(rng);
    Net net(rng);
    net.f = [&](Net& n, const Tensor& x) { return n.head(noise(n.body(x))); };
    check_error([&] { step(net); },
                {"Net: its forward calls a Noise() that its visit does not name"});
    noise.eval();
    CHECK_NOTHROW(step(net));
    noise.train();
    net.show = [&](Net& n, Visitor& v) {
        v("body", n.body);
        v("head", n.head);
        v("noise", noise);
    };
    CHECK_NOTHROW(step(net));
}

TEST_CASE("visit: a module that was harmless in an earlier call may no longer be") {
    Rng rng(1);
    Net net(rng);
    net.show = only_body;
    const std::initializer_list<const char*> parts = {"Net: its forward calls a Linear("};
    for (const Parameter& p : net.head.parameters()) p.requires_grad_(false);
    CHECK_NOTHROW(step(net));
    for (const Parameter& p : net.head.parameters()) p.requires_grad_();
    check_error([&] { step(net); }, parts);
    {
        SGD before(net.head.parameters(), {.lr = 0.1});
        CHECK_NOTHROW(step(net));
        const SGD moved = std::move(before);
        CHECK_NOTHROW(step(net));
    }
    check_error([&] { step(net); }, parts);  // the optimizer is gone
    // Trained by hand, but still not switched by eval().
    Sequential part{Linear(3, 3, rng), Dropout(0.5, rng)};
    const SGD by_hand(part.parameters(), {.lr = 0.1});
    Net other(rng);
    other.f = [&](Net& n, const Tensor& x) { return n.head(n.body(part(x))); };
    check_error([&] { step(other); }, {"Net: its forward calls a Sequential"});
}

TEST_CASE("optimizer: a layer that was replaced later") {
    Rng rng(1);
    Sequential model{Linear(3, 3, rng), ReLU()};
    SGD optimizer(model.parameters(), {.lr = 0.1});
    const auto train = [&] {
        optimizer.zero_grad();
        Tape tape;
        tape.backward(mean(model(ones({2, 3}))));
        optimizer.step();
    };
    CHECK_NOTHROW(train());
    model = Sequential{Linear(3, 3, rng), ReLU()};
    check_error(train, {"SGD::step: only this optimizer still has parameter 0, of shape [3, 3]"});
}

TEST_CASE("visit: no false alarms") {
    Rng rng(1);
    // A part that an optimizer has, frozen parts, a learnt input, a layer with two parents.
    Net net(rng);
    net.show = only_body;
    const SGD by_itself(net.head.parameters(), {.lr = 0.1});
    CHECK_NOTHROW(step(net));

    Net frozen(rng);
    frozen.show = only_body;
    for (const Parameter& p : frozen.head.parameters()) p.requires_grad_(false);
    CHECK_NOTHROW(step(frozen));

    Net partial(rng);
    {
        SGD head(partial.head.parameters(), {.lr = 0.1});  // the body is not trained, but named
        Tape tape;
        tape.backward(mean(partial(ones({2, 3}))));
        CHECK_NOTHROW(head.step());
    }
    const Parameter image(ones({2, 3}));
    {
        Tape tape;
        tape.backward(mean(partial(image)));
        CHECK(image.grad().defined());
    }
    Net shared(rng);
    shared.head = std::move(partial.head);
    Net* inner = &shared;
    Net outer(rng);
    outer.f = [inner](Net& n, const Tensor& x) { return (*inner)(n.body(x)) + n.head(x); };
    outer.show = [inner](Net& n, Visitor& v) {
        v("body", n.body);
        v("head", n.head);
        v("inner", *inner);
        v("again", inner->head);
    };
    CHECK_NOTHROW(step(outer));
    CHECK_NOTHROW(step(outer));
    Net under(rng);
    under.show = only_body;
    under.f = [](Net& n, const Tensor& x) {
        const NoGrad guard;
        return n.head(n.body(x));
    };
    CHECK_NOTHROW(under(ones({2, 3})));
}

TEST_CASE("visit: names that come twice, are empty or have a point; a module in itself") {
    Rng rng(1);
    Net net(rng);
    const auto refused = [&](auto show, std::initializer_list<const char*> parts) {
        net.show = show;
        check_error([&] { net.parameters(); }, parts);
        check_error([&] { net.state_dict(); }, parts);
        check_error([&] { net.eval(); }, parts);
        check_error([&] { net.named_children(); }, parts);
        check_error([&] { std::ostringstream() << net; }, parts);
    };
    refused(
        [](Net& n, Visitor& v) {
            v("fc", n.body);
            v("fc", n.head);
        },
        {"Net::visit names \"fc\" twice"});
    refused(
        [](Net& n, Visitor& v) {
            v("x", n.body);
            v("x", n.scale);
        },
        {"Net::visit names \"x\" twice"});
    refused([](Net& n, Visitor& v) { v("a.b", n.body); }, {"without a point, got \"a.b\""});
    refused([](Net& n, Visitor& v) { v("", n.scale); }, {"without a point, got \"\""});

    const auto in_itself = [](Net& n, Visitor& v) { v("me", n); };
    net.show = in_itself;
    const auto parts = {"Net::visit: the walk over its children comes back to it"};
    check_error([&] { net.parameters(); }, parts);
    check_error([&] { net.train(); }, parts);
    check_error([&] { std::ostringstream() << net; }, parts);
}

TEST_CASE("visit: a module that has been moved from is not called") {
    Rng rng(1);
    Sequential a{Linear(3, 2, rng)};
    Sequential b = std::move(a);
    check_error([&] { a(ones({1, 3})); }, {"has been moved from"});
    CHECK(b(ones({1, 3})).shape() == Shape{1, 2});
    a = std::move(b);
    CHECK(a(ones({1, 3})).shape() == Shape{1, 2});
}

TEST_CASE("visit: a ForwardHook that ends on another thread" * doctest::skip(kOneThread)) {
    struct Hook : ForwardHook {
        void called(Module&, const Tensor&, const Tensor&) override { ++calls; }
        int calls = 0;
    };
    Rng rng(1);
    Linear layer(3, 2, rng);
    auto first = std::make_unique<Hook>();
    Hook second;
    std::thread([&] { first.reset(); }).join();
    layer(ones({1, 3}));
    CHECK(second.calls == 1);
}

TEST_CASE("optimizer: a missing zero_grad is found at the second step, and nothing is changed") {
    const Parameter w(tensor({2}));
    SGD optimizer({w}, {.lr = 0.1});
    const auto backward = [&] {
        Tape tape;
        tape.backward(sum(w * 3));
    };
    backward();
    backward();  // adding up gradients before a step is no error
    optimizer.step();
    check_values(w, {1}, {1.4});
    backward();
    check_error([&] { optimizer.step(); }, {"SGD::step", "parameter 0", "zero_grad()"});
    check_values(w, {1}, {1.4});
    optimizer.zero_grad();
    backward();
    CHECK_NOTHROW(optimizer.step());
    w.grad().fill_(0);  // by hand will do
    backward();
    CHECK_NOTHROW(optimizer.step());
    CHECK_NOTHROW(optimizer.step());  // the same gradient again
    SGD moved = std::move(optimizer);
    check_error([&] { optimizer.step(); }, {"SGD: this optimizer has been moved from"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

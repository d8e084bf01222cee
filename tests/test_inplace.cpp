#include <functional>
#include <memory>
#include <vector>

#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

TEST_CASE("relu_ and leaky_relu_: write over x and return x itself") {
    const Tensor x = tensor({-2, -0.5, 0, 3}, {2, 2}), other = x;
    const Real* memory = x.data();
    const Tensor y = relu_(x);
    CHECK(y.data() == memory);
    CHECK(y.handle() == x.handle());
    check_values(other, {2, 2}, {0, 0, 0, 3});

    const Tensor u = tensor({-2, NAN, 0, 3}), v = leaky_relu_(u, 0.25);
    CHECK(v.data() == u.data());
    CHECK(v.handle() == u.handle());
    check_values(u, {4}, {-0.5, NAN, 0, 3});
    check_values(leaky_relu_(tensor({-2, 3})), {2}, {-0.02, 3});
    CHECK(relu_(empty({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("relu_ and leaky_relu_: without a Tape they just write, a leaf as well") {
    const Tensor w = tensor({-4, 2}).requires_grad_();
    leaky_relu_(w, 0.5);
    check_values(w, {2}, {-2, 2});
    relu_(w);
    check_values(w, {2}, {0, 2});
    CHECK(w.requires_grad());

    const Tape tape;  // a tensor that asks for no gradient is not recorded
    relu_(tensor({-1, 1}));
    CHECK(tape.size() == 0);
}

// h = 2 w = (-2, 4, 6); y = f(h); L = sum y^2, so dL/dw = 2 y f'(h) 2.
TEST_CASE("relu_ and leaky_relu_: gradients by hand") {
    const Tensor w = tensor({-1, 2, 3}).requires_grad_();
    {
        Tape tape;
        const Tensor h = w * 2;
        relu_(h);  // (0, 4, 6)
        CHECK(tape.size() == 2);
        tape.backward(sum(h * h));
    }
    check_values(w.grad(), {3}, {0, 16, 24});
    w.set_grad({});
    {
        Tape tape;
        const Tensor h = w * 2;
        leaky_relu_(h, 0.5);  // (-1, 4, 6)
        tape.backward(sum(h * h));
    }
    check_values(w.grad(), {3}, {-2, 16, 24});
}

// relu_ stops the gradient at 0; leaky_relu_ has its slope there: the derivative from the left.
TEST_CASE("relu_ and leaky_relu_: the derivative at 0, and with a slope of 0") {
    const Tensor w = tensor({0, 1, -1}).requires_grad_();
    const auto gradient = [&](auto f) {
        Tape tape;
        tape.backward(sum(f(w * 2)));
        const Tensor grad = w.grad();
        w.set_grad({});
        return grad;
    };
    check_values(gradient([](const Tensor& x) { return relu_(x); }), {3}, {0, 2, 0});
    check_values(gradient([](const Tensor& x) { return leaky_relu_(x, 0.25); }), {3},
                 {0.5, 2, 0.5});
    check_values(gradient([](const Tensor& x) { return leaky_relu_(x, 0); }), {3}, {0, 2, 0});
}

TEST_CASE("relu_ and leaky_relu_: gradients") {
    const Tensor x = tensor({-2, -0.5, 0.25, 0.5, 2, -1}, {2, 3});
    check_gradients([](const Inputs& in) { return relu_(in[0] * 2); }, {x});
    check_gradients([](const Inputs& in) { return leaky_relu_(in[0] * 2, 0.3); }, {x});
    check_gradients([](const Inputs& in) { return relu_(leaky_relu_(in[0] * 2) + 1); }, {x});
    check_gradients([](const Inputs& in) { return exp(leaky_relu_(in[0] * in[0] - 1)); },
                    {x + 0.1});
}

TEST_CASE("relu_: backward refuses if an op needs its old output") {
    const Tensor w = tensor({-1, 2}).requires_grad_();
    Tape tape;
    const Tensor h = exp(w);
    relu_(h);
    const Tensor loss = sum(h);
    check_error([&] { tape.backward(loss); }, {"exp", "[2]", "relu_ has changed in place"});
}

TEST_CASE("leaky_relu_: over what relu_ has kept, backward refuses") {
    const Tensor w = tensor({-1, 2}).requires_grad_();
    Tape tape;
    const Tensor h = relu_(w * 2);
    leaky_relu_(h);
    const Tensor loss = sum(h);
    check_error([&] { tape.backward(loss); }, {"relu_: backward", "leaky_relu_ has changed"});
}

TEST_CASE("relu_: after a view has been changed in place, its base is refused") {
    const Tensor w = tensor({-1, 2, 3, -4}).requires_grad_();
    const Tape tape;
    const Tensor base = w * 2;
    const Tensor part = reshape(base, {2, 2});
    relu_(part);
    CHECK(sum(part).item() == 10);
    check_error([&] { sum(base); }, {"sum", "[4]", "changed in place by relu_"});
    check_error([&] { relu_(base); },
                {"relu_: a tensor of shape [4]", "changed in place by relu_"});
}

TEST_CASE("relu_ and leaky_relu_: what they refuse") {
    const Tensor w = tensor({-1, 2}).requires_grad_();
    const Tape tape;
    check_error([&] { relu_(w); }, {"relu_: a leaf of shape [2]", "returns a new tensor"});
    check_error([&] { leaky_relu_(w); }, {"leaky_relu_: a leaf of shape [2]"});
    const Tensor h = w * 2;
    {
        const NoGrad pause;
        check_error([&] { relu_(h); }, {"relu_: a tensor of shape [2]", "under NoGrad"});
    }
    check_error([&] { leaky_relu_(h, -0.5); },
                {"leaky_relu_: expected negative_slope >= 0, got -0.5", "which side of 0"});
    check_error([&] { leaky_relu_(h, NAN); }, {"leaky_relu_: expected negative_slope >= 0"});
    check_error([] { relu_(Tensor()); }, {"this tensor is undefined"});
    check_values(w, {2}, {-1, 2});  // nothing has been written
    check_values(h, {2}, {-2, 4});
}

TEST_CASE("ReLU and LeakyReLU layers in place: same memory, description, errors") {
    ReLU relu({.inplace = true});
    LeakyReLU leaky({.negative_slope = 0.5, .inplace = true});
    const Tensor x = tensor({-2, 4}), u = tensor({-2, 4});
    CHECK(relu(x).handle() == x.handle());
    CHECK(leaky(u).handle() == u.handle());
    check_values(x, {2}, {0, 4});
    check_values(u, {2}, {-1, 4});

    CHECK(relu.describe() == "ReLU(inplace=True)");
    CHECK(leaky.describe() == "LeakyReLU(negative_slope=0.5, inplace=True)");
    CHECK(LeakyReLU({.inplace = true}).describe() ==
          "LeakyReLU(negative_slope=0.01, inplace=True)");
    CHECK(ReLU().describe() == "ReLU()");
    CHECK(LeakyReLU(0.2).describe() == "LeakyReLU(negative_slope=0.2)");
    const Tensor kept = tensor({-2, 4});
    CHECK(ReLU()(kept).data() != kept.data());
    CHECK(LeakyReLU()(kept).data() != kept.data());
    check_values(LeakyReLU({.negative_slope = -0.5})(kept), {2}, {1, 4});
    check_error([] { LeakyReLU({.negative_slope = -1, .inplace = true}); },
                {"LeakyReLU: expected negative_slope >= 0 with inplace, got -1"});
}

struct Step {
    Tensor loss;
    std::vector<Tensor> grads;
};

Step step_of(bool inplace) {
    Rng rng(3);
    Sequential model{Linear(5, 16, rng), ReLU({.inplace = inplace}), Linear(16, 8, rng),
                     LeakyReLU({.negative_slope = 0.1, .inplace = inplace}), Linear(8, 3, rng)};
    const Tensor x = randn({7, 5}, rng);
    Tape tape;
    Step step{.loss = cross_entropy(model(x), {0, 1, 2, 0, 1, 2, 0}), .grads = {}};
    tape.backward(step.loss);
    for (const Parameter& parameter : model.parameters()) step.grads.push_back(parameter.grad());
    return step;
}

TEST_CASE("a Sequential with activations in place: the same loss and gradients, bit for bit") {
    const Step in_place = step_of(true), fresh = step_of(false);
    CHECK(in_place.loss.item() == fresh.loss.item());
    REQUIRE(in_place.grads.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
        CAPTURE(i);
        CHECK(std::ranges::equal(in_place.grads[i].values(), fresh.grads[i].values()));
        CHECK(std::ranges::any_of(fresh.grads[i].values(), [](Real g) { return g != 0; }));
    }
}

// The memory that `run` takes from the system: its peak, in blocks that are reused by size.
Index peak_of(const std::function<void()>& run) {
    release_cached_storage();
    const Index before = storage_stats().bytes_in_use;
    run();
    const StorageStats after = storage_stats();
    return after.bytes_in_use + after.bytes_cached - before;
}

TEST_CASE("in place: an evaluation needs one tensor less after its largest layer") {
    Rng rng(5);
    const Tensor x = randn({256, 4}, rng);
    const auto peak = [&](bool inplace) {
        Sequential model{Linear(4, 1024, rng), ReLU({.inplace = inplace})};
        return peak_of([&] { model(x); });
    };
    CHECK(peak(false) - peak(true) == 256 * 1024 * Index{sizeof(Real)});
}

// With layers of one size the peak is in the backward: beside what the forward has kept stand dy
// and dx, where the forward has, not in place, the input of one activation and its output.
TEST_CASE("in place: the peak of a training step stays") {
    Rng rng(6);
    const Tensor x = randn({512, 64}, rng);
    const auto peak = [&](bool inplace) {
        Sequential model;
        for (int i = 0; i < 3; ++i) {
            model.append(Linear(64, 64, rng));
            model.append(ReLU({.inplace = inplace}));
        }
        return peak_of([&] {
            Tape tape;
            tape.backward(mean(model(x)));
        });
    };
    CHECK(peak(false) == peak(true));
}

TEST_CASE("in place: a leaf that asks for its gradient is not changed through a view either") {
    const Tensor w = tensor({-1, 2}).requires_grad_();
    const Tape tape;
    check_error(
        [&] {
            relu_(reshape(w, {2, 1}));
        },
        {"relu_: a view of shape [2, 1] of a leaf that asks for its gradient"});
    check_error([&] { leaky_relu_(slice(w, 0, 1)); }, {"leaky_relu_: a view of shape [1]"});
    check_values(w, {2}, {-1, 2});
}

// L = p_0 + p_1 = -3 would have the gradient (1, 1); but what relu_ has left is max(L, 0) = 0.
TEST_CASE("in place: a loss that was changed through a view is refused") {
    const Tensor p = tensor({-1, -2}).requires_grad_();
    Tape tape;
    const Tensor loss = sum(p), changed = relu_(reshape(loss, {1}));
    CHECK(loss.item() == 0);
    check_error([&] { tape.backward(loss); },
                {"backward: a tensor of shape [] has been changed in place by relu_"});
    tape.backward(changed);
    check_values(p.grad(), {2}, {0, 0});
}

TEST_CASE("in place: a tensor of an earlier tape is refused, unchanged") {
    const Tensor w = tensor({-1, 2}).requires_grad_();
    Tensor h;
    {
        const Tape tape;
        h = w * 2;
    }
    const Tape tape;
    check_error([&] { relu_(h); },
                {"relu_: a tensor of shape [2] was computed while another Tape was recording"});
    check_error([&] { leaky_relu_(h); }, {"leaky_relu_: a tensor of shape [2] was computed"});
    check_values(h, {2}, {-2, 4});
}

}  // namespace
}  // namespace primer

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <primer/core/init.h>
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
    check_error([&] { LeakyReLU({.negative_slope = -1, .inplace = true})(kept); },
                {"LeakyReLU: leaky_relu_: expected negative_slope >= 0, got -1"});
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

// --- +=, -=, *= and /= ---------------------------------------------------------------------------

// `double += Tensor` would change a temporary.
template <class X, class Y>
concept Adds = requires(X x, const Y& y) {
    x += y;
};
static_assert(Adds<Tensor, Tensor> && Adds<const Parameter, double> && Adds<Tensor, int>);
static_assert(!Adds<double, Tensor> && !Adds<Tensor, bool>);

TEST_CASE("arithmetic in place: by hand, in the memory of the left side") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}), other = x;
    const Real* memory = x.data();
    x += 1;
    check_values(x, {2, 3}, {2, 3, 4, 5, 6, 7});
    x -= tensor({1, 2, 3});
    check_values(x, {2, 3}, {1, 1, 1, 4, 4, 4});
    x *= tensor({2, 3}, {2, 1});
    check_values(x, {2, 3}, {2, 2, 2, 12, 12, 12});
    x /= tensor({4}, {1, 1});
    check_values(other, {2, 3}, {0.5, 0.5, 0.5, 3, 3, 3});
    CHECK(x.data() == memory);
    const Tensor& same = (x += 1) -= 1;
    CHECK(same.handle() == x.handle());

    const Tensor scalar = 3;
    scalar *= 2;
    CHECK(scalar.item() == 6);
    const Tensor none = zeros({0, 3});
    none += ones({3});
    CHECK(none.shape() == Shape{0, 3});
    const Tensor zero = tensor({1, -1, 0});
    zero /= 0;
    check_values(zero, {3}, {INFINITY, -INFINITY, NAN});
}

TEST_CASE("in place: what is returned outlives the temporary") {
    const Tensor& w = zeros({3}).requires_grad_();
    const Tensor& filled = zeros({2}).fill_(4);
    const Tensor& added = (ones({2}) += 1);
    CHECK(w.requires_grad());
    check_values(w, {3}, {0, 0, 0});
    check_values(filled, {2}, {4, 4});
    check_values(added, {2}, {2, 2});
}

TEST_CASE("in place: a change of a copy that nobody has a name for is refused") {
    const Tensor x = zeros({2, 3});
    const auto refused = [](auto f, const char* op) {
        check_error(f, {op, "is a copy", "the change would be lost", "share x's memory"});
    };
    refused([&] { slice(x, 0, 1, {.dim = 1}).fill_(9); }, "fill_: the result of slice");
    refused([&] { slice(x, 0, 2, {.step = 2}).fill_(9); }, "fill_: the result of slice");
    refused([&] { select(x, 1, 0) += 1; }, "+=: the result of select");
    refused([&] { select(x, 1, 0) -= 1; }, "-=: the result of select");
    refused([&] { transpose(x, 0, 1) *= 2; }, "*=: the result of transpose");
    refused([&] { permute(x, 1, 0) /= 2; }, "/=: the result of permute");
    refused([&] { transpose(x, 0, 1).copy_(ones({3, 2})); }, "copy_: the result of transpose");
    refused([&] { expand(x, 2, 2, 3).fill_(1); }, "fill_: the result of expand");
    check_values(x, {2, 3}, {0, 0, 0, 0, 0, 0});

    // Views, copies that have a name, and new tensors.
    x[0].fill_(1);
    select(x, 0, 1) += 2;
    slice(x, 0, 1) *= 3;
    view(x, 6)[5].fill_(7);
    split(x, 1)[1] += 1;
    check_values(x, {2, 3}, {3, 3, 3, 3, 3, 8});
    const Tensor y = transpose(x, 0, 1);
    y[2].fill_(4);
    y.fill_(5);
    y.detach().fill_(6);
    check_values(y, {3, 2}, {6, 6, 6, 6, 6, 6});
    check_values(zeros({2}).fill_(1), {2}, {1, 1});
    const Tensor leaf = ones({2}).requires_grad_();
    leaf.set_grad(expand(Tensor(3), {2}));
    leaf.grad().fill_(4);  // the leaf has it
    check_values(leaf.grad(), {2}, {4, 4});
    check_values(transpose(x, 0, 1).clone().fill_(1), {3, 2}, {1, 1, 1, 1, 1, 1});
}

TEST_CASE("in place: a view of a copy that nobody has a name for is refused as the copy is") {
    const Tensor x = zeros({2, 3});
    const auto refused = [](auto f, const char* op) {
        check_error(f, {op, "is a copy", "the change would be lost", "share x's memory"});
    };
    const char* const fill_transpose = "fill_: the result of transpose, here of shape";
    refused([&] { view(transpose(x, 0, 1), 6).fill_(1); }, fill_transpose);
    refused([&] { view(transpose(x, 0, 1), {6}).fill_(1); }, fill_transpose);
    refused([&] { view(transpose(x, 0, 1), Shape{6}).fill_(1); }, fill_transpose);
    refused([&] { reshape(transpose(x, 0, 1), -1).fill_(1); }, fill_transpose);
    refused([&] { reshape(transpose(x, 0, 1), {-1, 2}).fill_(1); }, fill_transpose);
    refused([&] { flatten(transpose(x, 0, 1)).fill_(1); }, fill_transpose);
    refused([&] { squeeze(transpose(x, 0, 1)).fill_(1); }, fill_transpose);
    refused([&] { squeeze(transpose(x, 0, 1), 0).fill_(1); }, fill_transpose);
    refused([&] { unsqueeze(transpose(x, 0, 1), 0).fill_(1); }, fill_transpose);
    refused([&] { slice(transpose(x, 0, 1), 1).fill_(1); }, fill_transpose);
    refused([&] { slice(transpose(x, 0, 1), 0, 1).fill_(1); }, fill_transpose);
    refused([&] { select(transpose(x, 0, 1), 0, 1).fill_(1); }, fill_transpose);
    refused([&] { transpose(x, 0, 1)[0].fill_(1); }, fill_transpose);
    refused([&] { transpose(x, 0, 1)[0][1].fill_(1); }, fill_transpose);
    refused([&] { transpose(x, 0, 1).detach().fill_(1); }, fill_transpose);
    refused([&] { transpose(x, 0, 1).mutable_data()[0] = 1; }, "the result of transpose");
    // The op that made the last copy.
    refused([&] { flatten(permute(x, 1, 0)).copy_(ones({6})); }, "copy_: the result of permute");
    refused([&] { view(select(x, 1, 0), 1, 2) += 1; }, "+=: the result of select");
    refused([&] { squeeze(slice(x, 0, 1, {.dim = 1})) -= 1; }, "-=: the result of slice");
    refused([&] { view(expand(x, 2, 2, 3), -1) *= 2; }, "*=: the result of expand");
    refused([&] { transpose(view(x, 3, 2), 0, 1) /= 2; }, "/=: the result of transpose");
    refused([&] { transpose(x[0], 0, -1)[0].fill_(1); }, fill_transpose);
    refused([&] { zeros_(select(x, 1, 0)); }, "fill_: the result of select");
    refused([&] { normal_(flatten(select(x, 1, 0))); }, "an initialiser: the result of select");
    refused([&] { eye_(transpose(x, 0, 1)); }, "an initialiser: the result of transpose");
    check_values(x, {2, 3}, {0, 0, 0, 0, 0, 0});
}

TEST_CASE("in place: a view that somebody can see may be changed") {
    const Tensor x = zeros({2, 3});
    view(x, 6)[0].fill_(1);
    unsqueeze(x[0], 0)[0][1].fill_(2);
    flatten(x.detach()).detach()[2].fill_(3);
    squeeze(slice(x, 1)) += 4;
    ones_(slice(x, 1)[0][2]);
    check_values(x, {2, 3}, {1, 2, 3, 4, 4, 1});

    // Copies that have a name, alone or as a view, and elements of a list that has one.
    const Tensor y = transpose(x, 0, 1);
    view(y, 6)[0].fill_(5);
    flatten(y.detach())[1].fill_(6);
    check_values(y, {3, 2}, {5, 6, 2, 4, 3, 1});
    const Tensor z = view(transpose(x, 0, 1), 6);
    z[0].fill_(7);
    view(z, 2, 3)[1].fill_(8);
    z.detach()[1].fill_(9);
    check_values(z, {6}, {7, 9, 2, 8, 8, 8});
    const std::vector<Tensor> parts = chunk(x, 3, 1);
    parts[1][0].fill_(1);
    view(parts[1], 2)[1].fill_(3);
    check_values(parts[1], {2, 1}, {1, 3});
    Tensor moved = transpose(x, 0, 1);
    const Tensor kept = view(std::move(moved), 6);
    kept.fill_(1);
    check_values(kept, {6}, {1, 1, 1, 1, 1, 1});

    // New tensors, and a gradient, to which its leaf has a handle.
    check_values(zeros_(view(zeros({2}), 2)), {2}, {0, 0});
    check_values(flatten(select(x, 1, 0).clone()).fill_(1), {2}, {1, 1});
    const Tensor leaf = ones({2}).requires_grad_();
    leaf.set_grad(expand(Tensor(3), {2}));
    view(leaf.grad(), 1, 2).fill_(4);
    leaf.grad()[1].fill_(5);
    leaf.grad().detach()[0] *= 2;
    leaf.grad().mutable_data()[1] += 1;
    check_values(leaf.grad(), {2}, {8, 6});
}

TEST_CASE("arithmetic in place: as out of place, beyond one chunk of work") {
    Rng rng(5);
    for (const Shape& shape : {Shape{173, 257}, Shape{257}, Shape{173, 1}, Shape{}}) {
        CAPTURE(shape.str());
        const Tensor x = randn({173, 257}, rng), y = rand(shape, rng) + 0.5;
        const auto same = [&](auto change, const Tensor& expected) {
            const Tensor changed = x.clone();
            change(changed);
            CHECK(std::ranges::equal(changed.values(), expected.values()));
        };
        same([&](const Tensor& t) { t += y; }, x + y);
        same([&](const Tensor& t) { t -= y; }, x - y);
        same([&](const Tensor& t) { t *= y; }, x * y);
        same([&](const Tensor& t) { t /= y; }, x / y);
    }
}

TEST_CASE("arithmetic in place: the right side lies in the memory of the left one") {
    const Tensor x = tensor({1, 2, 3, 4});
    x += x;
    check_values(x, {4}, {2, 4, 6, 8});
    x -= slice(x, 0, 1);  // whose only value would be 0 after the first step
    check_values(x, {4}, {0, 2, 4, 6});
    slice(x, 1, 4) += slice(x, 0, 3);
    check_values(x, {4}, {0, 2, 6, 10});
    slice(x, 0, 3) -= slice(x, 1, 4);
    check_values(x, {4}, {-2, -4, -4, 10});
    const Tensor m = reshape(x, {2, 2});
    m *= reshape(slice(x, 0, 2), {2, 1});
    check_values(x, {4}, {4, 8, 16, -40});
    const Tensor same = x;
    x /= same;
    check_values(m, {2, 2}, {1, 1, 1, 1});
}

TEST_CASE("arithmetic in place: SGD by hand, without a Tape and under NoGrad") {
    const Parameter p(tensor({1, 2}));
    {
        Tape tape;
        tape.backward(sum(p * p));  // the gradient is 2 p
    }
    p -= 0.25 * p.grad();
    check_values(p, {2}, {0.5, 1});
    CHECK(p.requires_grad());
    const Tape tape;
    const NoGrad pause;
    p -= 0.25 * p.grad();
    check_values(p, {2}, {0, 0});
    p.grad() *= 0;
    check_values(p.grad(), {2}, {0, 0});
    CHECK(tape.size() == 0);
}

TEST_CASE("arithmetic in place: backward refuses if an op needs the old values") {
    const Tensor w = tensor({1, 2}).requires_grad_(), x = tensor({3, 4});
    {
        Tape tape;
        const Tensor loss = sum(w * x);
        x *= 2;
        check_error([&] { tape.backward(loss); }, {"mul: backward", "*= has changed in place"});
    }
    Tape tape;
    const Tensor loss = sum(w * w);
    {
        const NoGrad pause;
        w -= 1;
    }
    check_error([&] { mul(w, x); }, {"mul: a tensor of shape [2] has been changed in place by -="});
    check_error([&] { tape.backward(loss); }, {"mul: backward", "-= has changed in place"});
}

TEST_CASE("arithmetic in place: while a Tape records, no tensor whose gradient is wanted") {
    const Tensor w = tensor({1, 2}).requires_grad_(), x = tensor({3, 4});
    const Tape tape;
    const Tensor h = w * 2;
    check_error([&] { w += 1; },
                {"+=: a Tape is recording", "shape [2]", "write x = x + y", "under NoGrad"});
    check_error([&] { h -= 1; }, {"-=: a Tape is recording", "write x = x - y"});
    check_error([&] { x *= w; }, {"*=: a Tape is recording", "write x = x * y"});
    check_error([&] { x /= h; }, {"/=: a Tape is recording", "write x = x / y"});
    {
        const NoGrad pause;
        check_error([&] { h += 1; }, {"+=: a tensor of shape [2] that the running Tape has "
                                      "recorded cannot be changed in place"});
    }
    check_values(w, {2}, {1, 2});  // nothing has been written
    check_values(h, {2}, {2, 4});
    check_values(x, {2}, {3, 4});
    x += h.detach();  // constants are not the Tape's business
    check_values(x, {2}, {5, 8});
}

TEST_CASE("arithmetic in place: the left side keeps its shape") {
    const Tensor x = tensor({1, 2});
    check_error(
        [&] {
            x += zeros({3, 2});
        },
        {"+=: the left side keeps its shape [2]", "[3, 2]", "write x = x + y"});
    check_error([&] { x *= zeros({1, 1}); }, {"*=: the left side keeps its shape [2]"});
    check_error([&] { Tensor(1) -= x; }, {"-=: the left side keeps its shape []"});
    check_error([&] { x -= zeros({3}); }, {"-=: the shapes [2] and [3] do not broadcast"});
    check_error([&] { x += Tensor(); }, {"undefined"});
    check_error([&] { Tensor() += x; }, {"undefined"});
    check_values(x, {2}, {1, 2});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

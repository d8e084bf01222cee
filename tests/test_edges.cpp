// Ops at the edges of their domains: large offsets that cancel, 0 times infinity, signed zeros,
// infinities and NaN, scalars and sizes of 0. tests/parity/sweep.py compares all of it with
// PyTorch, where that is installed; here are former faults and deliberate differences.

#include <cmath>
#include <limits>
#include <vector>

#include <primer/core/init.h>
#include <primer/core/metrics.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/dataset.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/pooling.h>
#include <primer/optim/adam.h>
#include <primer/optim/rmsprop.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr auto kLargest = static_cast<double>(std::numeric_limits<Real>::max());
constexpr auto kTiny = static_cast<double>(std::numeric_limits<Real>::denorm_min());

// The gradient of x for the upstream gradient dy.
template <class F>
Tensor gradient(F f, const Tensor& x, const Tensor& dy) {
    x.set_grad({});
    x.requires_grad_();
    Tape tape;
    tape.backward(sum(f(x) * dy));
    return x.grad();
}

// --- what cancels --------------------------------------------------------------------------------

TEST_CASE("edges: log_softmax of numbers with a large offset") {
    for (const double offset : {1e12, 1e16, -1e16, 1e30, kLargest / 2}) {
        const Tensor x = full({1, 2}, static_cast<Real>(offset));
        const double half = -std::log(2.0);
        check_values(log_softmax(x, 1), {1, 2}, {half, half});
        check_values(log_softmax(reshape(x, {2, 1}), 0), {2, 1}, {half, half});
        check_values(log_softmax(reshape(x, {1, 2, 1}), 1), {1, 2, 1}, {half, half});
        check_values(
            gradient([](const Tensor& t) { return log_softmax(t, 1); }, x, tensor({1, 0}, {1, 2})),
            {1, 2}, {0.5, -0.5});
    }
}

TEST_CASE("edges: what all gradients of a softmax have in common cancels") {
    Rng rng(1);
    const Tensor x = randn({4, 7}, rng), dy = full({4, 7}, Real(1e7));
    for (const int dim : {0, 1}) {
        const auto along = [dim](const Tensor& t) { return softmax(t, dim); };
        const Tensor dx = gradient(along, x, dy);
        for (const Real d : dx.values()) CHECK(std::abs(d) <= (kDouble ? 1e-8 : 1e-6));
    }
}

TEST_CASE("edges: the mean of large numbers is finite where their sum is not") {
    if constexpr (kDouble) return;  // sums are added up in double
    const Tensor x = full({3, 5}, static_cast<Real>(kLargest / 2));
    CHECK(mean(x).item() == x.data()[0]);
    for (const int dim : {0, 1}) {
        const Tensor means = mean(x, dim);
        for (const Real v : means.values()) CHECK(v == x.data()[0]);
    }
    const double big = std::sqrt(kLargest / 2);  // whose square has no room for another
    const Tensor a = tensor({big, big, big, big}), b = zeros({4});
    CHECK(std::isfinite(mse_loss(a, b).item()));
}

// --- 0 times something ---------------------------------------------------------------------------

template <class Opt, class Options>
Tensor after_steps(const Options& options, const Tensor& start,
                   std::initializer_list<double> gradients) {
    const Parameter w(start.clone());
    Opt optimizer({w}, options);
    for (const double g : gradients) {
        w.set_grad(full(w.shape(), static_cast<Real>(g)));
        optimizer.step();
    }
    return w;
}

TEST_CASE("edges: without weight_decay an infinite weight stays what it is") {
    const Tensor start = tensor({1, kInf, -kInf});
    check_values(after_steps<SGD>(SGDOptions{.lr = 0.1}, start, {kInf}), {3}, {-kInf, kNaN, -kInf});
    check_values(after_steps<SGD>(SGDOptions{.lr = 0.1}, start, {kInf, 1}), {3},
                 {-kInf, kNaN, -kInf});
    check_values(after_steps<SGD>(SGDOptions{.lr = 0.5, .momentum = 0.5}, start, {1, 1}), {3},
                 {-0.25, kInf, -kInf});
    check_values(
        after_steps<SGD>(SGDOptions{.lr = 0.5, .momentum = 0.5, .nesterov = true}, start, {1}), {3},
        {0.25, kInf, -kInf});
    for (const bool flag : {false, true}) {
        check_values(after_steps<Adam>(AdamOptions{.lr = 0.5, .amsgrad = flag}, start, {1}), {3},
                     {0.5, kInf, -kInf}, 1e-6);
        check_values(after_steps<AdamW>(AdamWOptions{.lr = 0.5, .weight_decay = 0, .amsgrad = flag},
                                        start, {1}),
                     {3}, {0.5, kInf, -kInf}, 1e-6);
        check_values(after_steps<RMSprop>(RMSpropOptions{.lr = 0.1, .momentum = flag ? 0.5 : 0.0},
                                          start, {1}),
                     {3}, {0, kInf, -kInf}, 1e-5);
    }
}

TEST_CASE("edges: optimizers with gradients that overflow or are NaN") {
    // The square is infinite, so the step is 0, not NaN.
    const double huge = kLargest;
    const Tensor start = tensor({0.5});
    check_values(after_steps<RMSprop>(RMSpropOptions{.centered = true}, start, {huge}), {1}, {0.5});
    check_values(after_steps<RMSprop>(RMSpropOptions{.lr = 0, .alpha = 1}, start, {huge}), {1},
                 {0.5});
    check_values(after_steps<Adam>(AdamOptions{}, start, {huge}), {1}, {0.5});
    // A NaN is the largest square, and remains so.
    const Tensor w = after_steps<Adam>(AdamOptions{.amsgrad = true}, start, {1, kNaN, 1});
    CHECK(std::isnan(w.item()));
}

TEST_CASE("edges: pow, where its slope does not depend on a factor") {
    const Tensor zero = tensor({0, 0, 0});
    check_values(gradient([&](const Tensor& a) { return pow(a, zero); }, tensor({0, 2, kInf}),
                          tensor({kInf, kInf, 1})),
                 {3}, {0, 0, 0});
}

// --- edges of the domain -------------------------------------------------------------------------

TEST_CASE("edges: pow is that of IEEE 754") {
    const Tensor a = tensor({-kInf, -0.0, -kInf, 0, -1, -8, 1, kNaN});
    const Tensor b = tensor({0.5, -0.5, -0.5, -1, kInf, 1.0 / 3, kNaN, 0});
    check_values(pow(a, b), {8}, {kInf, kInf, 0, kInf, 1, kNaN, 1, 1});
}

TEST_CASE("edges: the gradient of pow distinguishes odd exponents from even ones") {
    // In float, q - 1 is q for any q beyond 2^24.
    const Tensor q = tensor({1e10, 16777216, 3, 2});
    check_values(gradient([&](const Tensor& x) { return pow(x, q); }, full({4}, -1), ones({4})),
                 {4}, {-1e10, -16777216, 3, -2});
}

TEST_CASE("edges: sqrt at 0, of the smallest gradient") {
    CHECK(gradient([](const Tensor& x) { return sqrt(x); }, Tensor(0), Tensor(kTiny)).item() ==
          std::numeric_limits<Real>::infinity());
}

TEST_CASE("edges: a NaN stays a NaN, forwards and backwards, in every place of a vector") {
    const auto stays = [](const char* name, Tensor (*f)(const Tensor&)) {
        CAPTURE(std::string(name));
        for (const Index n : {1, 3, 67}) {
            const Tensor x = full({n}, static_cast<Real>(kNaN));
            const Tensor y = f(x), dx = gradient(f, x, ones({n}));
            for (const Real v : y.values()) CHECK(std::isnan(v));
            for (const Real v : dx.values()) CHECK(std::isnan(v));
        }
    };
    stays("elu", [](const Tensor& x) { return elu(x); });
    stays("selu", [](const Tensor& x) { return selu(x); });
    stays("gelu", [](const Tensor& x) { return gelu(x); });
    stays("silu", [](const Tensor& x) { return silu(x); });
    stays("tanh", [](const Tensor& x) { return tanh(x); });
    stays("softplus", [](const Tensor& x) { return softplus(x); });
    stays("celu", [](const Tensor& x) { return celu(x); });
    stays("mish", mish);
    stays("logsigmoid", logsigmoid);
    stays("softsign", softsign);
    stays("hardswish", [](const Tensor& x) { return hardswish(x); });
    stays("l1_loss", [](const Tensor& x) { return l1_loss(x, zeros(x.shape()), Reduction::sum); });
}

TEST_CASE("edges: batch_norm of infinities and of the largest numbers") {
    const Tensor x = tensor({1, kInf, 2, 3, 3, 4, 4, 5}, {4, 2});
    const Buffer mean(zeros({2})), var(ones({2}));
    batch_norm(x, mean, var, {}, {}, {.training = true, .momentum = 0.5});
    check_values(mean, {2}, {1.25, kInf});
    CHECK(std::isnan(var.data()[1]));

    // Too large for a sum in float, but not for the result.
    const double big = kLargest / 4;
    const Tensor large = tensor({big, -big, big, -big, big, -big, big, -big}, {8, 1});
    if constexpr (!kDouble) {
        const Tensor y = batch_norm(large, {}, {}, {}, {}, {.training = true});
        check_values(y, {8, 1}, {1, -1, 1, -1, 1, -1, 1, -1}, 1e-3);
    }

    // Running statistics of an infinite mean; and an infinite weight.
    const Tensor one = tensor({1, 2}, {2, 1});
    check_values(batch_norm(one, tensor({-kInf}), tensor({1}), tensor({-2}), tensor({3})), {2, 1},
                 {-kInf, -kInf});
    check_values(batch_norm(one, tensor({0}), tensor({1}), tensor({kInf}), tensor({3})), {2, 1},
                 {kInf, kInf});
}

TEST_CASE("edges: batch_norm of numbers far from 0") {
    Rng rng(1);
    for (const double offset : {1e3, 1e5, -1e6}) {
        const Tensor noise = randn({256, 3, 4}, rng) * 8;
        const Tensor x = noise + offset;
        const Buffer mean(zeros({3})), var(ones({3}));
        batch_norm(x, mean, var, {}, {}, {.training = true, .momentum = 1});
        for (const Real v : var.values()) CHECK(std::abs(v - 64) < 8);
        for (const Real m : mean.values()) CHECK(std::abs(static_cast<double>(m) - offset) < 2);
    }
}

// --- scalars and sizes of 0 ----------------------------------------------------------------------

TEST_CASE("edges: a scalar has the dimensions 0 and -1") {
    for (const int dim : {0, -1}) {
        const Tensor x = 3;
        check_values(softmax(x, dim), {}, {1});
        check_values(log_softmax(x, dim), {}, {0});
        check_values(Softmax(dim)(x), {}, {1});
        check_values(LogSoftmax(dim)(x), {}, {0});
        check_values(transpose(x, dim, 0), {}, {3});
        for (const bool keepdim : {false, true}) {
            check_values(sum(x, dim, keepdim), {}, {3});
            check_values(mean(x, dim, keepdim), {}, {3});
            check_values(max(x, dim, keepdim), {}, {3});
            CHECK(argmax(x, dim, keepdim).shape == Shape{});
            CHECK(argmax(x, dim, keepdim).values == std::vector<Index>{0});
        }
        check_gradients([dim](const std::vector<Tensor>& in) { return sum(in[0], dim); }, {x});
        check_gradients([dim](const std::vector<Tensor>& in) { return mean(in[0], dim); }, {x});
        check_gradients([dim](const std::vector<Tensor>& in) { return max(in[0], dim); }, {x});
        check_gradients([dim](const std::vector<Tensor>& in) { return log_softmax(in[0], dim); },
                        {x});
        check_gradients([dim](const std::vector<Tensor>& in) { return transpose(in[0], dim, 0); },
                        {x});
    }
    check_error([] { concat({Tensor(1), Tensor(2)}, 0); }, {"concat: the shape [] of a scalar"});
    check_error([] { mean(Tensor(1), -2); }, {"mean: expected a dimension from -1 to 0", "got -2"});
}

TEST_CASE("edges: batch normalisation of a batch of size 0") {
    for (const bool relu : {false, true}) {
        for (const bool training : {false, true}) {
            for (const Shape& shape : {Shape{0, 3}, Shape{0, 3, 2, 2}, Shape{4, 3, 0, 5}}) {
                const Tensor x = empty(shape), weight = ones({3}), bias = zeros({3});
                const Buffer mean(full({3}, 2)), var(full({3}, 5));
                for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
                Tape tape;
                const Tensor y =
                    batch_norm(x, mean, var, weight, bias, {.training = training, .relu = relu});
                CHECK(y.shape() == shape);
                tape.backward(sum(y));
                check_values(mean, {3}, {2, 2, 2});
                check_values(var, {3}, {5, 5, 5});
                CHECK(x.grad().shape() == shape);
                check_values(weight.grad(), {3}, {0, 0, 0});
                check_values(bias.grad(), {3}, {0, 0, 0});
            }
        }
    }
    BatchNorm2d layer(3);
    CHECK(layer(empty({0, 3, 4, 4})).shape() == Shape{0, 3, 4, 4});
    check_values(layer.running_mean, {3}, {0, 0, 0});
    check_values(layer.running_var, {3}, {1, 1, 1});
}

TEST_CASE("edges: the means of nothing") {
    CHECK(std::isnan(mean(empty({0})).item()));
    check_values(mean(empty({0, 2}), 0), {2}, {kNaN, kNaN});
    check_values(sum(empty({0, 2}), 0), {2}, {0, 0});
    CHECK(mean(empty({0, 2}), 1).shape() == Shape{0});
    CHECK(std::isnan(mse_loss(empty({0}), empty({0})).item()));
    CHECK(mse_loss(empty({0}), empty({0}), Reduction::sum).item() == 0);
    check_error(
        [] {
            max(empty({0, 2}), 0);
        },
        {"max: shape [0, 2] has no element to be the largest"});
}

// --- messages ------------------------------------------------------------------------------------

TEST_CASE("edges: an empty dimension is not reported as a wrong rank") {
    Rng rng(1);
    const Tensor x = empty({2, 3, 0, 4}), weight = ones({4, 3, 1, 1});
    check_error(
        [&] { max_pool2d(x, {.kernel_size = 1}); },
        {"max_pool2d: expected x [N, C, H, W] with H and W of at least 1, got [2, 3, 0, 4]"});
    check_error([&] { avg_pool2d(x, {.kernel_size = 1}); },
                {"avg_pool2d: expected x [N, C, H, W] with"});
    check_error([&] { adaptive_avg_pool2d(x, 1); },
                {"adaptive_avg_pool2d: expected x [N, C, H, W] wi"});
    check_error([&] { conv2d(x, weight, {}); },
                {"conv2d: expected x [N, 3, H, W] with H and W of at"});
    check_error([&] { MaxPool2d({.kernel_size = 1})(x); },
                {"MaxPool2d: max_pool2d: expected x [N, C, H, W] with"});
    check_error([&] { AvgPool2d({.kernel_size = 1})(x); },
                {"with H and W of at least 1, got [2, 3, 0, 4]"});
    check_error([&] { AdaptiveAvgPool2d(1)(x); }, {"with H and W of at least 1, got [2, 3, 0, 4]"});
    check_error([&] { Conv2d(3, 4, {.kernel_size = 1}, rng)(x); },
                {"with H and W of at least 1, got [2, 3, 0, 4]"});
    check_error(
        [&] {
            conv2d(ones({2, 3, 4, 4}), empty({0, 3, 1, 1}), {});
        },
        {"conv2d: expected at least one output channel, got the weight [0, 3, 1, 1]"});
    for (const Shape& none : {Shape{0, 0}, Shape{2, 0}}) {
        const IntTensor labels(std::vector<Index>(static_cast<std::size_t>(none[0])));
        check_error(
            [&] { cross_entropy(empty(none), labels); },
            {"cross_entropy: expected logits [N, classes, ...] or [classes] with at least one "
             "class, got ["});
        check_error([&] { nll_loss(empty(none), labels); }, {"with at least one class, got ["});
        check_error([&] { count_correct(empty(none), labels); },
                    {"with at least one class, got ["});
    }
    check_error(
        [&] {
            kaiming_normal_(empty({0, 3}), {}, rng);
        },
        {"kaiming_normal_: expected a weight of at least one element, got shape [0, 3]"});
    check_error(
        [] {
            ImageDataset(Shape{0, 28, 28}, 10, {}, {});
        },
        {"pictures of at least one value, got [0, 28, 28]"});
}

TEST_CASE("edges: a single image, and what to do with it") {
    Rng rng(1);
    const Tensor x = ones({3, 4, 4});
    const char* const hint = "a single image is a batch of one: [1, C, H, W]";
    check_error([&] { dropout2d(x, 0.5, rng); }, {hint});
    check_error([&] { Dropout2d(0.5, rng)(x); }, {hint});
    check_error([&] { BatchNorm2d(4)(x); }, {hint});
}

TEST_CASE("edges: reshape says that it is reshape") {
    check_error(
        [] {
            reshape(zeros({6}), {-2, 3});
        },
        {"reshape: expected sizes of 0 or more", "got -2", "x [6]"});
    check_error(
        [] {
            reshape(zeros({6}), {1, 1, 1, 1, 1, 1, 6});
        },
        {"reshape: expected at most 6 dimensions, got 7"});
}

TEST_CASE("edges: labels that are no class") {
    const Tensor x = zeros({2, 3});
    check_error(
        [&] {
            cross_entropy(x, {0, -100}, {.ignore_index = 255});
        },
        {"cross_entropy: label -100 of example 1 is outside 0 ... 2", "only if ignore_index is"});
    check_error(
        [&] {
            nll_loss(x, {-100, 0}, {.ignore_index = -1});
        },
        {"nll_loss: label -100", "only if ignore_index is -100"});
    check_error([&] { cross_entropy(x, {0, -1}); }, {"label -1", "counted from 0"});
    check_error([&] { cross_entropy(x, {0, 3}); }, {"label 3", "an output for every class?"});
    check_error([&] { count_correct(x, {0, -100}); }, {"label -100", "leave examples"});
}

// So many empty rows and products that a loop over them would never end.
TEST_CASE("edges: results without elements, of any size" * doctest::skip(sizeof(void*) < 8)) {
    constexpr Index most = Index{1} << 40;
    Tape tape;
    Tensor rows = zeros({most, 0}), columns = zeros({0, most}), a = zeros({most, 0, 3});
    const Tensor b = zeros({3, 2}), image = zeros({most, 16, 0});
    for (const Tensor& x : {rows, columns, a, image}) x.requires_grad_();
    Tensor total = sum(matmul(a, b)) + sum(maxout(image, 16));
    for (const auto& [x, dim] : {std::pair(rows, 1), std::pair(columns, 0)}) {
        total = total + sum(softmax(x, dim)) + sum(log_softmax(x, dim));
    }
    tape.backward(total);
    CHECK(rows.grad().shape() == rows.shape());
    CHECK(a.grad().shape() == a.shape());
    CHECK(matmul(zeros({most, 0, 0}), zeros({most, 0, 3})).numel() == 0);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

// layer_norm and its layer, and the kernel that it shares with group_norm.

#include <primer/layers/layer_norm.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/kernels/rownorm.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "normalization.h"
#include "support.h"

namespace primer {
namespace {

using Tensors = std::vector<Tensor>;

// The mean of the first row is 4 and its variance 5; those of the second are 10 and
// (49 + 25 + 9 + 1) / 4 = 21. With eps = 4 the roots are 3 and 5, so
//     z = -1, -1/3, 1/3, 1  and  7/5, -1, -3/5, 1/5.
Tensor rows() {
    return tensor({1, 3, 5, 7,  //
                   17, 5, 7, 11},
                  {2, 4});
}
const LayerNormOptions kEps{.eps = 4};

TEST_CASE("layer_norm: by hand") {
    const Tensor weight = tensor({3, 10, 1, 2}), bias = tensor({1, -1, 0, 0.5});
    const std::initializer_list<double> y{-2, -13 / 3.0, 1 / 3.0, 2.5, 5.2, -11, -0.6, 0.9};
    check_values(layer_norm(rows(), {4}, weight, bias, kEps), {2, 4}, y);
    check_values(layer_norm(reshape(rows(), {1, 2, 2, 2}), {2, 2}, reshape(weight, {2, 2}),
                            reshape(bias, {2, 2}), kEps),
                 {1, 2, 2, 2}, y);
    check_values(layer_norm(rows(), {4}, {}, {}, kEps), {2, 4},
                 {-1, -1 / 3.0, 1 / 3.0, 1, 1.4, -1, -0.6, 0.2});
    check_values(layer_norm(rows(), {4}, weight, {}, kEps), {2, 4},
                 {-3, -10 / 3.0, 1 / 3.0, 2, 4.2, -10, -0.6, 0.4});
    check_values(layer_norm(rows(), {4}, {}, bias, kEps), {2, 4},
                 {0, -4 / 3.0, 1 / 3.0, 1.5, 2.4, -2, -0.6, 0.7});
    // One example without a batch.
    check_values(layer_norm(tensor({1, 3, 5, 7}), {4}, {}, {}, kEps), {4},
                 {-1, -1 / 3.0, 1 / 3.0, 1});
}

TEST_CASE("layer_norm: eps is 1e-5 unless it is given; constant rows, and rows of one value") {
    check_values(layer_norm(tensor({0, 2}), {2}), {2},
                 {-1 / std::sqrt(1.00001), 1 / std::sqrt(1.00001)});
    check_values(layer_norm(full({2, 3}, 7), {3}), {2, 3}, {0, 0, 0, 0, 0, 0});
    check_values(layer_norm(full({1, 3}, 7), {3}, {}, {}, {.eps = 0}), {1, 3}, {NAN, NAN, NAN});
    const Tensor one = tensor({5, -3}, {2, 1}), w = tensor({-8.4783735}).requires_grad_();
    one.requires_grad_();
    Tape tape;
    const Tensor y = layer_norm(one, {1}, w, tensor({4}));
    check_values(y, {2, 1}, {4, 4});
    tape.backward(sum(y * tensor({0.8935690, 0.7}, {2, 1})));
    check_values(one.grad(), {2, 1}, {0, 0});
    check_values(w.grad(), {1}, {0});
}

// dy = 1 0 0 0 in the first row, where r = 1/3: g = 3 0 0 0, so dx_j = (g_j - 3/4 + z_j 3/4) / 3.
TEST_CASE("layer_norm: backward, by hand") {
    const Tensor x = rows(), weight = tensor({3, 10, 1, 2}), bias = zeros({4});
    for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
    Tape tape;
    const Tensor y = layer_norm(x, {4}, weight, bias, kEps);
    tape.backward(sum(slice(y, 0, 1) * tensor({1, 0, 0, 0})));
    check_values(x.grad(), {2, 4}, {0.5, -1 / 3.0, -1 / 6.0, 0, 0, 0, 0, 0});
    check_values(weight.grad(), {4}, {-1, 0, 0, 0});
    check_values(bias.grad(), {4}, {1, 0, 0, 0});
}

TEST_CASE("layer_norm: gradients, over every option") {
    Rng rng(1);
    for (const Shape& shape : {Shape{5, 3}, Shape{2, 33}, Shape{2, 3, 4}, Shape{7}, Shape{3, 1}}) {
        CAPTURE(shape);
        for (int dims = 1; dims <= shape.rank(); ++dims) {
            const Shape normalized = shape.slice(shape.rank() - dims, shape.rank());
            const Tensor x = randn(shape, rng), w = randn(normalized, rng),
                         b = randn(normalized, rng);
            const auto f = [&](const Tensor& in, const Tensor& weight, const Tensor& bias) {
                return layer_norm(in, normalized, weight, bias, {.eps = 0.1});
            };
            check_norm_gradients(f, x, w, b);
        }
    }
}

TEST_CASE("layer_norm: without values, the gradients of weight and bias are 0") {
    for (const Shape& shape : {Shape{0, 3}, Shape{2, 0, 3}, Shape{4, 0}}) {
        const Shape normalized{shape[-1]};
        const auto f = [&](const Tensor& x, const Tensor& w, const Tensor& b) {
            return layer_norm(x, normalized, w, b);
        };
        check_norm_without_values(f, shape, normalized);
    }
}

TEST_CASE("layer_norm: NaN and infinity stay in their row") {
    const Tensor x = tensor({1, 3, 5, 7, 1, NAN, 2, 3, 1, INFINITY, 2, 3}, {3, 4});
    check_values(layer_norm(x, {4}, {}, {}, kEps), {3, 4},
                 {-1, -1 / 3.0, 1 / 3.0, 1, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN});
}

// The squares, and in the last row the distances from the mean, are too large for a float.
TEST_CASE("layer_norm: huge values, and values that differ little from a large mean") {
    const double z = 1 / std::sqrt(2.0);
    const Tensor x = tensor({3e20, 0, 0, 3e38, -3e38, -3e38}, {2, 3});
    x.requires_grad_();
    Tape tape;
    const Tensor y = layer_norm(x, {3});
    check_values(y, {2, 3}, {2 * z, -z, -z, 2 * z, -z, -z});
    tape.backward(sum(y));
    check_values(x.grad(), {2, 3}, {0, 0, 0, 0, 0, 0});

    // Deviations of -1.5, -0.5, 0.5, 1.5 times 2^-10 around 8192, all exact in float.
    const double step = 1.0 / 1024, unit = 0.5 / std::sqrt(1.25);
    check_values(layer_norm(tensor({8192, 8192 + step, 8192 + 2 * step, 8192 + 3 * step}), {4}, {},
                            {}, {.eps = 1e-30}),
                 {4}, {-3 * unit, -unit, unit, 3 * unit});
}

// With r = 1 / sqrt(50000) and z = -3, -1, 1, 3 over sqrt(5), dx_j is 6e38 r ([j = 0] - 1/4 - z_j
// z_0 / 4): finite in float, though the weight times dy is not.
TEST_CASE("layer_norm: a huge upstream gradient") {
    const Tensor x = slice(rows(), 0, 1) * 100, weight = full({4}, 2);
    x.requires_grad_();
    Tape tape;
    const Tensor y = layer_norm(x, {4}, weight, {}, {.eps = 0});
    tape.backward(sum(y * tensor({3e38, 0, 0, 0})));
    const double r = 6e38 / std::sqrt(50000.0);
    check_values(x.grad(), {1, 4}, {0.3 * r, -0.4 * r, -0.1 * r, 0.2 * r});
}

TEST_CASE("layer_norm: what backward keeps") {
    const Tensor x = rows(), weight = ones({4}), bias = ones({4});
    for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
    for (const Tensor& changed : {x, weight}) {
        Tape tape;
        const Tensor y = layer_norm(x, {4}, weight, bias);
        changed.fill_(5);
        check_error([&] { tape.backward(sum(y)); },
                    {"layer_norm: backward needs a value", "fill_"});
    }
    Tape tape;
    const Tensor y = layer_norm(x, {4}, weight, bias);
    bias.fill_(5);
    CHECK_NOTHROW(tape.backward(sum(y)));
}

TEST_CASE("layer_norm: bad arguments") {
    const Tensor x = zeros({2, 3});
    check_error([&] { layer_norm(x, {}); },
                {"layer_norm: expected a normalized_shape of at least"});
    check_error([&] { layer_norm(x, {2}); },
                {"layer_norm: expected an x whose last dimensions are normalized_shape [2], got x "
                 "[2, 3]"});
    check_error([&] { layer_norm(x, {1, 2, 3}); }, {"normalized_shape [1, 2, 3], got x [2, 3]"});
    check_error([&] { layer_norm(zeros({}), {1}); }, {"got x []"});
    check_error([&] { layer_norm(x, {3}, ones({2})); },
                {"layer_norm: expected weight and bias of shape [3]", "got [2]"});
    check_error([&] { layer_norm(x, {3}, {}, ones({1, 3})); }, {"got [1, 3]"});
    check_error([&] { layer_norm(x, {3}, {}, {}, {.eps = -1}); },
                {"layer_norm: expected eps >= 0, got -1"});
    check_error([&] { layer_norm(x, {3}, {}, {}, {.eps = NAN}); }, {"got nan"});
    check_error([&] { layer_norm({}, {3}); }, {"this tensor is undefined"});
}

// --- kernels ------------------------------------------------------------------------------------

bool close(const Tensor& a, const Tensor& b, double tolerance) {
    for (Index i = 0; i < a.numel(); ++i) {
        const auto x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
        if (std::isnan(x) && std::isnan(y)) continue;
        if (!(std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y)))) return false;
    }
    return true;
}

bool same(const Tensor& a, const Tensor& b) { return std::ranges::equal(a.values(), b.values()); }

struct Results {
    Tensor y, dx, dw, db;
};

// `spoil`: changes x and dy before they are used.
template <class Forward, class Backward, class Spoil>
Results run(const kernels::RowNormSizes& s, Forward forward, Backward backward, bool affine,
            Spoil spoil) {
    Rng rng(static_cast<std::uint64_t>(s.batch + 100 * s.weights() + 10000 * s.inner));
    const Shape shape{s.rows(), s.row()}, weights{s.weights()};
    const Tensor x = add(randn(shape, rng), 3), dy = randn(shape, rng), w = randn(weights, rng),
                 b = randn(weights, rng);
    spoil(x, dy);
    Results r{empty(shape), empty(shape), empty(weights), empty(weights)};
    std::vector<kernels::Moments> moments(static_cast<std::size_t>(s.rows()));
    const kernels::RowNormRule rule{1e-3, affine ? w.data() : nullptr, affine ? b.data() : nullptr};
    forward(s, rule, x.data(), moments.data(), r.y.mutable_data());
    backward(s, rule, {x.data(), dy.data(), moments.data()}, r.dx.mutable_data(),
             r.dw.mutable_data(), r.db.mutable_data());
    return r;
}

// Rows shorter and longer than all lanes; fewer and more columns than a block has, and examples
// than a chunk; groups whose channels have one value, few and many.
const std::vector<kernels::RowNormSizes> kSizes{
    {3, 1, 1, 1},   {5, 1, 7, 1},    {2, 1, 32, 1},   {4, 1, 33, 1}, {70, 1, 65, 1}, {600, 1, 3, 1},
    {9, 1, 700, 1}, {2, 1, 9001, 1}, {40, 1, 512, 1}, {5, 3, 2, 1},  {33, 2, 40, 1}, {2, 3, 1, 5},
    {3, 2, 2, 3},   {2, 8, 4, 49},   {7, 1, 3, 31},   {3, 4, 5, 64}, {1, 2, 2, 5000}};

void check_fast(const std::function<void(const Tensor& x, const Tensor& dy)>& spoil,
                double tolerance) {
    for (const auto& s : kSizes) {
        CAPTURE(s.batch);
        CAPTURE(s.groups);
        CAPTURE(s.channels);
        CAPTURE(s.inner);
        for (const bool affine : {true, false}) {
            CAPTURE(affine);
            const Results a = run(s, kernels::row_norm, kernels::row_norm_backward, affine, spoil);
            const Results b = run(s, kernels::reference::row_norm,
                                  kernels::reference::row_norm_backward, affine, spoil);
            CHECK(close(a.y, b.y, tolerance));
            CHECK(close(a.dx, b.dx, tolerance));
            CHECK(close(a.dw, b.dw, tolerance));
            CHECK(close(a.db, b.db, tolerance));
        }
    }
}

TEST_CASE("layer_norm kernels: as the reference over odd shapes") {
    check_fast([](const Tensor&, const Tensor&) {}, kDouble ? 1e-11 : 1e-5);
}

TEST_CASE("layer_norm kernels: as the reference for what a float cannot hold") {
    const double tolerance = kDouble ? 1e-11 : 1e-5;
    check_fast([](const Tensor& x, const Tensor&) { x.mutable_data()[0] = NAN; }, tolerance);
    check_fast([](const Tensor&, const Tensor& dy) { dy.mutable_data()[0] = NAN; }, tolerance);
    check_fast(
        [](const Tensor& x, const Tensor&) {
            for (Index i = 0; i < x.numel(); ++i) x.mutable_data()[i] *= Real(2e37);
        },
        tolerance);
}

TEST_CASE("layer_norm kernels: the same bits for any number of threads") {
    const int before = num_threads();
    const auto fast = [](const kernels::RowNormSizes& s) {
        return run(s, kernels::row_norm, kernels::row_norm_backward, true,
                   [](const Tensor&, const Tensor&) {});
    };
    for (const auto& s : kSizes) {
        set_num_threads(1);
        const Results one = fast(s);
        for (const int threads : {2, 3, 8}) {
            set_num_threads(threads);
            const Results more = fast(s);
            CHECK(same(one.y, more.y));
            CHECK(same(one.dx, more.dx));
            CHECK(same(one.dw, more.dw));
            CHECK(same(one.db, more.db));
        }
    }
    set_num_threads(before);
}

// --- layer --------------------------------------------------------------------------------------

TEST_CASE("LayerNorm: parameters and result") {
    LayerNorm layer(4, {.eps = 4});
    REQUIRE(layer.named_parameters().size() == 2);
    CHECK(layer.named_parameters()[0].first == "weight");
    CHECK(layer.named_parameters()[1].first == "bias");
    check_values(layer.weight, {4}, {1, 1, 1, 1});
    check_values(layer.bias, {4}, {0, 0, 0, 0});
    CHECK(layer.weight.weight_decay);  // as in BatchNorm
    check_values(layer(rows()), {2, 4}, {-1, -1 / 3.0, 1 / 3.0, 1, 1.4, -1, -0.6, 0.2});
    layer.weight.copy_(tensor({3, 10, 1, 2}));
    layer.bias.copy_(tensor({1, -1, 0, 0.5}));
    layer.eval();  // changes nothing
    check_values(layer(rows()), {2, 4}, {-2, -13 / 3.0, 1 / 3.0, 2.5, 5.2, -11, -0.6, 0.9});

    LayerNorm images({2, 2}, {.eps = 4});
    CHECK(images.weight.shape() == Shape{2, 2});
    CHECK(images(reshape(rows(), {2, 2, 2})).shape() == Shape{2, 2, 2});
    LayerNorm no_bias(4, {.bias = false});
    CHECK(no_bias.parameters().size() == 1);
    CHECK_FALSE(no_bias.bias.defined());
    LayerNorm bare(Shape{4}, {.elementwise_affine = false});
    CHECK(bare.parameters().empty());
}

TEST_CASE("LayerNorm: gradients") {
    Rng rng(5);
    for (const bool affine : {true, false}) {
        LayerNorm layer({3, 2}, {.elementwise_affine = affine});
        Tensors inputs{randn({4, 3, 2}, rng)};
        for (const Parameter& p : layer.parameters()) inputs.push_back(p);
        check_gradients([&](const Tensors& in) { return layer(in[0]); }, inputs);
    }
}

TEST_CASE("LayerNorm: one size or several, as PyTorch's users write them") {
    CHECK(LayerNorm(10).weight.shape() == Shape{10});
    CHECK(LayerNorm({10}).weight.shape() == Shape{10});
    CHECK(LayerNorm(Shape{10}).weight.shape() == Shape{10});
    CHECK(LayerNorm({10}, {.eps = 1e-3, .bias = false}).weight.shape() == Shape{10});
    CHECK(LayerNorm({3, 4}, {.eps = 1e-3}).weight.shape() == Shape{3, 4});
}

TEST_CASE("LayerNorm: bad shapes and options") {
    LayerNorm layer(3);
    check_error(
        [&] {
            layer(zeros({3, 2}));
        },
        {"LayerNorm: layer_norm: expected an x whose last dimensions are normalized_shape [3]"});
    check_error([] { LayerNorm(0); }, {"LayerNorm([0]): expected at least one dimension"});
    check_error([] { LayerNorm(Shape{}); }, {"LayerNorm([]): expected at least one dimension"});
    check_error(
        [] {
            LayerNorm(3, {.eps = -1})(zeros({2, 3}));
        },
        {"LayerNorm: layer_norm: expected eps >= 0, got -1"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

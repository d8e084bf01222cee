#include <primer/layers/conv_transpose2d.h>

#include <algorithm>
#include <limits>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/op.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

// 1 2
// 3 4
Tensor four() { return tensor({1, 2, 3, 4}, {1, 1, 2, 2}); }

TEST_CASE("conv_transpose2d: forward by hand") {
    // The kernel four times, times 1, 2, 3 and 4, each a row or a column further on.
    check_values(conv_transpose2d(four(), four(), {}), {1, 1, 3, 3},
                 {1, 2 + 2, 4, 3 + 3, 4 + 6 + 6 + 4, 8 + 8, 9, 12 + 12, 16});
    check_values(conv_transpose2d(four(), four(), tensor({0.5})), {1, 1, 3, 3},
                 {1.5, 4.5, 4.5, 6.5, 20.5, 16.5, 9.5, 24.5, 16.5});
}

TEST_CASE("conv_transpose2d: every option by hand") {
    // With stride 2 the four do not overlap.
    check_values(conv_transpose2d(four(), four(), {}, {.stride = 2}), {1, 1, 4, 4},
                 {1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16});
    // Their border cut off.
    check_values(conv_transpose2d(four(), four(), {}, {.stride = 2, .padding = 1}), {1, 1, 2, 2},
                 {4, 6, 6, 4});
    check_values(conv_transpose2d(four(), four(), {.stride = 2, .padding = 1}), {1, 1, 2, 2},
                 {4, 6, 6, 4});
    // A row more than that, which they do not reach, and a column that was cut off.
    check_values(conv_transpose2d(four(), four(), tensor({10}),
                                  {.stride = {3, 2}, .padding = {0, 1}, .output_padding = {2, 1}}),
                 {1, 1, 7, 3}, {12, 12, 14, 14, 16, 18, 10, 10, 10, 16, 14,
                                18, 22, 22, 26, 10, 10, 10, 10, 10, 10});
    // The cells of a kernel two apart: each x of a row meets one of them at every second place.
    const Tensor row = tensor({1, 2, 3}, {1, 1, 1, 3}), pair = tensor({1, 10}, {1, 1, 1, 2});
    check_values(conv_transpose2d(row, pair, {}, {.dilation = 2}), {1, 1, 1, 5},
                 {1, 2, 3 + 10, 20, 30});
    // A dilation allows an output_padding as large as the stride.
    check_values(conv_transpose2d(row, pair, {}, {.output_padding = {0, 1}, .dilation = {1, 2}}),
                 {1, 1, 1, 6}, {1, 2, 13, 20, 30, 0});
}

TEST_CASE("conv_transpose2d: channels, groups and images by hand") {
    const Tensor x = tensor({1, 2, 3, 4}, {1, 4, 1, 1});
    check_values(conv_transpose2d(x, tensor({1, 10, 100, 1000}, {4, 1, 1, 1}), {}), {1, 1, 1, 1},
                 {4321});
    // Two groups of two inputs and two outputs.
    check_values(conv_transpose2d(x, tensor({1, 10, 100, 1000, 2, 20, 200, 2000}, {4, 2, 1, 1}),
                                  tensor({0, 0.5, 0, 0.25}), {.groups = 2}),
                 {1, 4, 1, 1}, {201, 2010.5, 806, 8060.25});
    // Four images of one channel.
    check_values(conv_transpose2d(reshape(x, {4, 1, 1, 1}), tensor({10, 100}, {1, 2, 1, 1}), {}),
                 {4, 2, 1, 1}, {10, 100, 20, 200, 30, 300, 40, 400});
}

TEST_CASE("conv_transpose2d: backward by hand") {
    const Tensor x = four(), w = four(), b = tensor({0});
    x.requires_grad_(), w.requires_grad_(), b.requires_grad_();
    Tape tape;
    const Tensor dy = tensor({1, 0, 0, 0, 0, 0, 0, 0, 2}, {1, 1, 3, 3});
    tape.backward(sum(conv_transpose2d(x, w, b) * dy));
    // Only x[0, 0] meets the top left corner, with weight 1, and only x[1, 1] the other, with 4.
    check_values(x.grad(), x.shape(), {1, 0, 0, 8});
    check_values(w.grad(), w.shape(), {1, 0, 0, 8});
    check_values(b.grad(), {1}, {3});
}

TEST_CASE("conv_transpose2d: a batch of no images") {
    const Tensor x = zeros({0, 3, 4, 4}), w = ones({3, 4, 3, 3}), b = ones({4});
    w.requires_grad_(), b.requires_grad_();
    Tape tape;
    const Tensor y = conv_transpose2d(x, w, b);
    CHECK(y.shape() == Shape{0, 4, 6, 6});
    tape.backward(sum(y));
    CHECK(std::ranges::count(w.grad().values(), Real(0)) == w.numel());
    check_values(b.grad(), {4}, {0, 0, 0, 0});
}

struct Case {
    Shape x, weight;
    ConvTranspose2dOptions options = {};
};

// Every option, alone and together with others; images of one pixel; padding beyond the kernel.
const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {{1, 1, 1, 1}, {1, 1, 1, 1}},
        {{2, 3, 4, 5}, {3, 2, 1, 1}},
        {{2, 3, 3, 2}, {3, 2, 1, 1}, {.stride = 2}},
        {{2, 2, 3, 4}, {2, 3, 3, 3}},
        {{1, 2, 4, 3}, {2, 3, 3, 3}, {.padding = 1}},
        {{2, 2, 3, 4}, {2, 2, 4, 4}, {.stride = 2, .padding = 1}},
        {{1, 3, 4, 3}, {3, 2, 3, 3}, {.stride = 2, .padding = 1, .output_padding = 1}},
        {{1, 1, 3, 2}, {1, 2, 2, 3}, {.stride = {3, 2}, .output_padding = {2, 1}}},
        {{1, 2, 3, 3}, {2, 2, 3, 2}, {.dilation = {2, 3}}},
        {{1, 2, 2, 3}, {2, 1, 2, 2}, {.output_padding = {2, 1}, .dilation = {3, 2}}},
        {{2, 1, 3, 3},
         {1, 1, 3, 3},
         {.stride = 2, .padding = {2, 1}, .output_padding = 1, .dilation = 2}},
        {{2, 4, 3, 3}, {4, 3, 3, 3}, {.padding = 1, .groups = 2}},
        {{2, 3, 4, 3}, {3, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 3}},
        {{1, 2, 4, 4}, {2, 2, 2, 2}, {.groups = 2, .dilation = 2}},
        {{1, 1, 5, 6}, {1, 1, 2, 2}, {.padding = {2, 3}}},
        {{1, 2, 1, 1}, {2, 1, 3, 2}, {.stride = 5, .output_padding = {4, 3}}},
    };
    return all;
}

TEST_CASE("conv_transpose2d: gradients") {
    Rng rng(5);
    for (const Case& c : cases()) {
        CAPTURE(c.x.str());
        CAPTURE(c.weight.str());
        const Tensor bias = randn({c.weight[1] * c.options.groups}, rng);
        check_gradients(
            [&](const Inputs& in) { return conv_transpose2d(in[0], in[1], in[2], c.options); },
            {randn(c.x, rng), randn(c.weight, rng), bias});
        check_gradients(
            [&](const Inputs& in) { return conv_transpose2d(in[0], in[1], {}, c.options); },
            {randn(c.x, rng), randn(c.weight, rng)});
    }
}

// The definition in ops.h, as plain loops.
Tensor definition(const Tensor& x, const Tensor& w, const Tensor& bias,
                  const ConvTranspose2dOptions& o) {
    const Shape &in = x.shape(), &kernel = w.shape();
    const Index out_per_group = kernel[1], in_per_group = in[1] / o.groups;
    const auto size = [](Index n, Index k, Index stride, Index padding, Index more,
                         Index dilation) {
        return (n - 1) * stride - 2 * padding + dilation * (k - 1) + more + 1;
    };
    const Index h =
        size(in[2], kernel[2], o.stride.h, o.padding.h, o.output_padding.h, o.dilation.h);
    const Index width =
        size(in[3], kernel[3], o.stride.w, o.padding.w, o.output_padding.w, o.dilation.w);
    const Tensor y =
        expand(reshape(bias, {1, bias.numel(), 1, 1}), Shape{in[0], bias.numel(), h, width});
    Real* const to = y.mutable_data();
    const Real* from = x.data();
    for (Index nc = 0; nc < in[0] * in[1]; ++nc) {
        const Index n = nc / in[1], c = nc % in[1];
        for (Index ij = 0; ij < in[2] * in[3]; ++ij, ++from) {
            for (Index each = 0; each < kernel[1] * kernel[2] * kernel[3]; ++each) {
                const Index l = each % kernel[3], k = each / kernel[3] % kernel[2];
                const Index channel =
                    c / in_per_group * out_per_group + each / kernel[3] / kernel[2];
                const Index p = ij / in[3] * o.stride.h - o.padding.h + k * o.dilation.h;
                const Index q = ij % in[3] * o.stride.w - o.padding.w + l * o.dilation.w;
                if (p < 0 || p >= h || q < 0 || q >= width) continue;
                to[((n * bias.numel() + channel) * h + p) * width + q] +=
                    *from * w.data()[c * kernel.slice(1, 4).numel() + each];
            }
        }
    }
    return y;
}

void check_against_definition(const Case& c, Rng& rng) {
    CAPTURE(c.x.str());
    CAPTURE(c.weight.str());
    const Tensor x = randn(c.x, rng), w = randn(c.weight, rng);
    const Tensor bias = randn({c.weight[1] * c.options.groups}, rng);
    const Tensor y = conv_transpose2d(x, w, bias, c.options);
    const Tensor plain = definition(x, w, bias, c.options);
    REQUIRE(y.shape() == plain.shape());
    double largest = 1, worst = 0;
    for (Index i = 0; i < y.numel(); ++i) {
        const auto want = static_cast<double>(plain.data()[i]);
        largest = std::max(largest, std::abs(want));
        worst = std::max(worst, std::abs(static_cast<double>(y.data()[i]) - want));
    }
    CHECK(worst <= kTolerance * largest);
}

TEST_CASE("conv_transpose2d: like its definition") {
    Rng rng(6);
    for (const Case& c : cases()) check_against_definition(c, rng);
    check_against_definition({{2, 33, 9, 10}, {33, 17, 4, 4}, {.stride = 2, .padding = 1}}, rng);
    check_against_definition({{2, 32, 13, 14}, {32, 48, 3, 3}, {.padding = 1}}, rng);  // Winograd
    int checked = 0;
    for (int i = 0; i < 200; ++i) {
        const auto from = [&](Index least, Index most) {
            return least + rng.below(most - least + 1);
        };
        const Index groups = from(1, 3);
        Case c{{from(1, 4), groups * from(1, 4), from(1, 7), from(1, 7)},
               {1, from(1, 4), from(1, 4), from(1, 4)},
               {.stride = {from(1, 3), from(1, 3)},
                .padding = {from(0, 2), from(0, 2)},
                .groups = groups,
                .dilation = {from(1, 3), from(1, 3)}}};
        c.weight = c.weight.with(0, c.x[1]);
        const Size2 stride = c.options.stride, dilation = c.options.dilation;
        c.options.output_padding = {rng.below(std::max(stride.h, dilation.h)),
                                    rng.below(std::max(stride.w, dilation.w))};
        const Size2 padding = c.options.padding;
        const bool something =
            (c.x[2] - 1) * stride.h + dilation.h * (c.weight[2] - 1) >= 2 * padding.h &&
            (c.x[3] - 1) * stride.w + dilation.w * (c.weight[3] - 1) >= 2 * padding.w;
        if (!something) continue;
        check_against_definition(c, rng);
        ++checked;
    }
    CHECK(checked > 100);
}

// What transpose means: <conv2d(y), x> = <y, conv_transpose2d(x)> for all x and y.
TEST_CASE("conv_transpose2d: is the transpose of conv2d") {
    Rng rng(7);
    const Tensor w = randn({4, 3, 3, 2}, rng), image = randn({2, 6, 8, 7}, rng);
    const Tensor y = conv2d(image, w, {}, {.stride = 2, .padding = 1, .groups = 2});
    const Tensor x = randn(y.shape(), rng);
    const Tensor back =
        conv_transpose2d(x, w, {}, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2});
    REQUIRE(back.shape() == image.shape());
    const auto a = static_cast<double>(sum(y * x).item());
    const auto b = static_cast<double>(sum(back * image).item());
    CHECK(a == doctest::Approx(b).epsilon(100 * kTolerance));
}

TEST_CASE("conv_transpose2d: one image") {
    Rng rng(8);
    const Tensor w = randn({4, 2, 3, 3}, rng), b = randn({4}, rng), image = randn({4, 3, 2}, rng);
    const ConvTranspose2dOptions options{.stride = 2, .padding = {1, 0}, .groups = 2};
    const Tensor y = conv_transpose2d(image, w, b, options);
    const Tensor batch = conv_transpose2d(reshape(image, {1, 4, 3, 2}), w, b, options);
    CHECK(y.shape() == Shape{4, 5, 5});
    CHECK(std::ranges::equal(y.values(), batch.values()));
    check_gradients(
        [&](const Inputs& in) { return conv_transpose2d(in[0], in[1], in[2], options); },
        {image, w, b});
}

TEST_CASE("conv_transpose2d: only what backward needs is kept") {
    const Tensor dy = tensor({1, 0, 0, 0, 0, 0, 0, 0, 2}, {1, 1, 3, 3});
    const auto backward = [&](const Tensor& x, const Tensor& w, const Tensor& changed) {
        Tape tape;
        const Tensor loss = sum(conv_transpose2d(x, w, {}) * dy);
        changed.fill_(0);
        tape.backward(loss);
    };
    SUBCASE("for the gradient of x, the weight") {
        const Tensor x = four();
        x.requires_grad_();
        backward(x, four(), x);
        check_values(x.grad(), x.shape(), {1, 0, 0, 8});
    }
    SUBCASE("for the gradient of the weight, x") {
        const Tensor w = four();
        w.requires_grad_();
        backward(four(), w, w);
        check_values(w.grad(), w.shape(), {1, 0, 0, 8});
    }
    SUBCASE("for both, both") {
        const Tensor x = four(), w = four();
        x.requires_grad_(), w.requires_grad_();
        check_error([&] { backward(x, w, w); }, {"conv_transpose2d: backward needs a value"});
    }
}

TEST_CASE("conv_transpose2d: the same bits for any number of threads") {
    const int before = num_threads();
    Rng rng(9);
    const Tensor x = randn({7, 16, 12, 12}, rng), w = randn({16, 24, 4, 4}, rng);
    const Tensor b = randn({24}, rng);
    x.requires_grad_(), w.requires_grad_(), b.requires_grad_();
    const auto run = [&] {
        for (const Tensor& each : {x, w, b}) each.set_grad({});
        Tape tape;
        const Tensor y = conv_transpose2d(x, w, b, {.stride = 2, .padding = 1});
        tape.backward(sum(y * y));
        return Inputs{y.detach(), x.grad().clone(), w.grad().clone(), b.grad().clone()};
    };
    set_num_threads(1);
    const Inputs one = run();
    for (int threads : {2, 3, 8}) {
        set_num_threads(threads);
        const Inputs many = run();
        for (std::size_t i = 0; i < one.size(); ++i) {
            CHECK(std::ranges::equal(many[i].values(), one[i].values()));
        }
    }
    set_num_threads(before);
}

TEST_CASE("conv_transpose2d: the cost counts each product and each added bias") {
    struct Heard : OpHook {
        void called(const Op& op) override { cost = op.multiply_adds.value_or(-1); }
        Index cost = 0;
    } heard;
    const Tensor x = ones({2, 4, 5, 3}), w = ones({4, 3, 2, 2});
    conv_transpose2d(x, w, {}, {.stride = 2, .groups = 2});
    CHECK(heard.cost == 2 * 4 * 5 * 3 * (3 * 2 * 2));
    conv_transpose2d(x, w, ones({6}), {.stride = 2, .groups = 2});
    CHECK(heard.cost == 2 * 4 * 5 * 3 * (3 * 2 * 2) + 2 * 6 * 10 * 6);
}

TEST_CASE("conv_transpose2d: bad shapes") {
    const Tensor x = zeros({2, 4, 5, 5}), w = zeros({4, 3, 3, 3});
    check_error(
        [&] {
            conv_transpose2d(x, zeros({4, 27}), {});
        },
        {"conv_transpose2d: expected a weight [C_in, C_out / groups, kh, kw], got [4, 27]"});
    check_error(
        [&] {
            conv_transpose2d(zeros({2, 3, 5, 5}), w, {});
        },
        {"conv_transpose2d: expected x [N, 4, H, W] or [4, H, W] for the weight [4, 3, 3, "
         "3], got [2, 3, 5, 5]"});
    check_error([&] { conv_transpose2d(zeros({5, 5}), w, {}); }, {"got [5, 5]"});
    check_error(
        [&] {
            conv_transpose2d(zeros({2, 4, 0, 5}), w, {});
        },
        {"conv_transpose2d: expected a size of the images of at least 1 either way, got "
         "0x5"});
    check_error(
        [&] {
            conv_transpose2d(x, zeros({4, 3, 0, 3}), {});
        },
        {"conv_transpose2d: expected a kernel of at least 1 either way, got 0x3"});
    for (const Shape& none : {Shape{4, 0, 3, 3}, Shape{0, 3, 3, 3}}) {
        check_error([&] { conv_transpose2d(x, zeros(none), {}); },
                    {"expected at least one input and one output channel, got the weight ["});
    }
    check_error([&] { conv_transpose2d(x, w, zeros({4})); },
                {"conv_transpose2d: expected a bias [3] for the weight [4, 3, 3, 3] in 1 group(s), "
                 "got [4]"});
    check_error([&] { conv_transpose2d(x, w, zeros({3}), {.groups = 2}); },
                {"expected a bias [6]", "in 2 group(s), got [3]"});
}

TEST_CASE("conv_transpose2d: bad options") {
    const Tensor x = zeros({2, 4, 5, 5}), w = zeros({4, 3, 3, 3});
    check_error(
        [&] {
            conv_transpose2d(x, w, {}, {.stride = {1, 0}});
        },
        {"conv_transpose2d: expected a stride of at least 1 either way, got 1x0"});
    check_error([&] { conv_transpose2d(x, w, {}, {.padding = -1}); },
                {"conv_transpose2d: expected a padding of at least 0 either way, got -1x-1"});
    check_error([&] { conv_transpose2d(x, w, {}, {.dilation = 0}); },
                {"conv_transpose2d: expected a dilation of at least 1"});
    check_error(
        [&] {
            conv_transpose2d(x, w, {}, {.output_padding = {0, -1}});
        },
        {"conv_transpose2d: expected a value of output_padding of at least 0 either way, got "
         "0x-1"});
    check_error(
        [&] {
            conv_transpose2d(x, w, {}, {.stride = {3, 2}, .output_padding = 2});
        },
        {"conv_transpose2d: expected an output_padding less than the stride 3x2 or the "
         "dilation 1x1, got 2x2"});
    check_error([&] { conv_transpose2d(x, w, {}, {.groups = 3}); },
                {"conv_transpose2d: the 4 input channels of the weight [4, 3, 3, 3] cannot be cut "
                 "into 3 groups"});
    check_error([&] { conv_transpose2d(x, w, {}, {.groups = 0}); }, {"into 0 groups"});
    check_error(
        [&] {
            conv_transpose2d(x, w, {}, {.padding = {0, 4}});
        },
        {"conv_transpose2d: the padding 0x4 leaves nothing of the result for x [2, 4, 5, 5] "
         "and the weight [4, 3, 3, 3]"});
}

TEST_CASE("conv_transpose2d: options whose sums and products would overflow" *
          doctest::skip(sizeof(void*) < 8)) {
    const Tensor x = zeros({1, 1, 8, 8}), w = zeros({1, 1, 5, 5});
    const Index huge = std::numeric_limits<Index>::max(), large = kMaxSize;
    check_error([&] { conv_transpose2d(x, w, {}, {.stride = huge}); }, {"a stride of at most"});
    check_error([&] { conv_transpose2d(x, w, {}, {.padding = huge}); }, {"a padding of at most"});
    check_error([&] { conv_transpose2d(x, w, {}, {.dilation = huge}); }, {"a dilation of at most"});
    check_error([&] { conv_transpose2d(x, w, {}, {.output_padding = huge}); },
                {"a value of output_padding of at most 2147483647"});
    for (const ConvTranspose2dOptions& options :
         {ConvTranspose2dOptions{.stride = large}, ConvTranspose2dOptions{.dilation = large},
          ConvTranspose2dOptions{.stride = large, .output_padding = large - 1}}) {
        check_error([&] { conv_transpose2d(x, w, {}, options); },
                    {"have more elements than memory"});
    }
    check_error(
        [&] {
            conv_transpose2d(zeros({0, 1, large + 1, 1}), w, {});
        },
        {"a size of the images of at most 2147483647"});
    check_error([&] { conv_transpose2d(x, w, {}, {.padding = large}); }, {"leaves nothing"});
    // A stride that no second x needs.
    CHECK(conv_transpose2d(zeros({1, 1, 1, 1}), w, {}, {.stride = large}).shape() ==
          Shape{1, 1, 5, 5});
}

// --- the layer ---------------------------------------------------------------------------------

TEST_CASE("conv_transpose2d layer: forward by hand") {
    Rng rng(1);
    ConvTranspose2d layer(
        1, 2, {.kernel_size = {1, 2}, .stride = 2, .output_padding = {1, 0}, .bias_value = 0.5},
        rng);
    layer.weight.copy_(tensor({1, 10, 0, -1}, {1, 2, 1, 2}));
    check_values(
        layer(tensor({1, 2}, {1, 1, 1, 2})), {1, 2, 2, 4},
        {1.5, 10.5, 2.5, 20.5, 0.5, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, -1.5, 0.5, 0.5, 0.5, 0.5});
}

TEST_CASE("conv_transpose2d layer: every option reaches the op") {
    Rng rng(1);
    ConvTranspose2d layer(4, 6,
                          {.kernel_size = {3, 2},
                           .stride = 2,
                           .padding = {2, 1},
                           .output_padding = {1, 0},
                           .groups = 2,
                           .dilation = {1, 2}},
                          rng);
    const Tensor x = randn({2, 4, 5, 4}, rng);
    const Tensor y = conv_transpose2d(x, layer.weight, layer.bias,
                                      {.stride = 2,
                                       .padding = {2, 1},
                                       .output_padding = {1, 0},
                                       .groups = 2,
                                       .dilation = {1, 2}});
    CHECK(layer.weight.shape() == Shape{4, 3, 3, 2});
    CHECK(layer(x).shape() == y.shape());
    CHECK(std::ranges::equal(layer(x).values(), y.values()));
    check_gradients([&](const Inputs& in) { return layer(in[0]); }, {x, layer.weight, layer.bias});
}

TEST_CASE("conv_transpose2d layer: the weight starts He normal, the bias at its value") {
    Rng rng(7), twin(7);
    ConvTranspose2d layer(4, 6, {.kernel_size = {2, 4}, .stride = {1, 2}, .groups = 2}, rng);
    CHECK(layer.weight.shape() == Shape{4, 3, 2, 4});
    // An output sees 2 channels of its group, 2 rows and every second of 4 columns.
    const double deviation = std::sqrt(2.0 / 8);
    for (Real w : layer.weight.values()) {
        CHECK(static_cast<double>(w) ==
              doctest::Approx(static_cast<double>(twin.normal()) * deviation));
    }
    check_values(layer.bias, {6}, {0, 0, 0, 0, 0, 0});
    CHECK(rng.state() == twin.state());
    CHECK(layer.weight.requires_grad());
    const auto named = layer.named_parameters();
    REQUIRE(named.size() == 2);
    CHECK(named[0].first == "weight");
    CHECK(named[1].first == "bias");
    ConvTranspose2d without(1, 1, {.kernel_size = 2, .bias = false}, rng);
    CHECK_FALSE(without.bias.defined());
    CHECK(without.named_parameters().size() == 1);
}

// The variance of the output is that of the input, times 2 for the ReLU that is to follow.
TEST_CASE("conv_transpose2d layer: the initial weights preserve the variance") {
    Rng rng(3);
    ConvTranspose2d layer(32, 24, {.kernel_size = 4, .stride = 2, .padding = 1, .groups = 2}, rng);
    const Tensor y = layer(randn({8, 32, 10, 10}, rng));
    CHECK(static_cast<double>(mean(y * y).item()) == doctest::Approx(2).epsilon(0.15));
}

TEST_CASE("conv_transpose2d layer: bad options and shapes") {
    Rng rng(1);
    check_error([&] { ConvTranspose2d(0, 16, {.kernel_size = 3}, rng); },
                {"ConvTranspose2d(0 -> 16, kernel 3x3): expected at least one channel"});
    check_error([&] { ConvTranspose2d(3, 16, {.padding = 1}, rng); },
                {"ConvTranspose2d(3 -> 16, kernel 0x0): expected a kernel of at least 1"});
    check_error([&] { ConvTranspose2d(3, 16, {.kernel_size = 3, .groups = 2}, rng); },
                {"expected a number of groups that divides both channel counts, got 2"});
    for (const Index stride : {0, -1}) {
        CAPTURE(stride);
        ConvTranspose2d layer(3, 16, {.kernel_size = 3, .stride = {stride, 1}}, rng);
        check_error(
            [&] {
                layer(zeros({1, 3, 8, 8}));
            },
            {"ConvTranspose2d: conv_transpose2d: expected a stride of at least 1"});
    }
    ConvTranspose2d odd(1, 1, {.kernel_size = 3, .stride = 2, .output_padding = 2}, rng);
    check_error(
        [&] {
            odd(zeros({1, 1, 8, 8}));
        },
        {"ConvTranspose2d: conv_transpose2d: expected an output_padding less than the"});
    ConvTranspose2d layer(3, 16, {.kernel_size = 5}, rng);
    check_error(
        [&] {
            layer(zeros({2, 1, 8, 8}));
        },
        {"ConvTranspose2d: conv_transpose2d: expected x [N, 3, H, W] or [3, H, W]"});
    CHECK(layer(zeros({3, 8, 8})).shape() == Shape{16, 12, 12});
}

TEST_CASE("conv_transpose2d layer: description") {
    Rng rng(1);
    CHECK(ConvTranspose2d(3, 16, {.kernel_size = 3}, rng).describe() ==
          "ConvTranspose2d(3, 16, kernel_size=(3, 3), stride=(1, 1))");
    CHECK(ConvTranspose2d(4, 8,
                          {.kernel_size = {3, 5},
                           .stride = {2, 3},
                           .padding = {0, 1},
                           .output_padding = {1, 2},
                           .groups = 2,
                           .bias = false,
                           .dilation = 2},
                          rng)
              .describe() ==
          "ConvTranspose2d(4, 8, kernel_size=(3, 5), stride=(2, 3), padding=(0, 1), dilation=(2, "
          "2), output_padding=(1, 2), groups=2, bias=False)");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/layers/conv2d.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <vector>

#include <primer/core/kernels/conv.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

// 1 2 3
// 4 5 6
// 7 8 9
Tensor nine() { return tensor({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3}); }

TEST_CASE("conv2d: forward by hand") {
    const Tensor w = tensor({1, 2, 3, 4}, {1, 1, 2, 2});
    // 1*1 + 2*2 + 4*3 + 5*4 = 37, and so on; the kernel is not flipped.
    check_values(conv2d(nine(), w, {}), {1, 1, 2, 2}, {37, 47, 67, 77});
    check_values(conv2d(nine(), w, tensor({0.5})), {1, 1, 2, 2}, {37.5, 47.5, 67.5, 77.5});
}

TEST_CASE("conv2d: stride and padding by hand") {
    const Tensor w = tensor({1, 2, 3, 4}, {1, 1, 2, 2});
    check_values(conv2d(nine(), w, {}, {.stride = 2}), {1, 1, 1, 1}, {37});
    check_values(conv2d(nine(), w, {.stride = 2}), {1, 1, 1, 1}, {37});  // without a bias
    // The windows begin at -1 and 1: 1*4, 2*3 + 3*4, 4*2 + 7*4, 5*1 + 6*2 + 8*3 + 9*4.
    check_values(conv2d(nine(), w, {}, {.stride = 2, .padding = 1}), {1, 1, 2, 2}, {4, 18, 36, 77});
    // A kernel [1, 3] on rows 0 and 2, with a column of zeros on either side.
    check_values(conv2d(nine(), tensor({1, 10, 100}, {1, 1, 1, 3}), {},
                        {.stride = {2, 1}, .padding = {0, 1}}),
                 {1, 1, 2, 3}, {210, 321, 32, 870, 987, 98});
    // And upright: columns 0 and 2, with a row of zeros above and below.
    check_values(conv2d(nine(), tensor({1, 10, 100}, {1, 1, 3, 1}), {},
                        {.stride = {1, 2}, .padding = {1, 0}}),
                 {1, 1, 3, 2}, {410, 630, 741, 963, 74, 96});
    // So much padding that some windows see only padding.
    check_values(conv2d(tensor({3}, {1, 1, 1, 1}), tensor({2}, {1, 1, 1, 1}), tensor({7}),
                        {.padding = {0, 1}}),
                 {1, 1, 1, 3}, {7, 13, 7});
}

TEST_CASE("conv2d: dilation by hand") {
    const Tensor w = tensor({1, 2, 3, 4}, {1, 1, 2, 2});
    // The corners: 1*1 + 3*2 + 7*3 + 9*4.
    check_values(conv2d(nine(), w, {}, {.dilation = 2}), {1, 1, 1, 1}, {64});
    // Rows next to each other, columns 2 apart: 1*1 + 3*2 + 4*3 + 6*4; 4*1 + 6*2 + 7*3 + 9*4.
    check_values(conv2d(nine(), w, {}, {.dilation = {1, 2}}), {1, 1, 2, 1}, {43, 73});
}

TEST_CASE("conv2d: padding \"same\" and \"valid\" by hand") {
    const Tensor w = tensor({1, 2, 3, 4}, {1, 1, 2, 2});
    // One row and one column of zeros, below and on the right.
    check_values(conv2d(nine(), w, {}, {.padding = "same"}), {1, 1, 3, 3},
                 {37, 47, 21, 67, 77, 33, 23, 26, 9});
    check_values(conv2d(nine(), w, {}, {.padding = "valid"}), {1, 1, 2, 2}, {37, 47, 67, 77});
    const Tensor row = tensor({1, 2, 3}, {1, 1, 1, 3});
    // Three columns of zeros, two of which are on the right; the kernel is longer than the image.
    check_values(conv2d(row, tensor({1, 10, 100, 1000}, {1, 1, 1, 4}), {}, {.padding = "same"}),
                 {1, 1, 1, 3}, {3210, 321, 32});
    check_values(conv2d(row, tensor({1, 10}, {1, 1, 1, 2}), {}, {.padding = "same", .dilation = 3}),
                 {1, 1, 1, 3}, {30, 1, 2});
    // An odd kernel: one on each side.
    check_values(conv2d(row, tensor({1, 10, 100}, {1, 1, 1, 3}), {}, {.padding = "same"}),
                 {1, 1, 1, 3}, {210, 321, 32});
}

TEST_CASE("conv2d: one image") {
    Rng rng(2);
    const Tensor w = randn({4, 1, 2, 3}, rng), b = randn({4}, rng);
    const Tensor image = randn({2, 5, 6}, rng);
    const Conv2dOptions options{.stride = {2, 1}, .padding = 1, .groups = 2};
    const Tensor y = conv2d(image, w, b, options);
    const Tensor batch = conv2d(reshape(image, {1, 2, 5, 6}), w, b, options);
    CHECK(y.shape() == Shape{4, 3, 6});
    CHECK(std::ranges::equal(y.values(), batch.values()));
    check_gradients(
        [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], options); },
        {image, w, b});
}

TEST_CASE("conv2d: channels, groups and images by hand") {
    const Tensor x = tensor({1, 2, 3, 4}, {1, 4, 1, 1});
    check_values(conv2d(x, tensor({1, 10, 100, 1000}, {1, 4, 1, 1}), {}), {1, 1, 1, 1}, {4321});
    // Two groups: the first output sees channels 0 and 1, the second 2 and 3.
    check_values(
        conv2d(x, tensor({10, 1, 100, 1000}, {2, 2, 1, 1}), tensor({0.25, 0.5}), {.groups = 2}),
        {1, 2, 1, 1}, {12.25, 4300.5});
    // Each channel a group of its own, with two outputs: 1, 2 and 3, 4 are the rows of x.
    check_values(conv2d(reshape(x, {1, 2, 1, 2}), tensor({1, 1, 1, -1, 2, 0, 0, 2}, {4, 1, 1, 2}),
                        {}, {.groups = 2}),
                 {1, 4, 1, 1}, {3, -1, 6, 8});
    // Four images of one channel.
    check_values(conv2d(reshape(x, {4, 1, 1, 1}), tensor({10, 100}, {2, 1, 1, 1}), {}),
                 {4, 2, 1, 1}, {10, 100, 20, 200, 30, 300, 40, 400});
}

TEST_CASE("conv2d: a batch of no images") {
    const Tensor x = zeros({0, 3, 8, 8}), w = ones({4, 3, 3, 3}), b = ones({4});
    w.requires_grad_(), b.requires_grad_();
    Tape tape;
    const Tensor y = conv2d(x, w, b);
    CHECK(y.shape() == Shape{0, 4, 6, 6});
    tape.backward(sum(y));
    CHECK(w.grad().shape() == w.shape());
    CHECK(std::ranges::count(w.grad().values(), Real(0)) == w.numel());
    check_values(b.grad(), {4}, {0, 0, 0, 0});
}

TEST_CASE("conv2d: backward by hand") {
    const Tensor x = nine(), w = tensor({1, 2, 3, 4}, {1, 1, 2, 2}), b = tensor({0});
    x.requires_grad_(), w.requires_grad_(), b.requires_grad_();
    Tape tape;
    const Tensor dy = tensor({1, 0, 0, 2}, {1, 1, 2, 2});
    tape.backward(sum(conv2d(x, w, b) * dy));
    // The kernel laid once over the top left corner and twice over the bottom right one.
    check_values(x.grad(), x.shape(), {1, 2, 0, 3, 4 + 2, 4, 0, 6, 8});
    // The top left corner of x plus twice the bottom right one.
    check_values(w.grad(), w.shape(), {1 + 10, 2 + 12, 4 + 16, 5 + 18});
    check_values(b.grad(), {1}, {3});
}

struct Case {
    Shape x, weight;
    Conv2dOptions options = {};
};

// Every option, alone and together with others; windows that leave pixels over; one-pixel images,
// kernels as large as the image, windows that see nothing but padding.
const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {{1, 1, 1, 1}, {1, 1, 1, 1}},
        {{2, 3, 4, 5}, {2, 3, 1, 1}},
        {{2, 3, 4, 5}, {2, 3, 1, 1}, {.stride = 2}},
        {{2, 2, 3, 4}, {3, 2, 1, 1}, {.padding = 1}},
        {{2, 2, 5, 5}, {3, 2, 3, 3}},
        {{1, 2, 5, 5}, {3, 2, 3, 3}, {.padding = 1}},
        {{2, 2, 5, 7}, {2, 2, 3, 3}, {.stride = 2, .padding = 1}},
        {{2, 2, 6, 4}, {2, 2, 3, 3}, {.stride = 2}},
        {{1, 1, 7, 6}, {2, 1, 2, 3}, {.stride = {3, 2}, .padding = {2, 1}}},
        {{3, 2, 3, 6}, {2, 2, 3, 2}, {.stride = {1, 4}}},
        {{1, 2, 7, 6}, {2, 2, 3, 2}, {.dilation = {2, 3}}},
        {{2, 1, 6, 6}, {1, 1, 3, 3}, {.stride = 2, .padding = 2, .dilation = 2}},
        {{2, 4, 4, 4}, {6, 2, 3, 3}, {.padding = 1, .groups = 2}},
        {{2, 3, 5, 4}, {3, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 3}},
        {{1, 2, 5, 5}, {4, 1, 2, 2}, {.padding = {0, 1}, .dilation = 2, .groups = 2}},
        {{2, 4, 3, 2}, {2, 2, 1, 1}, {.groups = 2}},
        {{9, 1, 2, 2}, {1, 1, 2, 2}},
        {{1, 1, 1, 1}, {1, 1, 3, 3}, {.padding = 3, .dilation = 2}},
        {{2, 1, 1, 2}, {2, 1, 1, 1}, {.stride = 3, .padding = 4}},
        {{2, 2, 5, 4}, {3, 2, 2, 4}, {.padding = "same"}},
        {{1, 2, 3, 4}, {2, 1, 4, 3}, {.padding = "same", .dilation = {3, 2}, .groups = 2}},
    };
    return all;
}

TEST_CASE("conv2d: gradients") {
    Rng rng(5);
    for (const Case& c : cases()) {
        CAPTURE(c.x.str());
        CAPTURE(c.weight.str());
        check_gradients(
            [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], c.options); },
            {randn(c.x, rng), randn(c.weight, rng), randn({c.weight[0]}, rng)});
        check_gradients(
            [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], {}, c.options); },
            {randn(c.x, rng), randn(c.weight, rng)});
    }
}

TEST_CASE("conv2d: only the gradients that are wanted") {
    const Tensor w = ones({1, 1, 2, 2}), b = zeros({1});
    const Tensor dy = tensor({1, 0, 0, 2}, {1, 1, 2, 2});
    SUBCASE("of x alone: backward does not need x") {
        const Tensor x = nine();
        x.requires_grad_();
        Tape tape;
        const Tensor loss = sum(conv2d(x, w, b) * dy);
        x.fill_(0);
        tape.backward(loss);
        check_values(x.grad(), x.shape(), {1, 1, 0, 1, 3, 2, 0, 2, 2});
        CHECK_FALSE(w.grad().defined());
        CHECK_FALSE(b.grad().defined());
    }
    SUBCASE("of the weight alone: backward does not need the weight") {
        w.requires_grad_();
        const Tensor x = nine();
        Tape tape;
        const Tensor loss = sum(conv2d(x, w, b) * dy);
        w.fill_(0);
        tape.backward(loss);
        check_values(w.grad(), w.shape(), {11, 14, 20, 23});
        CHECK_FALSE(x.grad().defined());
    }
    SUBCASE("of the bias alone: backward needs neither") {
        b.requires_grad_();
        const Tensor x = nine();
        Tape tape;
        const Tensor loss = sum(conv2d(x, w, b) * dy);
        x.fill_(0), w.fill_(0);
        tape.backward(loss);
        check_values(b.grad(), {1}, {3});
    }
    SUBCASE("of x and the weight: backward needs both as they were") {
        const Tensor x = nine();
        x.requires_grad_(), w.requires_grad_();
        Tape tape;
        const Tensor loss = sum(conv2d(x, w, b));
        w.fill_(0);
        check_error([&] { tape.backward(loss); }, {"conv2d: backward needs a value", "fill_"});
    }
}

// How many bytes become free when `x` goes.
Index freed_with(Tensor& x) {
    const Index before = storage_stats().bytes_in_use;
    x = Tensor();
    return before - storage_stats().bytes_in_use;
}

TEST_CASE("conv2d: only what backward needs is kept") {
    const Tensor x = zeros({1, 1, 64, 64}), w = zeros({64, 1, 8, 8});
    const Index size = 64 * 64 * Index{sizeof(Real)};  // of either
    SUBCASE("x for the weight's gradient") {
        w.requires_grad_();
        Tape tape;
        Tensor a = x + 1, b = w + 1;  // not leaves: the tape keeps those anyway
        const Tensor y = conv2d(a, b, {});
        CHECK(freed_with(a) == 0);
        CHECK(freed_with(b) == size);
    }
    SUBCASE("the weight for x's gradient") {
        x.requires_grad_();
        Tape tape;
        Tensor a = x + 1, b = w + 1;
        const Tensor y = conv2d(a, b, {});
        CHECK(freed_with(a) == size);
        CHECK(freed_with(b) == 0);
    }
    SUBCASE("nothing without a tape") {
        x.requires_grad_(), w.requires_grad_();
        Tensor a = x + 1, b = w + 1;
        const Tensor y = conv2d(a, b, {});
        CHECK(freed_with(a) == size);
        CHECK(freed_with(b) == size);
    }
}

TEST_CASE("conv2d: bad shapes") {
    const Tensor x = zeros({2, 3, 8, 8}), w = zeros({4, 3, 3, 3});
    check_error(
        [&] {
            conv2d(x, zeros({4, 27}), {});
        },
        {"conv2d: expected a weight [C_out, C_in / groups, kh, kw], got [4, 27]"});
    check_error(
        [&] {
            conv2d(zeros({2, 8, 8}), w, {});
        },
        {"conv2d: expected x [N, 3, H, W] or [3, H, W] for the weight [4, 3, 3, 3] in 1 group(s), "
         "got [2, 8, 8]"});
    check_error([&] { conv2d(zeros({8, 8}), w, {}); }, {"got [8, 8]"});
    check_error([&] { conv2d(zeros({2, 8, 8, 3}), w, {}); }, {"got [2, 8, 8, 3]"});
    check_error([&] { conv2d(x, w, {}, {.groups = 2}); }, {"expected x [N, 6, H, W]"});
    check_error([&] { conv2d(x, w, zeros({3})); },
                {"conv2d: expected a bias [4] for the weight [4, 3, 3, 3], got [3]"});
    check_error(
        [&] {
            conv2d(x, zeros({4, 3, 0, 3}), {});
        },
        {"conv2d: expected a kernel of at least 1 either way, got 0x3"});
    check_error(
        [&] {
            conv2d(x, zeros({4, 3, 9, 3}), {});
        },
        {"conv2d: x [2, 3, 8, 8] padded by 0x0 is smaller than the kernel, which covers "
         "9x3; is the network too deep for images of this size?"});
    check_error(
        [&] {
            conv2d(x, w, {}, {.padding = {0, 1}, .dilation = {1, 5}});
        },
        {"padded by 0x1", "covers 3x11"});
}

TEST_CASE("conv2d: bad options") {
    const Tensor x = zeros({2, 3, 8, 8}), w = zeros({4, 3, 3, 3});
    check_error(
        [&] {
            conv2d(x, w, {}, {.stride = {1, 0}});
        },
        {"conv2d: expected a stride of at least 1 either way, got 1x0"});
    check_error(
        [&] {
            conv2d(x, w, {}, {.padding = {-1, 0}});
        },
        {"conv2d: expected a padding of at least 0 either way, got -1x0"});
    check_error([&] { conv2d(x, w, {}, {.dilation = 0}); },
                {"conv2d: expected a dilation of at least 1 either way, got 0x0"});
    check_error(
        [&] {
            conv2d(x, w, {}, {.stride = {1, 2}, .padding = "same"});
        },
        {"conv2d: padding \"same\" needs a stride of 1, got 1x2"});
    check_error([&] { conv2d(x, w, {}, {.padding = "full"}); },
                {"padding: expected \"same\", \"valid\" or numbers, got \"full\""});
    check_error([&] { conv2d(x, w, {}, {.groups = 3}); },
                {"conv2d: the 4 output channels of the weight [4, 3, 3, 3] cannot be cut into 3 "
                 "groups"});
    check_error([&] { conv2d(x, w, {}, {.groups = 0}); }, {"into 0 groups"});
    check_error(
        [&] {
            conv2d(x, zeros({0, 3, 3, 3}), {}, {.groups = 3});
        },
        {"expected at least one output channel, got the weight [0, 3, 3, 3]"});
}

TEST_CASE("conv2d: options whose sums and products would overflow") {
    const Tensor x = zeros({1, 1, 8, 8}), w = zeros({1, 1, 5, 5});
    const Index huge = std::numeric_limits<Index>::max(), large = kMaxSize;
    check_error([&] { conv2d(x, w, {}, {.stride = huge}); },
                {"conv2d: expected a stride of at most 2147483647 either way, got 9223372036854775"
                 "807x9223372036854775807"});
    check_error([&] { conv2d(x, w, {}, {.padding = huge}); }, {"a padding of at most 2147483647"});
    check_error([&] { conv2d(x, w, {}, {.dilation = huge}); },
                {"a dilation of at most 2147483647"});
    check_error([&] { conv2d(x, w, {}, {.dilation = large + 1}); }, {"a dilation of at most"});
    // 4 channels times 2^62 groups would be 0, as many as x has.
    check_error(
        [] {
            conv2d(zeros({1, 0, 8, 8}), zeros({0, 4, 3, 3}), {}, {.groups = Index{1} << 62});
        },
        {"at least one output channel", "got the weight [0, 4, 3, 3]"});
    // The largest sizes allowed are computed without overflow: 4 (2^31 - 1) + 1 cells do not fit.
    CHECK(conv2d(x, w, {}, {.stride = large}).shape() == Shape{1, 1, 1, 1});
    check_error([&] { conv2d(x, w, {}, {.dilation = large}); }, {"covers 8589934589x8589934589"});
    check_error([&] { conv2d(x, w, {}, {.padding = large}); },
                {"conv2d: images of 8x8 padded by 2147483647x2147483647 have more elements than "
                 "memory"});
    check_error([&] { conv2d(x, w, {}, {.padding = "same", .dilation = large}); },
                {"padded by 4294967294x4294967294 have more elements than memory"});
}

// --- the kernels -------------------------------------------------------------------------------

kernels::ConvSizes sizes_of(const Case& c) {
    const Conv2dOptions& o = c.options;
    const bool same = o.padding.word == "same";
    const Size2 padding = same ? Size2(o.dilation.h * (c.weight[2] - 1) / 2,  //
                                       o.dilation.w * (c.weight[3] - 1) / 2)
                               : o.padding.size;
    kernels::ConvSizes sizes{.batch = c.x[0],
                             .in_channels = c.x[1],
                             .out_channels = c.weight[0],
                             .groups = o.groups,
                             .h = {c.x[2], c.weight[2], o.stride.h, padding.h, o.dilation.h},
                             .w = {c.x[3], c.weight[3], o.stride.w, padding.w, o.dilation.w}};
    if (same) sizes.h.out = c.x[2], sizes.w.out = c.x[3];
    return sizes;
}

struct Results {
    Tensor y, y_without_bias, dx, dw;
};

// The results of the fast kernels, or of the reference ones. They are filled with NaN first, to
// check that every element is written.
Results run(const Case& c, bool fast) {
    const kernels::ConvSizes s = sizes_of(c);
    Rng rng(7);
    const Tensor x = randn(c.x, rng), w = randn(c.weight, rng), b = randn({c.weight[0]}, rng);
    const Shape out{s.batch, s.out_channels, s.h.out, s.w.out};
    const Tensor dy = randn(out, rng);
    const Results r{full(out, NAN), full(out, NAN), full(c.x, NAN), full(c.weight, NAN)};
    (fast ? kernels::conv2d : kernels::reference::conv2d)(s, x.data(), w.data(), b.data(),
                                                          r.y.mutable_data());
    (fast ? kernels::conv2d : kernels::reference::conv2d)(s, x.data(), w.data(), nullptr,
                                                          r.y_without_bias.mutable_data());
    (fast ? kernels::conv2d_backward_input : kernels::reference::conv2d_backward_input)(
        s, w.data(), dy.data(), r.dx.mutable_data());
    (fast ? kernels::conv2d_backward_weight : kernels::reference::conv2d_backward_weight)(
        s, x.data(), dy.data(), r.dw.mutable_data());
    return r;
}

// Sums of some hundred products of normal numbers in another order: relative to the largest.
void check_close(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    Real largest = 1, worst = 0;
    bool finite = true;
    for (Index i = 0; i < a.numel(); ++i) {
        finite = finite && std::isfinite(a.data()[i]) && std::isfinite(b.data()[i]);
        largest = std::max(largest, std::abs(b.data()[i]));
        worst = std::max(worst, std::abs(a.data()[i] - b.data()[i]));
    }
    CHECK(finite);
    CHECK(worst <= static_cast<Real>(kTolerance) * largest);
}

void check_against_reference(const Case& c) {
    CAPTURE(c.x.str());
    CAPTURE(c.weight.str());
    const Results fast = run(c, true), plain = run(c, false);
    check_close(fast.y, plain.y);
    check_close(fast.y_without_bias, plain.y_without_bias);
    check_close(fast.dx, plain.dx);
    check_close(fast.dw, plain.dw);
}

TEST_CASE("conv kernels: like their reference") {
    for (const Case& c : cases()) check_against_reference(c);
    check_against_reference({{0, 2, 4, 4}, {3, 2, 3, 3}});
    check_against_reference({{2, 0, 5, 4}, {3, 0, 3, 3}});
    check_against_reference({{2, 0, 5, 4}, {4, 0, 1, 2}, {.stride = 2, .groups = 4}});
    check_against_reference({{3, 5, 17, 19}, {7, 5, 3, 3}, {.padding = 1}});
    check_against_reference({{20, 3, 9, 11}, {5, 3, 5, 3}, {.stride = {2, 1}, .padding = 2}});
    check_against_reference({{2, 33, 7, 7}, {17, 33, 1, 1}});
    check_against_reference({{1, 8, 23, 21}, {9, 8, 3, 3}});
}

TEST_CASE("conv kernels: like their reference for random sizes") {
    Rng rng(11);
    const auto from = [&](Index least, Index most) { return least + rng.below(most - least + 1); };
    int checked = 0;
    for (int i = 0; i < 300; ++i) {
        const Index groups = from(1, 3);
        const Case c{{from(1, 10), groups * from(1, 4), from(1, 12), from(1, 12)},
                     {groups * from(1, 5), 1, from(1, 4), from(1, 4)},
                     {.stride = {from(1, 4), from(1, 4)},
                      .padding = {from(0, 3), from(0, 3)},
                      .dilation = {from(1, 3), from(1, 3)},
                      .groups = groups}};
        const Case fitting{c.x, c.weight.with(1, c.x[1] / groups), c.options};
        const kernels::ConvSizes s = sizes_of(fitting);
        if (s.h.out < 1 || s.w.out < 1) continue;
        check_against_reference(fitting);
        ++checked;
    }
    CHECK(checked > 150);
}

bool same_bits(const Tensor& a, const Tensor& b) {
    return std::ranges::equal(a.values(), b.values());
}

TEST_CASE("conv kernels: the same bits for any number of threads") {
    const int before = num_threads();
    // Enough work to be shared out: many images, or one that is cut into pieces.
    for (const Case& c : {Case{{26, 8, 12, 12}, {16, 8, 3, 3}, {.padding = 1}},
                          Case{{1, 32, 40, 40}, {48, 32, 3, 3}, {.stride = 2}},
                          Case{{20, 16, 12, 12}, {16, 1, 3, 3}, {.padding = 1, .groups = 16}},
                          Case{{20, 32, 9, 9}, {48, 32, 1, 1}}}) {
        CAPTURE(c.x.str());
        set_num_threads(1);
        const Results one = run(c, true);
        for (int threads : {2, 3, 8}) {
            CAPTURE(threads);
            set_num_threads(threads);
            const Results many = run(c, true);
            CHECK(same_bits(many.y, one.y));
            CHECK(same_bits(many.dx, one.dx));
            CHECK(same_bits(many.dw, one.dw));
        }
    }
    set_num_threads(before);
}

TEST_CASE("conv kernels: how the threads overlap does not change the memory requests") {
    const int before = num_threads();
    set_num_threads(8);
    const Case c{{16, 8, 16, 16}, {8, 8, 3, 3}, {.padding = 1}};
    const kernels::ConvSizes s = sizes_of(c);
    const Tensor x = zeros(c.x), w = zeros(c.weight), y = zeros(c.x);
    const auto asked = [](const auto& kernel) {
        release_cached_storage();
        const Index start = storage_stats().system_allocations;
        kernel();
        return storage_stats().system_allocations - start;
    };
    const auto forward = [&] { kernels::conv2d(s, x.data(), w.data(), nullptr, y.mutable_data()); };
    const auto backward_input = [&] {
        kernels::conv2d_backward_input(s, w.data(), y.data(), x.mutable_data());
    };
    const auto backward_weight = [&] {
        kernels::conv2d_backward_weight(s, x.data(), y.data(), w.mutable_data());
    };
    const Index first[] = {asked(forward), asked(backward_input), asked(backward_weight)};
    for (int i = 0; i < 20; ++i) {
        CHECK(asked(forward) == first[0]);
        CHECK(asked(backward_input) == first[1]);
        CHECK(asked(backward_weight) == first[2]);
    }
    set_num_threads(before);
}

TEST_CASE("conv2d: after the first steps no memory is requested from the system") {
    const int before = num_threads();
    Rng rng(3);
    Conv2d first(3, 8, {.kernel_size = 3, .padding = 1}, rng),
        second(8, 8, {.kernel_size = 1}, rng);
    const Tensor x = randn({16, 3, 10, 10}, rng);
    const auto step = [&] {
        Tape tape;
        const Tensor loss = mean(second(first(x)));
        for (Conv2d* layer : {&first, &second}) {
            layer->weight.set_grad({}), layer->bias.set_grad({});
        }
        tape.backward(loss);
    };
    for (int threads : {1, 2, 3}) {
        CAPTURE(threads);
        set_num_threads(threads);
        release_cached_storage();
        for (int i = 0; i < 3; ++i) step();
        const Index asked = storage_stats().system_allocations;
        for (int i = 0; i < 20; ++i) step();
        CHECK(storage_stats().system_allocations == asked);
    }
    set_num_threads(before);
}

// --- the layer ---------------------------------------------------------------------------------

TEST_CASE("conv2d layer: forward by hand") {
    Rng rng(1);
    Conv2d layer(1, 2, {.kernel_size = 2, .stride = {1, 2}, .padding = {0, 1}, .bias_value = 0.5},
                 rng);
    layer.weight.copy_(tensor({1, 2, 3, 4, 0, 0, 0, 1}, {2, 1, 2, 2}));
    // Columns -1 and 0, 1 and 2; rows 0 and 1, 1 and 2: 1*2 + 4*4, 2*1 + 3*2 + 5*3 + 6*4, ...
    check_values(layer(nine()), {1, 2, 2, 2}, {18.5, 47.5, 36.5, 77.5, 4.5, 6.5, 7.5, 9.5});
}

TEST_CASE("conv2d layer: every option reaches the op") {
    Rng rng(1);
    Conv2d layer(
        4, 6,
        {.kernel_size = {3, 2}, .stride = 2, .padding = {2, 1}, .dilation = {1, 2}, .groups = 2},
        rng);
    const Tensor x = randn({2, 4, 7, 8}, rng);
    const Tensor y = conv2d(x, layer.weight, layer.bias,
                            {.stride = 2, .padding = {2, 1}, .dilation = {1, 2}, .groups = 2});
    CHECK(layer.weight.shape() == Shape{6, 2, 3, 2});
    CHECK(layer(x).shape() == y.shape());
    CHECK(same_bits(layer(x), y));
}

TEST_CASE("conv2d layer: padding \"same\" keeps the size") {
    Rng rng(1);
    Conv2d layer(2, 3, {.kernel_size = {4, 3}, .padding = "same", .dilation = 3}, rng);
    const Tensor x = randn({2, 2, 5, 6}, rng);
    const Tensor y = conv2d(x, layer.weight, layer.bias, {.padding = "same", .dilation = 3});
    CHECK(y.shape() == Shape{2, 3, 5, 6});
    CHECK(same_bits(layer(x), y));
}

TEST_CASE("conv2d layer: the weight starts He normal, the bias at its value") {
    Rng rng(7), twin(7);
    Conv2d layer(4, 6, {.kernel_size = {2, 4}, .groups = 2}, rng);
    CHECK(layer.weight.shape() == Shape{6, 2, 2, 4});
    const Real deviation = std::sqrt(Real(2) / 16);  // 2 channels of its group times 2 x 4
    for (Real w : layer.weight.values()) {
        CHECK(w == doctest::Approx(static_cast<double>(twin.normal(0, deviation))));
    }
    check_values(layer.bias, {6}, {0, 0, 0, 0, 0, 0});
    CHECK(rng.state() == twin.state());  // the bias takes nothing from the generator
    CHECK(layer.weight.requires_grad());
    CHECK(layer.bias.requires_grad());

    const auto named = layer.named_parameters();
    REQUIRE(named.size() == 2);
    CHECK(named[0].first == "weight");
    CHECK(named[1].first == "bias");
}

TEST_CASE("conv2d layer: without a bias") {
    Rng rng(1);
    Conv2d layer(1, 1, {.kernel_size = 2, .bias = false}, rng);
    CHECK_FALSE(layer.bias.defined());
    CHECK(layer.named_parameters().size() == 1);
    layer.weight.copy_(tensor({1, 2, 3, 4}, {1, 1, 2, 2}));
    check_values(layer(nine()), {1, 1, 2, 2}, {37, 47, 67, 77});
}

TEST_CASE("conv2d layer: gradients") {
    Rng rng(3);
    Conv2d layer(
        2, 4, {.kernel_size = 3, .stride = 2, .padding = 1, .groups = 2, .bias_value = 0.1}, rng);
    check_gradients([&](const std::vector<Tensor>& in) { return layer(in[0]); },
                    {randn({2, 2, 5, 6}, rng), layer.weight, layer.bias});
    Conv2d without(2, 3, {.kernel_size = {1, 2}, .dilation = 2, .bias = false}, rng);
    check_gradients([&](const std::vector<Tensor>& in) { return without(in[0]); },
                    {randn({2, 2, 3, 4}, rng), without.weight});
}

TEST_CASE("conv2d layer: bad shapes") {
    Rng rng(1);
    Conv2d layer(3, 16, {.kernel_size = 5}, rng);
    check_error(
        [&] {
            layer(zeros({2, 1, 28, 28}));
        },
        {"Conv2d: conv2d: expected x [N, 3, H, W] or [3, H, W] for the weight [16, 3, 5, 5]",
         "got [2, 1, 28, 28]"});
    check_error([&] { layer(zeros({2, 3072})); }, {"expected x [N, 3, H, W]", "got [2, 3072]"});
    check_error(
        [&] {
            layer(zeros({1, 28, 28}));
        },
        {"Conv2d: conv2d: expected x [N, 3, H, W] or [3, H, W]", "got [1, 28, 28]"});
    CHECK(layer(zeros({3, 28, 28})).shape() == Shape{16, 24, 24});
    check_error(
        [&] {
            layer(zeros({2, 3, 4, 28}));
        },
        {"Conv2d: conv2d: x [2, 3, 4, 28] padded by 0x0 is smaller than the kernel, which covers "
         "5x5; is the network too deep for images of this size?"});
    Conv2d wide(1, 1, {.kernel_size = {1, 3}, .padding = {1, 2}, .dilation = {1, 4}}, rng);
    check_error([&] { wide(zeros({1, 1, 4, 4})); }, {"padded by 1x2", "covers 1x9"});
    CHECK(wide(zeros({1, 1, 4, 5})).shape() == Shape{1, 1, 6, 1});
    Conv2d grouped(4, 2, {.kernel_size = {3, 1}, .groups = 2}, rng);
    check_error([&] { grouped(zeros({1, 2, 4, 4})); }, {"Conv2d: conv2d: expected x [N, 4, H, W]"});
}

TEST_CASE("conv2d layer: bad options") {
    Rng rng(1);
    check_error([&] { Conv2d(0, 16, {.kernel_size = 3}, rng); },
                {"Conv2d(0 -> 16, kernel 3x3): expected at least one channel on either side"});
    check_error([&] { Conv2d(3, -1, {.kernel_size = 3}, rng); }, {"Conv2d(3 -> -1, kernel 3x3)"});
    check_error([&] { Conv2d(3, 16, {.padding = 1}, rng); },
                {"Conv2d(3 -> 16, kernel 0x0): expected a kernel of at least 1 either way, got "
                 "0x0"});
    const Tensor x = zeros({1, 3, 8, 8});
    check_error(
        [&] {
            Conv2d(3, 16, {.kernel_size = 3, .stride = {0, 1}}, rng)(x);
        },
        {"Conv2d: conv2d: expected a stride of at least 1 either way, got 0x1"});
    check_error([&] { Conv2d(3, 16, {.kernel_size = 3, .padding = -1}, rng)(x); },
                {"Conv2d: conv2d: expected a padding of at least 0 either way, got -1x-1"});
    check_error(
        [&] {
            Conv2d(3, 16, {.kernel_size = 3, .dilation = {1, 0}}, rng)(x);
        },
        {"Conv2d: conv2d: expected a dilation of at least 1 either way, got 1x0"});
    const Index huge = Index{1} << 62;  // twice that would overflow
    check_error([&] { Conv2d(3, 16, {.kernel_size = 3, .padding = huge}, rng)(x); },
                {"Conv2d: conv2d: expected a padding of at most 2147483647 either way, got "
                 "4611686018427387904x4611686018427387904"});
    check_error(
        [&] {
            Conv2d(3, 16, {.kernel_size = 3, .dilation = {1, huge}}, rng)(x);
        },
        {"Conv2d: conv2d: expected a dilation of at most 2147483647 either way, got "
         "1x4611686018427387904"});
    check_error([&] { Conv2d(3, 16, {.kernel_size = 3, .stride = huge}, rng)(x); },
                {"Conv2d: conv2d: expected a stride of at most 2147483647"});
    check_error([&] { Conv2d(3, 16, {.kernel_size = huge}, rng); },
                {"expected a kernel of at most 2147483647"});
    check_error(
        [&] {
            conv2d(zeros({1, 1, 3, 3}), zeros({1, 1, 3, 3}), {}, {.padding = huge});
        },
        {"conv2d: expected a padding of at most 2147483647"});
    check_error([&] { Conv2d(3, 16, {.kernel_size = 3, .stride = 2, .padding = "same"}, rng)(x); },
                {"Conv2d: conv2d: padding \"same\" needs a stride of 1, got 2x2"});
    const char* rule = "expected a number of groups that divides both channel counts, got ";
    check_error([&] { Conv2d(3, 16, {.kernel_size = 3, .groups = 2}, rng); },
                {"Conv2d(3 -> 16, kernel 3x3): ", rule, "got 2"});
    check_error([&] { Conv2d(6, 16, {.kernel_size = 3, .groups = 3}, rng); }, {rule, "got 3"});
    check_error([&] { Conv2d(6, 16, {.kernel_size = 3, .groups = 0}, rng); }, {rule, "got 0"});
}

TEST_CASE("conv2d layer: description") {
    Rng rng(1);
    CHECK(Conv2d(3, 16, {.kernel_size = 3}, rng).describe() ==
          "Conv2d(3, 16, kernel_size=(3, 3), stride=(1, 1))");
    CHECK(Conv2d(3, 16, {.kernel_size = 3, .padding = 1}, rng).describe() ==
          "Conv2d(3, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))");
    CHECK(Conv2d(3, 16, {.kernel_size = 3, .padding = "same"}, rng).describe() ==
          "Conv2d(3, 16, kernel_size=(3, 3), stride=(1, 1), padding=same)");
    CHECK(Conv2d(4, 8,
                 {.kernel_size = {3, 5},
                  .stride = {2, 1},
                  .padding = {0, 1},
                  .dilation = 2,
                  .groups = 2,
                  .bias = false},
                 rng)
              .describe() ==
          "Conv2d(4, 8, kernel_size=(3, 5), stride=(2, 1), padding=(0, 1), dilation=(2, 2), "
          "groups=2, bias=False)");
}

TEST_CASE("size2: one number or two") {
    CHECK(Size2(3) == Size2(3, 3));
    CHECK(Size2(3, 4) != Size2(4, 3));
    std::ostringstream text;
    text << Size2(3, 5);
    CHECK(text.str() == "3x5");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

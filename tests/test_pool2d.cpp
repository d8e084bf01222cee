#include <primer/layers/pooling.h>

#include <algorithm>
#include <limits>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/pool.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The gradient of sum(f(x) * dy), with dy = 1, 2, 3, ...
template <class F>
Tensor gradient(const F& f, const Tensor& x) {
    x.requires_grad_().set_grad({});
    Tape tape;
    const Tensor y = f(x);
    tape.backward(sum(y * reshape(arange(y.numel()) + 1, y.shape().dims())));
    return x.grad();
}

// One image with one row.
Tensor row(std::initializer_list<double> values) {
    return tensor(values, {1, 1, 1, static_cast<Index>(values.size())});
}

Tensor four_by_four() {
    return tensor({1, 5, 2, 0,   //
                   3, 4, 8, 7,   //
                   9, 9, -1, 6,  //
                   9, 2, -3, -2},
                  {1, 1, 4, 4});
}

// --- max_pool2d --------------------------------------------------------------------------------

TEST_CASE("max_pool2d: by hand") {
    const auto pool = [](const Tensor& x) { return max_pool2d(x, {.kernel_size = 2}); };
    check_values(pool(four_by_four()), {1, 1, 2, 2}, {5, 8, 9, 6});
    // The first of the three nines gets the gradient.
    check_values(gradient(pool, four_by_four()), {1, 1, 4, 4},
                 {0, 1, 0, 0, 0, 0, 2, 0, 3, 0, 0, 4, 0, 0, 0, 0});
}

TEST_CASE("max_pool2d: windows that overlap, by hand") {
    const auto pool = [](const Tensor& x) {
        return max_pool2d(x, {.kernel_size = {2, 3}, .stride = 1});
    };
    check_values(pool(four_by_four()), {1, 1, 3, 2}, {8, 8, 9, 9, 9, 9});
    check_values(gradient(pool, four_by_four()), {1, 1, 4, 4},
                 {0, 0, 0, 0, 0, 0, 1 + 2, 0, 3 + 5, 4 + 6, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("max_pool2d: every option by hand") {
    CHECK(max_pool2d(zeros({2, 3, 9, 9}), {.kernel_size = {2, 3}}).shape() == Shape{2, 3, 4, 3});
    const Tensor x = row({-4, -3, -2, -1, -5});
    check_values(max_pool2d(x, {.kernel_size = 1, .stride = 3}), {1, 1, 1, 2}, {-4, -1});
    // The padding is less than any number, not 0.
    check_values(max_pool2d(x, {.kernel_size = {1, 2}, .padding = {0, 1}}), {1, 1, 1, 3},
                 {-4, -2, -1});
    check_values(max_pool2d(x, {.kernel_size = {1, 2}, .stride = 1, .dilation = {1, 3}}),
                 {1, 1, 1, 2}, {-1, -3});
    // With rounding up, the last window reaches past the edge.
    check_values(max_pool2d(x, {.kernel_size = {1, 2}}), {1, 1, 1, 2}, {-3, -1});
    check_values(max_pool2d(x, {.kernel_size = {1, 2}, .ceil_mode = true}), {1, 1, 1, 3},
                 {-3, -1, -5});
    // A window larger than the image fits with rounding up.
    check_values(max_pool2d(x, {.kernel_size = {1, 6}, .ceil_mode = true}), {1, 1, 1, 1}, {-1});
}

TEST_CASE("max_pool2d: with ceil_mode no window begins beyond the image") {
    // (2 - 1) / 2 + 1 rounded up is 2, but the second window would begin at 2.
    check_values(max_pool2d(row({1, 2}), {.kernel_size = 1, .stride = 2, .ceil_mode = true}),
                 {1, 1, 1, 1}, {1});
    // (3 + 2 - 2) / 2 + 1 rounded up is 3, but the third would begin at 3, in the right padding.
    check_values(
        max_pool2d(row({1, 2, 3}), {.kernel_size = {1, 2}, .padding = {0, 1}, .ceil_mode = true}),
        {1, 1, 1, 2}, {1, 3});
}

TEST_CASE("max_pool2d: NaN and infinities") {
    const auto pool = [](const Tensor& x) { return max_pool2d(x, {.kernel_size = {1, 3}}); };
    check_values(pool(row({1, kNaN, 3, 4, 5, kInf, -kInf, -kInf, -kInf})), {1, 1, 1, 3},
                 {kNaN, kInf, -kInf});
    check_values(gradient(pool, row({1, kNaN, 3, 4, 5, kInf, -kInf, -kInf, -kInf})), {1, 1, 1, 9},
                 {0, 1, 0, 0, 0, 2, 3, 0, 0});
}

TEST_CASE("max_pool2d: a dilated window that sees nothing but padding") {
    // Its two cells lie at -1 and 2.
    const auto pool = [](const Tensor& x) {
        return max_pool2d(x, {.kernel_size = {1, 2}, .padding = {0, 1}, .dilation = {1, 3}});
    };
    check_values(pool(row({5, 6})), {1, 1, 1, 1}, {-kInf});
    check_values(gradient(pool, row({5, 6})), {1, 1, 1, 2}, {0, 0});
}

TEST_CASE("max_pool2d: backward needs neither x nor y") {
    const Tensor x = four_by_four();
    x.requires_grad_();
    Tape tape;
    const Tensor loss = sum(max_pool2d(x, {.kernel_size = 4}));
    x.fill_(0);
    tape.backward(loss);
    CHECK(x.grad().at({0, 0, 2, 0}) == 1);
    CHECK(sum(x.grad()).item() == 1);
}

// Every option, alone and together with others, on sizes that leave pixels over.
const std::vector<MaxPool2dOptions>& max_options() {
    static const std::vector<MaxPool2dOptions> all{
        {.kernel_size = 1},
        {.kernel_size = 2},
        {.kernel_size = {1, 3}},
        {.kernel_size = 3, .stride = 2},
        {.kernel_size = 3, .stride = 1, .padding = 1},
        {.kernel_size = 2, .stride = 3},
        {.kernel_size = {2, 3}, .stride = {1, 2}, .padding = {1, 0}},
        {.kernel_size = 2, .ceil_mode = true},
        {.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true},
        {.kernel_size = {3, 2}, .stride = 1, .dilation = {1, 2}},
        {.kernel_size = 2, .stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true},
    };
    return all;
}

TEST_CASE("max_pool2d: gradients") {
    Rng rng(5);
    for (const MaxPool2dOptions& options : max_options()) {
        CAPTURE(options.kernel_size);
        for (const Shape& shape : {Shape{2, 2, 5, 4}, Shape{1, 1, 7, 6}}) {
            check_gradients(
                [&](const std::vector<Tensor>& in) { return max_pool2d(in[0], options); },
                {randn(shape, rng)});
        }
    }
}

// --- avg_pool2d --------------------------------------------------------------------------------

TEST_CASE("avg_pool2d: by hand") {
    const auto pool = [](const Tensor& x) { return avg_pool2d(x, {.kernel_size = 2}); };
    check_values(pool(four_by_four()), {1, 1, 2, 2}, {3.25, 4.25, 7.25, 0});
    check_values(gradient(pool, four_by_four()), {1, 1, 4, 4},
                 {0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 0.75, 0.75, 1, 1});
}

TEST_CASE("avg_pool2d: windows that overlap, by hand") {
    const auto pool = [](const Tensor& x) {
        return avg_pool2d(x, {.kernel_size = {1, 2}, .stride = 1});
    };
    check_values(pool(row({1, 3, 7})), {1, 1, 1, 2}, {2, 5});
    check_values(gradient(pool, row({1, 3, 7})), {1, 1, 1, 3}, {0.5, 1.5, 1});
}

TEST_CASE("avg_pool2d: every option by hand") {
    CHECK(avg_pool2d(zeros({2, 3, 9, 9}), {.kernel_size = {2, 3}}).shape() == Shape{2, 3, 4, 3});
    check_values(avg_pool2d(row({1, 2, 4, 8}), {.kernel_size = {1, 2}, .stride = 2}), {1, 1, 1, 2},
                 {1.5, 6});
    // Zeros on either side: {0, 1}, {2, 4}, {8, 0}.
    const Tensor x = row({1, 2, 4, 8});
    check_values(avg_pool2d(x, {.kernel_size = {1, 2}, .padding = {0, 1}}), {1, 1, 1, 3},
                 {0.5, 3, 4});
    check_values(
        avg_pool2d(x, {.kernel_size = {1, 2}, .padding = {0, 1}, .count_include_pad = false}),
        {1, 1, 1, 3}, {1, 3, 8});
    // In both directions: the corner window covers one cell of a 2 x 2 image.
    check_values(avg_pool2d(full({1, 1, 2, 2}, 8), {.kernel_size = 2, .padding = 1}), {1, 1, 2, 2},
                 {2, 2, 2, 2});
    check_values(avg_pool2d(full({1, 1, 2, 2}, 8),
                            {.kernel_size = 2, .padding = 1, .count_include_pad = false}),
                 {1, 1, 2, 2}, {8, 8, 8, 8});
}

TEST_CASE("avg_pool2d: divisor_override by hand") {
    const Tensor x = row({1, 2, 4, 8});
    const AvgPool2dOptions options{
        .kernel_size = {1, 2}, .padding = {0, 1}, .divisor_override = 10};
    const auto pool = [&](const Tensor& t) { return avg_pool2d(t, options); };
    check_values(pool(x), {1, 1, 1, 3}, {0.1, 0.6, 0.8});
    check_values(gradient(pool, x), {1, 1, 1, 4}, {0.1, 0.2, 0.2, 0.3});
    check_values(avg_pool2d(four_by_four(), {.kernel_size = 4, .divisor_override = -2}),
                 {1, 1, 1, 1}, {-29.5});
}

TEST_CASE("avg_pool2d: with ceil_mode, cells beyond the padding do not count") {
    check_values(avg_pool2d(row({1, 2, 4}), {.kernel_size = {1, 2}}), {1, 1, 1, 1}, {1.5});
    check_values(avg_pool2d(row({1, 2, 4}), {.kernel_size = {1, 2}, .ceil_mode = true}),
                 {1, 1, 1, 2}, {1.5, 4});
    // The windows are {pad, 1, 2}, {2, 4, 8} and {8, pad, beyond}.
    const Tensor x = row({1, 2, 4, 8});
    check_values(
        avg_pool2d(x,
                   {.kernel_size = {1, 3}, .stride = {1, 2}, .padding = {0, 1}, .ceil_mode = true}),
        {1, 1, 1, 3}, {3.0 / 3, 14.0 / 3, 8.0 / 2});
    check_values(avg_pool2d(x, {.kernel_size = {1, 3},
                                .stride = {1, 2},
                                .padding = {0, 1},
                                .ceil_mode = true,
                                .count_include_pad = false}),
                 {1, 1, 1, 3}, {3.0 / 2, 14.0 / 3, 8.0 / 1});
}

const std::vector<AvgPool2dOptions>& avg_options() {
    static const std::vector<AvgPool2dOptions> all{
        {.kernel_size = 1},
        {.kernel_size = 2},
        {.kernel_size = {1, 3}},
        {.kernel_size = 3, .stride = 2},
        {.kernel_size = 3, .stride = 1, .padding = 1},
        {.kernel_size = 3, .stride = 1, .padding = 1, .count_include_pad = false},
        {.kernel_size = 2, .stride = 3},
        {.kernel_size = {2, 3}, .stride = {1, 2}, .padding = {1, 0}},
        {.kernel_size = 2, .ceil_mode = true},
        {.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true},
        {.kernel_size = 3,
         .stride = 2,
         .padding = 1,
         .ceil_mode = true,
         .count_include_pad = false},
        {.kernel_size = 3, .stride = 2, .padding = 1, .divisor_override = 5},
    };
    return all;
}

TEST_CASE("avg_pool2d: gradients") {
    Rng rng(5);
    for (const AvgPool2dOptions& options : avg_options()) {
        CAPTURE(options.kernel_size);
        for (const Shape& shape : {Shape{2, 2, 5, 4}, Shape{1, 1, 7, 6}}) {
            check_gradients(
                [&](const std::vector<Tensor>& in) { return avg_pool2d(in[0], options); },
                {randn(shape, rng)});
        }
    }
}

// --- adaptive_avg_pool2d -----------------------------------------------------------------------

TEST_CASE("adaptive_avg_pool2d: by hand") {
    // The mean of the whole image.
    const auto global = [](const Tensor& x) { return adaptive_avg_pool2d(x, 1); };
    check_values(global(four_by_four()), {1, 1, 1, 1}, {59.0 / 16});
    check_values(gradient(global, tensor({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2})), {1, 2, 2, 2},
                 {0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5});
    // 4 rows to 2, 4 columns to 1.
    check_values(adaptive_avg_pool2d(four_by_four(), {2, 1}), {1, 1, 2, 1}, {30.0 / 8, 29.0 / 8});
    // 5 to 2: {1, 2, 3} and {3, 4, 5}.
    const auto halves = [](const Tensor& x) { return adaptive_avg_pool2d(x, {1, 2}); };
    check_values(halves(row({1, 2, 3, 4, 5})), {1, 1, 1, 2}, {2, 4});
    check_values(gradient(halves, row({1, 2, 3, 4, 5})), {1, 1, 1, 5},
                 {1.0 / 3, 1.0 / 3, 1.0, 2.0 / 3, 2.0 / 3});
    // 2 to 3: {1}, {1, 5} and {5}.
    check_values(adaptive_avg_pool2d(row({1, 5}), {1, 3}), {1, 1, 1, 3}, {1, 3, 5});
    check_values(adaptive_avg_pool2d(row({7}), {2, 3}), {1, 1, 2, 3}, {7, 7, 7, 7, 7, 7});
}

TEST_CASE("adaptive_avg_pool2d: gradients") {
    Rng rng(5);
    for (Size2 output : {Size2(1), Size2(2), Size2(3, 2), Size2(5, 4), Size2(7, 6)}) {
        CAPTURE(output);
        check_gradients(
            [&](const std::vector<Tensor>& in) { return adaptive_avg_pool2d(in[0], output); },
            {randn({2, 2, 5, 4}, rng)});
    }
}

// --- adaptive_max_pool2d -----------------------------------------------------------------------

TEST_CASE("adaptive_max_pool2d: by hand") {
    const auto global = [](const Tensor& x) { return adaptive_max_pool2d(x, 1); };
    check_values(global(four_by_four()), {1, 1, 1, 1}, {9});
    // The first of the three nines gets the gradient.
    check_values(gradient(global, four_by_four()), {1, 1, 4, 4},
                 {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});
    // 4 rows to 2, 4 columns to 1.
    check_values(adaptive_max_pool2d(four_by_four(), {2, 1}), {1, 1, 2, 1}, {8, 9});
    // 5 to 2: {1, 2, 7} and {7, 4, 5}: they share the largest.
    const auto halves = [](const Tensor& x) { return adaptive_max_pool2d(x, {1, 2}); };
    check_values(halves(row({1, 2, 7, 4, 5})), {1, 1, 1, 2}, {7, 7});
    check_values(gradient(halves, row({1, 2, 7, 4, 5})), {1, 1, 1, 5}, {0, 0, 3, 0, 0});
    // 2 to 3: {1}, {1, 5} and {5}.
    check_values(adaptive_max_pool2d(row({1, 5}), {1, 3}), {1, 1, 1, 3}, {1, 5, 5});
    // A NaN is the largest; of windows of -infinity the first cell is taken.
    check_values(halves(row({-kInf, -kInf, -kInf, kNaN, kInf})), {1, 1, 1, 2}, {-kInf, kNaN});
    check_values(gradient(halves, row({-kInf, -kInf, -kInf, kNaN, kInf})), {1, 1, 1, 5},
                 {1, 0, 0, 2, 0});
}

TEST_CASE("adaptive_max_pool2d: gradients") {
    Rng rng(5);
    for (Size2 output : {Size2(1), Size2(2), Size2(3, 2), Size2(5, 4), Size2(7, 6)}) {
        CAPTURE(output);
        check_gradients(
            [&](const std::vector<Tensor>& in) { return adaptive_max_pool2d(in[0], output); },
            {randn({2, 2, 5, 4}, rng)});
    }
}

TEST_CASE("adaptive_max_pool2d: backward needs neither x nor y") {
    const Tensor x = four_by_four();
    x.requires_grad_();
    Tape tape;
    const Tensor loss = sum(adaptive_max_pool2d(x, 1));
    x.fill_(0);
    tape.backward(loss);
    CHECK(x.grad().at({0, 0, 2, 0}) == 1);
    CHECK(sum(x.grad()).item() == 1);
}

// --- all of them -------------------------------------------------------------------------------

TEST_CASE("pooling: a batch of no images") {
    const Tensor x = zeros({0, 3, 6, 6});
    CHECK(gradient([](const Tensor& t) { return max_pool2d(t, {.kernel_size = 2}); }, x).shape() ==
          x.shape());
    CHECK(max_pool2d(x, {.kernel_size = 2}).shape() == Shape{0, 3, 3, 3});
    CHECK(avg_pool2d(x, {.kernel_size = 2}).shape() == Shape{0, 3, 3, 3});
    CHECK(adaptive_avg_pool2d(x, {1, 2}).shape() == Shape{0, 3, 1, 2});
    CHECK(adaptive_max_pool2d(x, {1, 2}).shape() == Shape{0, 3, 1, 2});
    CHECK(adaptive_max_pool2d(zeros({2, 0, 3, 3}), 1).shape() == Shape{2, 0, 1, 1});
}

// Each op without the batch: the same values, and the same gradient.
TEST_CASE("pooling: one image") {
    Rng rng(4);
    const Tensor image = randn({3, 6, 5}, rng);
    const auto check_image = [&](const auto& pool) {
        const auto of_batch = [&](const Tensor& x) { return pool(reshape(x, {1, 3, 6, 5})); };
        const Tensor y = pool(image), batch = of_batch(image);
        CHECK(y.shape() == batch.shape().slice(1, 4));
        CHECK(std::ranges::equal(y.values(), batch.values()));
        const Tensor dx = gradient(pool, image).clone();
        CHECK(dx.shape() == image.shape());
        CHECK(std::ranges::equal(dx.values(), gradient(of_batch, image).values()));
    };
    check_image([](const Tensor& x) { return max_pool2d(x, {.kernel_size = 2}); });
    check_image([](const Tensor& x) {
        return max_pool2d(x, {.kernel_size = 3, .stride = 2, .padding = 1});
    });
    check_image([](const Tensor& x) { return avg_pool2d(x, {.kernel_size = {3, 2}}); });
    check_image([](const Tensor& x) { return adaptive_avg_pool2d(x, {4, 2}); });
    check_image([](const Tensor& x) { return adaptive_max_pool2d(x, {4, 2}); });
}

TEST_CASE("pooling: bad shapes") {
    check_error(
        [&] {
            max_pool2d(zeros({1, 1, 3, 8, 8}), {.kernel_size = 2});
        },
        {"max_pool2d: expected x [N, C, H, W] or [C, H, W], got [1, 1, 3, 8, 8]"});
    check_error(
        [&] {
            avg_pool2d(zeros({3, 8}), {.kernel_size = 2});
        },
        {"avg_pool2d: expected x [N, C, H, W] or [C, H, W], got [3, 8]"});
    check_error(
        [&] {
            adaptive_avg_pool2d(zeros({8, 8}), 1);
        },
        {"adaptive_avg_pool2d: expected x [N, C, H, W] or [C, H, W], got [8, 8]"});
    check_error([&] { adaptive_max_pool2d(zeros({8}), 1); },
                {"adaptive_max_pool2d: expected x [N, C, H, W] or [C, H, W], got [8]"});
    check_error(
        [&] {
            max_pool2d(zeros({3, 0, 8}), {.kernel_size = 1});
        },
        {"with H and W of at least 1, got [3, 0, 8]"});
    check_error([&] { adaptive_avg_pool2d(zeros({3, 8, 0, 1}), 1); }, {"got [3, 8, 0, 1]"});
    check_error(
        [&] {
            max_pool2d(zeros({1, 1, 4, 2}), {.kernel_size = 3, .dilation = 2});
        },
        {"max_pool2d: x [1, 1, 4, 2] padded by 0x0 is smaller than the window, which "
         "covers 5x5; is the network too deep for images of this size?"});
    check_error(
        [&] {
            avg_pool2d(zeros({1, 1, 4, 2}), {.kernel_size = {2, 5}, .padding = {0, 1}});
        },
        {"avg_pool2d: x [1, 1, 4, 2] padded by 0x1 is smaller than the window, which "
         "covers 2x5"});
}

TEST_CASE("max_pool2d: a position in a plane fits into 32 bits" *
          doctest::skip(sizeof(void*) < 8)) {
    check_error(
        [&] {
            max_pool2d(zeros({0, 1, 65536, 32768}), {.kernel_size = 2});
        },
        {"max_pool2d: expected fewer than 2^31 elements in a plane, got x [0, 1, 65536, "
         "32768]"});
    check_error(
        [&] {
            adaptive_max_pool2d(zeros({0, 1, 65536, 32768}), 1);
        },
        {"adaptive_max_pool2d: expected fewer than 2^31 elements in a plane"});
}

TEST_CASE("pooling: bad options") {
    const Tensor x = zeros({1, 1, 8, 8});
    check_error([&] { max_pool2d(x, {}); },
                {"max_pool2d: expected a kernel of at least 1 either way, got 0x0"});
    check_error([&] { avg_pool2d(x, {.stride = 2}); }, {"avg_pool2d: expected a kernel"});
    check_error(
        [&] {
            max_pool2d(x, {.kernel_size = 2, .stride = {2, 0}});
        },
        {"max_pool2d: expected a stride of at least 1 either way, got 2x0"});
    check_error(
        [&] {
            avg_pool2d(x, {.kernel_size = 2, .padding = {0, -1}});
        },
        {"avg_pool2d: expected a padding of at least 0 either way, got 0x-1"});
    check_error([&] { max_pool2d(x, {.kernel_size = 2, .dilation = 0}); },
                {"max_pool2d: expected a dilation of at least 1 either way, got 0x0"});
    check_error(
        [&] {
            max_pool2d(x, {.kernel_size = {4, 3}, .padding = 2});
        },
        {"max_pool2d: expected a padding of at most half the kernel 4x3, got 2x2"});
    check_error(
        [&] {
            avg_pool2d(x, {.kernel_size = 1, .padding = {1, 0}});
        },
        {"avg_pool2d: expected a padding of at most half the kernel 1x1, got 1x0"});
    check_error(
        [&] {
            adaptive_avg_pool2d(x, {0, 1});
        },
        {"adaptive_avg_pool2d: expected a size of the output of at least 1 either way, got 0x1"});
    check_error(
        [&] {
            adaptive_max_pool2d(x, {2, -1});
        },
        {"adaptive_max_pool2d: expected a size of the output of at least 1 either way, got 2x-1"});
    check_error([&] { avg_pool2d(x, {.kernel_size = 2, .divisor_override = 0}); },
                {"avg_pool2d: expected a divisor_override other than 0"});
}

TEST_CASE("pooling: options whose sums and products would overflow" *
          doctest::skip(sizeof(void*) < 8)) {
    const Tensor x = zeros({1, 1, 8, 8});
    const Index huge = Index{1} << 62, large = kMaxSize;
    check_error([&] { max_pool2d(x, {.kernel_size = 5, .stride = 1, .dilation = huge}); },
                {"max_pool2d: expected a dilation of at most 2147483647 either way"});
    check_error([&] { max_pool2d(x, {.kernel_size = 2, .stride = huge, .ceil_mode = true}); },
                {"max_pool2d: expected a stride of at most 2147483647"});
    check_error([&] { avg_pool2d(x, {.kernel_size = huge, .stride = 1, .padding = huge / 2}); },
                {"avg_pool2d: expected a kernel of at most 2147483647"});
    check_error(
        [&] {
            adaptive_avg_pool2d(x, {1, large + 1});
        },
        {"adaptive_avg_pool2d: expected a size of the output of at most 2147483647"});
    check_error(
        [&] {
            adaptive_avg_pool2d(zeros({0, 1, large + 1, 1}), 1);
        },
        {"adaptive_avg_pool2d: expected a size of the images of at most 2147483647"});
    check_error([&] { max_pool2d(x, {.kernel_size = 5, .dilation = large}); },
                {"covers 8589934589x8589934589"});
    const Tensor y = max_pool2d(x, {.kernel_size = 2, .stride = large, .ceil_mode = true});
    CHECK(y.shape() == Shape{1, 1, 1, 1});
}

TEST_CASE("pooling: tables that exceed memory are an Error" * doctest::skip(sizeof(void*) < 8)) {
    const Tensor x = zeros({1, 1, 8, 8});
    const Index large = Index{1} << 30;
    const char* output = "expected a size of the output of at most 16777216 either way, got ";
    check_error(
        [&] {
            max_pool2d(x, {.kernel_size = {1, large}, .stride = 1, .padding = {0, large / 2}});
        },
        {"max_pool2d: expected a kernel of at most 16777216 cells, got 1x1073741824"});
    check_error([&] { max_pool2d(x, {.kernel_size = 8192, .stride = 1, .padding = 4096}); },
                {"max_pool2d: expected a kernel of at most 16777216 cells, got 8192x8192"});
    check_error(
        [&] {
            adaptive_avg_pool2d(x, {large, 1});
        },
        {"adaptive_avg_pool2d: ", output, "1073741824x1"});
    check_error(
        [&] {
            avg_pool2d(zeros({0, 1, 1, large}), {.kernel_size = 1});
        },
        {"avg_pool2d: ", output, "1x1073741824"});
    // An average needs no table of its window's cells.
    const AvgPool2dOptions wide{.kernel_size = {8, large},
                                .stride = 8,
                                .padding = {0, large / 2},
                                .count_include_pad = false};
    check_values(avg_pool2d(x + 3, wide), {1, 1, 1, 2}, {3, 3});
    // Here the tables fit, but the tensor does not.
    check_error([&] { adaptive_avg_pool2d(x, Index{1} << 24); }, {"out of memory"});
}

// --- the kernels -------------------------------------------------------------------------------

using kernels::Window;

struct MaxResult {
    Tensor y;
    std::vector<std::int32_t> taken;  // its bytes, some of which may be unused
    Tensor dx;
};

MaxResult run_max(const kernels::MaxPoolSizes& s, const Tensor& x, bool fast) {
    const auto forward = fast ? kernels::max_pool2d : kernels::reference::max_pool2d;
    const auto backward =
        fast ? kernels::max_pool2d_backward : kernels::reference::max_pool2d_backward;
    MaxResult r{full({s.planes, s.h.out, s.w.out}, 99), {}, full(x.shape(), 99)};
    r.taken.assign(static_cast<std::size_t>(kernels::bytes_taken(s) + 3) / 4, 0);
    forward(s, x.data(), r.y.mutable_data(), r.taken.data());
    const Tensor dy = arange(r.y.numel());
    backward(s, r.taken.data(), dy.data(), r.dx.mutable_data());
    return r;
}

bool same_values(const Tensor& a, const Tensor& b) {
    return std::ranges::equal(a.values(), b.values(), [](Real p, Real q) {
        return p == q || (std::isnan(p) && std::isnan(q));
    });
}

Index between(Rng& rng, Index least, Index most) { return least + rng.below(most - least + 1); }

Window random_window(Rng& rng, Index most_dilation) {
    const Index kernel = between(rng, 1, 4);
    return {between(rng, 1, 14),
            kernel,
            between(rng, 1, 4),
            rng.below(kernel / 2 + 1),
            between(rng, 1, most_dilation),
            rng.below(2) == 1};
}

void compare_max(const kernels::MaxPoolSizes& s, Rng& rng) {
    CAPTURE(s.planes);
    CAPTURE(s.h.in);
    CAPTURE(s.w.in);
    Tensor x = empty({s.planes, s.h.in, s.w.in});
    // Few different values, including NaN and -infinity, so that ties are common.
    for (Index j = 0; j < x.numel(); ++j) {
        const Index v = rng.below(30);
        x.mutable_data()[j] = static_cast<Real>(v == 0 ? kNaN : v < 3 ? -kInf : double(v % 7));
    }
    const MaxResult fast = run_max(s, x, true), plain = run_max(s, x, false);
    CHECK(same_values(fast.y, plain.y));
    CHECK(fast.taken == plain.taken);
    CHECK(same_values(fast.dx, plain.dx));
}

TEST_CASE("max pooling kernel: like its reference for random sizes") {
    Rng rng(11);
    int checked = 0;
    for (int i = 0; i < 400; ++i) {
        const kernels::MaxPoolSizes s{between(rng, 1, 30), random_window(rng, 3),
                                      random_window(rng, 3)};
        if (s.h.out < 1 || s.w.out < 1) continue;
        compare_max(s, rng);
        ++checked;
    }
    CHECK(checked > 200);
}

// These windows have a kernel of their own, with steps of several widths.
TEST_CASE("max pooling kernel: windows of 2x2 side by side") {
    Rng rng(12);
    for (Index in = 2; in < 40; ++in) {
        for (const bool ceil_mode : {false, true}) {
            const Window h{2 + in % 5, 2, 2, 0, 1, ceil_mode}, w{in, 2, 2, 0, 1, ceil_mode};
            compare_max({3, h, w}, rng);
        }
    }
}

TEST_CASE("max pooling kernel: more cells than a byte can number") {
    Rng rng(14);
    for (const Index kernel : {15, 16, 17}) {  // 17 * 15 = 255, and 16 * 17
        const Window h{20, 17, 2, 3, 1}, w{33, kernel, 3, 2, 1};
        const kernels::MaxPoolSizes s{5, h, w};
        CHECK(kernels::bytes_taken(s) == 5 * h.out * w.out * (kernel == 15 ? 1 : 4));
        compare_max(s, rng);
    }
}

// The definition, with the padding written out: x in a field of zeros, ones where a cell counts.
Tensor plain_average(const Window& h, const Window& w, bool count_padding, const Tensor& x) {
    const Index planes = x.shape()[0];
    Tensor y = empty({planes, h.out, w.out});
    Real* out = y.mutable_data();
    for (Index p = 0; p < planes; ++p) {
        for (Index oh = 0; oh < h.out; ++oh) {
            for (Index ow = 0; ow < w.out; ++ow) {
                double sum = 0, count = 0;
                for (Index kh = 0; kh < h.kernel; ++kh) {
                    for (Index kw = 0; kw < w.kernel; ++kw) {
                        const Index ih = h.at(oh, kh), iw = w.at(ow, kw);
                        const bool image = h.inside(ih) && w.inside(iw);
                        const bool padded = ih < h.in + h.padding && iw < w.in + w.padding;
                        if (image) sum += static_cast<double>(x.at({p, ih, iw}));
                        if (image || (count_padding && padded)) ++count;
                    }
                }
                *out++ = static_cast<Real>(sum / count);
            }
        }
    }
    return y;
}

bool about_equal(const Tensor& a, const Tensor& b) {
    constexpr Real most = kDouble ? Real(1e-12) : Real(1e-6);
    return std::ranges::equal(a.values(), b.values(),
                              [](Real p, Real q) { return std::abs(p - q) <= most; });
}

TEST_CASE("average pooling kernel: like its definition for random sizes") {
    Rng rng(13);
    int checked = 0;
    for (int i = 0; i < 400; ++i) {
        const Window h = random_window(rng, 1), w = random_window(rng, 1);
        if (h.out < 1 || w.out < 1) continue;
        const bool count_padding = rng.below(2) == 1;
        const Tensor x = randn({between(rng, 1, 30), h.in, w.in}, rng);
        const Tensor plain = plain_average(h, w, count_padding, x);
        const kernels::AvgPoolSizes sizes{x.shape()[0], h.in, w.in,
                                          kernels::sliding_averages(h, count_padding),
                                          kernels::sliding_averages(w, count_padding)};
        for (const auto average : {kernels::avg_pool2d, kernels::reference::avg_pool2d}) {
            const Tensor y = full(plain.shape(), NAN);
            average(sizes, x.data(), y.mutable_data());
            CHECK(about_equal(y, plain));
        }
        ++checked;
    }
    CHECK(checked > 200);
}

// Whole planes have loops of their own.
TEST_CASE("average pooling kernel: whole planes, like its reference") {
    Rng rng(16);
    for (const auto& [h, w] : {std::pair<Index, Index>{1, 1}, {7, 7}, {3, 1}, {1, 40}, {33, 35}}) {
        const kernels::AvgPoolSizes s{11, h, w, kernels::adaptive_averages(h, 1),
                                      kernels::adaptive_averages(w, 1)};
        const Tensor x = randn({11, h, w}, rng), dy = randn({11}, rng);
        const Tensor y = empty({11}), plain_y = empty({11});
        kernels::avg_pool2d(s, x.data(), y.mutable_data());
        kernels::reference::avg_pool2d(s, x.data(), plain_y.mutable_data());
        CHECK(about_equal(y, plain_y));
        const Tensor dx = empty(x.shape()), plain_dx = empty(x.shape());
        kernels::avg_pool2d_backward(s, dy.data(), dx.mutable_data());
        kernels::reference::avg_pool2d_backward(s, dy.data(), plain_dx.mutable_data());
        CHECK(about_equal(dx, plain_dx));
    }
}

TEST_CASE("adaptive max pooling kernel: like its definition for random sizes") {
    Rng rng(18);
    for (int i = 0; i < 200; ++i) {
        const Index planes = between(rng, 1, 20), h = between(rng, 1, 13), w = between(rng, 1, 13);
        const Index out_h = between(rng, 1, 15), out_w = between(rng, 1, 15);
        const kernels::AdaptiveMaxPoolSizes s{planes, h, w, kernels::adaptive_cells(h, out_h),
                                              kernels::adaptive_cells(w, out_w)};
        const Tensor x = empty({planes, h, w}), dy = arange(planes * out_h * out_w) + 1;
        for (Index j = 0; j < x.numel(); ++j) {  // ties are common
            const Index v = rng.below(30);
            x.mutable_data()[j] = static_cast<Real>(v == 0 ? kNaN : v < 3 ? -kInf : double(v % 7));
        }
        const Shape out{planes, out_h, out_w};
        const Tensor y[] = {full(out, 99), full(out, 99)};
        const Tensor dx[] = {full(x.shape(), 99), full(x.shape(), 99)};
        std::vector<std::int32_t> taken[2];
        for (std::size_t fast = 0; fast < 2; ++fast) {
            taken[fast].assign(static_cast<std::size_t>(out.numel()), -1);
            const auto forward =
                fast ? kernels::adaptive_max_pool2d : kernels::reference::adaptive_max_pool2d;
            const auto backward = fast ? kernels::adaptive_max_pool2d_backward
                                       : kernels::reference::adaptive_max_pool2d_backward;
            forward(s, x.data(), y[fast].mutable_data(), taken[fast].data());
            backward(s, taken[fast].data(), dy.data(), dx[fast].mutable_data());
        }
        CHECK(same_values(y[0], y[1]));
        CHECK(taken[0] == taken[1]);
        CHECK(same_values(dx[0], dx[1]));
    }
}

// Where the windows do not overlap, max_pool2d says the same.
TEST_CASE("adaptive_max_pool2d: even windows are those of max_pool2d") {
    Rng rng(19);
    const Tensor x = randn({3, 7, 12, 15}, rng);
    const auto windows = [](const Tensor& t) { return max_pool2d(t, {.kernel_size = {4, 3}}); };
    const auto adaptive = [](const Tensor& t) { return adaptive_max_pool2d(t, {3, 5}); };
    CHECK(same_values(windows(x), adaptive(x)));
    const Tensor dx = gradient(windows, x).clone();
    CHECK(same_values(dx, gradient(adaptive, x)));
}

TEST_CASE("window: which outputs see a cell inside the image") {
    Rng rng(17);
    for (int i = 0; i < 300; ++i) {
        const Window w{between(rng, 0, 6), between(rng, 1, 4), between(rng, 1, 4),
                       between(rng, 0, 5), between(rng, 1, 4), rng.below(2) == 1};
        for (Index k = 0; k < w.kernel; ++k) {
            const kernels::Range seen = w.outputs(k);
            CHECK(0 <= seen.begin);
            CHECK(seen.begin <= seen.end);
            CHECK(seen.end <= w.out);
            for (Index o = 0; o < w.out; ++o) {
                CHECK(w.inside(w.at(o, k)) == (seen.begin <= o && o < seen.end));
            }
        }
    }
}

TEST_CASE("pooling: the same bits for any number of threads") {
    const int before = num_threads();
    Rng rng(3);
    const Tensor x = randn({10, 7, 33, 35}, rng);  // enough planes to be shared out
    const auto run = [&] {
        std::vector<Tensor> all;
        const auto add = [&](const auto& pool) {
            all.push_back(pool(x));
            all.push_back(gradient(pool, x));
        };
        add([](const Tensor& t) {
            return max_pool2d(t, {.kernel_size = 3, .stride = 2, .padding = 1});
        });
        add([](const Tensor& t) { return max_pool2d(t, {.kernel_size = 2}); });
        add([](const Tensor& t) { return avg_pool2d(t, {.kernel_size = 3, .stride = 1}); });
        add([](const Tensor& t) { return adaptive_avg_pool2d(t, {4, 5}); });
        add([](const Tensor& t) { return adaptive_avg_pool2d(t, 1); });
        add([](const Tensor& t) { return adaptive_max_pool2d(t, {4, 5}); });
        return all;
    };
    set_num_threads(1);
    const std::vector<Tensor> one = run();
    for (int threads : {2, 3, 8}) {
        CAPTURE(threads);
        set_num_threads(threads);
        const std::vector<Tensor> many = run();
        for (std::size_t i = 0; i < one.size(); ++i) {
            CAPTURE(i);
            CHECK(std::ranges::equal(many[i].values(), one[i].values()));
        }
    }
    set_num_threads(before);
}

TEST_CASE("pooling: after the first steps no memory is requested from the system") {
    Rng rng(3);
    const Tensor x = randn({4, 3, 16, 16}, rng);
    const auto step = [&] {
        gradient([](const Tensor& t) { return max_pool2d(t, {.kernel_size = 2}); }, x);
        gradient([](const Tensor& t) { return avg_pool2d(t, {.kernel_size = 2}); }, x);
        gradient([](const Tensor& t) { return adaptive_avg_pool2d(t, 1); }, x);
    };
    release_cached_storage();
    for (int i = 0; i < 3; ++i) step();
    const Index asked = storage_stats().system_allocations;
    for (int i = 0; i < 10; ++i) step();
    CHECK(storage_stats().system_allocations == asked);
}

TEST_CASE("max_pool2d, avg_pool2d: a pair is a kernel, and numbers without braces are, too") {
    const Tensor x = four_by_four();
    const auto same = [](const Tensor& a, const Tensor& b) {
        CHECK(a.shape() == b.shape());
        CHECK(same_values(a, b));
    };
    same(max_pool2d(x, {2, 3}), max_pool2d(x, {.kernel_size = {2, 3}}));
    same(max_pool2d(x, {2, 3}, {1, 2}), max_pool2d(x, {.kernel_size = {2, 3}, .stride = {1, 2}}));
    same(max_pool2d(x, 2, 1), max_pool2d(x, {.kernel_size = 2, .stride = 1}));
    same(avg_pool2d(x, {3, 2}), avg_pool2d(x, {.kernel_size = {3, 2}}));
    same(avg_pool2d(x, {3, 2}, 1, 1),
         avg_pool2d(x, {.kernel_size = {3, 2}, .stride = 1, .padding = 1}));
    same(MaxPool2d(Size2{2, 3})(x), max_pool2d(x, {2, 3}));
    check_error([&] { max_pool2d(x, {3, 2, 1}); }, {"max_pool2d: expected a kernel", "got 3 num"});
    check_error([&] { avg_pool2d(x, {2}); }, {"avg_pool2d: expected a kernel", "got 1 num"});
}

// --- the layers --------------------------------------------------------------------------------

TEST_CASE("pooling layers: every option reaches the op") {
    Rng rng(1);
    const Tensor x = randn({2, 3, 9, 8}, rng);
    for (const MaxPool2dOptions& options : max_options()) {
        MaxPool2d layer(options);
        const Tensor y = max_pool2d(x, options);
        CHECK(layer(x).shape() == y.shape());
        CHECK(same_values(layer(x), y));
        CHECK(layer.parameters().empty());
    }
    for (const AvgPool2dOptions& options : avg_options()) {
        AvgPool2d layer(options);
        const Tensor y = avg_pool2d(x, options);
        CHECK(layer(x).shape() == y.shape());
        CHECK(same_values(layer(x), y));
    }
    AdaptiveAvgPool2d layer({2, 3});
    CHECK(layer(x).shape() == Shape{2, 3, 2, 3});
    CHECK(same_values(layer(x), adaptive_avg_pool2d(x, {2, 3})));
    CHECK(same_values(AdaptiveMaxPool2d({2, 3})(x), adaptive_max_pool2d(x, {2, 3})));
    // Kernel size and stride.
    CHECK(same_values(MaxPool2d(3, 2)(x), max_pool2d(x, {.kernel_size = 3, .stride = 2})));
    CHECK(
        same_values(AvgPool2d(3, {1, 2})(x), avg_pool2d(x, {.kernel_size = 3, .stride = {1, 2}})));
    CHECK(MaxPool2d(2)(x).shape() == Shape{2, 3, 4, 4});
    CHECK(AvgPool2d({3, 2}, 2)(x).shape() == Shape{2, 3, 4, 4});
}

TEST_CASE("pooling layers: forward by hand") {
    check_values(MaxPool2d({.kernel_size = 2})(four_by_four()), {1, 1, 2, 2}, {5, 8, 9, 6});
    check_values(AvgPool2d({.kernel_size = 2})(four_by_four()), {1, 1, 2, 2},
                 {3.25, 4.25, 7.25, 0});
    check_values(AdaptiveAvgPool2d(1)(four_by_four()), {1, 1, 1, 1}, {59.0 / 16});
}

TEST_CASE("pooling layers: gradients") {
    Rng rng(2);
    MaxPool2d largest({.kernel_size = 3, .stride = 2, .padding = 1});
    AvgPool2d mean({.kernel_size = 3, .stride = 2, .padding = 1});
    AdaptiveAvgPool2d adaptive({2, 3});
    AdaptiveMaxPool2d adaptive_largest({2, 3});
    for (Module* layer :
         {static_cast<Module*>(&largest), static_cast<Module*>(&mean),
          static_cast<Module*>(&adaptive), static_cast<Module*>(&adaptive_largest)}) {
        CAPTURE(layer->describe());
        check_gradients([&](const std::vector<Tensor>& in) { return (*layer)(in[0]); },
                        {randn({2, 2, 6, 5}, rng)});
    }
}

TEST_CASE("pooling layers: description") {
    CHECK(MaxPool2d({.kernel_size = 2}).describe() ==
          "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
    CHECK(MaxPool2d({.kernel_size = {3, 2},
                     .stride = 2,
                     .padding = 1,
                     .dilation = {1, 2},
                     .ceil_mode = true})
              .describe() ==
          "MaxPool2d(kernel_size=(3, 2), stride=2, padding=1, dilation=(1, 2), ceil_mode=True)");
    CHECK(MaxPool2d({.kernel_size = {3, 2}}).describe() ==
          "MaxPool2d(kernel_size=(3, 2), stride=(3, 2), padding=0, dilation=1, ceil_mode=False)");
    CHECK(AvgPool2d({.kernel_size = 2}).describe() ==
          "AvgPool2d(kernel_size=2, stride=2, padding=0)");
    CHECK(AvgPool2d({.kernel_size = 3, .stride = {1, 2}, .padding = {0, 1}}).describe() ==
          "AvgPool2d(kernel_size=3, stride=(1, 2), padding=(0, 1))");
    CHECK(AdaptiveAvgPool2d(1).describe() == "AdaptiveAvgPool2d(output_size=1)");
    CHECK(AdaptiveAvgPool2d({1, 2}).describe() == "AdaptiveAvgPool2d(output_size=(1, 2))");
    CHECK(AdaptiveMaxPool2d({1, 2}).describe() == "AdaptiveMaxPool2d(output_size=(1, 2))");
    CHECK(AvgPool2d(2, 2).describe() == "AvgPool2d(kernel_size=2, stride=2, padding=0)");
}

TEST_CASE("pooling layers: bad options") {
    const Tensor x = zeros({1, 1, 4, 4});
    check_error([&] { MaxPool2d({})(x); },
                {"MaxPool2d: max_pool2d: expected a kernel of at least 1 either way, got 0x0"});
    check_error([&] { AvgPool2d({.stride = 2})(x); },
                {"AvgPool2d: avg_pool2d: expected a kernel of at least 1 either way, got 0x0"});
    check_error(
        [&] {
            MaxPool2d({.kernel_size = 2, .stride = {2, 0}})(x);
        },
        {"MaxPool2d: max_pool2d: expected a stride of at least 1 either way, got 2x0"});
    check_error(
        [&] {
            AvgPool2d({.kernel_size = {2, 3}, .padding = {0, -1}})(x);
        },
        {"AvgPool2d: avg_pool2d: expected a padding of at least 0 either way, got 0x-1"});
    check_error([&] { MaxPool2d({.kernel_size = 2, .dilation = 0})(x); },
                {"MaxPool2d: max_pool2d: expected a dilation of at least 1 either way, got 0x0"});
    check_error(
        [&] {
            MaxPool2d({.kernel_size = {4, 3}, .padding = 2})(x);
        },
        {"MaxPool2d: max_pool2d: expected a padding of at most half the kernel 4x3, got 2x2"});
    check_error(
        [&] {
            AvgPool2d({.kernel_size = 1, .padding = {1, 0}})(x);
        },
        {"AvgPool2d: avg_pool2d: expected a padding of at most half the kernel 1x1, got 1x0"});
    check_error(
        [&] {
            AdaptiveAvgPool2d({3, 0})(x);
        },
        {"AdaptiveAvgPool2d: adaptive_avg_pool2d: expected a size of the output of at least 1 "
         "either way, got 3x0"});
    check_error([&] { AdaptiveMaxPool2d(0)(x); },
                {"AdaptiveMaxPool2d: adaptive_max_pool2d: expected a size of the output of at "
                 "least 1 either way"});
    check_error([&] { MaxPool2d(2, -1)(x); },
                {"MaxPool2d: max_pool2d: expected a stride of at least"});
    check_error([&] { AvgPool2d({.kernel_size = 2, .divisor_override = 0})(x); },
                {"AvgPool2d: avg_pool2d: expected a divisor_override other than 0"});
    const Index huge = Index{1} << 62;  // twice that would overflow
    check_error([&] { MaxPool2d({.kernel_size = huge, .padding = huge})(x); },
                {"MaxPool2d: max_pool2d: expected a kernel of at most 2147483647 either way"});
    check_error([&] { AvgPool2d({.kernel_size = 2, .stride = huge})(x); },
                {"AvgPool2d: avg_pool2d: expected a stride of at most 2147483647 either way"});
    check_error([&] { MaxPool2d({.kernel_size = 2, .dilation = huge})(x); },
                {"MaxPool2d: max_pool2d: expected a dilation of at most"});
}

TEST_CASE("pooling layers: bad shapes") {
    check_error([] { MaxPool2d({.kernel_size = 2})(zeros({8})); },
                {"MaxPool2d: max_pool2d: expected x [N, C, H, W] or [C, H, W], got [8]"});
    check_error(
        [] {
            AvgPool2d({.kernel_size = 2})(zeros({8, 8}));
        },
        {"AvgPool2d: avg_pool2d: expected x [N, C, H, W] or [C, H, W], got [8, 8]"});
    check_error(
        [] {
            AdaptiveAvgPool2d(1)(zeros({8, 64}));
        },
        {"AdaptiveAvgPool2d: adaptive_avg_pool2d: expected x [N, C, H, W] or [C, H, W], got [8, "
         "64]"});
    check_error(
        [] {
            AvgPool2d({.kernel_size = 9})(zeros({1, 3, 8, 10}));
        },
        {"AvgPool2d: avg_pool2d: x [1, 3, 8, 10] padded by 0x0 is smaller than the window, which "
         "covers 9x9; is the network too deep for images of this size?"});
    MaxPool2d dilated({.kernel_size = 2, .padding = 1, .dilation = {1, 9}});
    check_error(
        [&] {
            dilated(zeros({1, 3, 8, 7}));
        },
        {"MaxPool2d: max_pool2d: x [1, 3, 8, 7] padded by 1x1 is smaller than the window, which "
         "covers 2x10"});
    CHECK(dilated(zeros({1, 3, 8, 8})).shape() == Shape{1, 3, 5, 1});
    // With ceil_mode the window may reach stride - 1 pixels past the edge, and no further.
    MaxPool2d over({.kernel_size = 3, .stride = 2, .ceil_mode = true});
    CHECK(over(zeros({1, 1, 2, 2})).shape() == Shape{1, 1, 1, 1});
    check_error([&] { over(zeros({1, 1, 1, 2})); }, {"x [1, 1, 1, 2] padded by 0x0", "covers 3x3"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

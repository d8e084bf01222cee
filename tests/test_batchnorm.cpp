#include <primer/layers/batchnorm.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <type_traits>
#include <vector>

#include <primer/core/kernels/batchnorm.h>
#include <primer/core/kernels/isa.h>
#include <primer/core/kernels/isa/table.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "normalization.h"
#include "support.h"

namespace primer {
namespace {

using Tensors = std::vector<Tensor>;

// Two channels of four values. The first, 1 3 5 7, has the mean 4 and the variance 5; the second,
// 17 5 7 11, has 10 and (49 + 25 + 9 + 1) / 4 = 21. With eps = 4 the roots are 3 and 5, so
//     z = -1, -1/3, 1/3, 1  and  7/5, -1, -3/5, 1/5.
Tensor images() { return tensor({1, 3, 17, 5, 5, 7, 7, 11}, {2, 2, 1, 2}); }
Tensor sequences() { return reshape(images(), {2, 2, 2}); }
Tensor features() {
    return tensor({1, 17,  //
                   3, 5,   //
                   5, 7,   //
                   7, 11},
                  {4, 2});
}

const BatchNormOptions kTraining{.training = true, .eps = 4};
const BatchNormOptions kEval{.training = false, .eps = 4};

TEST_CASE("batch_norm: without values, the gradients of weight and bias are 0") {
    for (const Shape& shape : {Shape{2, 3, 0, 4}, Shape{0, 3, 5}, Shape{1, 3, 0}, Shape{0, 3}}) {
        const auto f = [](const Tensor& x, const Tensor& w, const Tensor& b) {
            return batch_norm(x, zeros({3}), ones({3}), w, b, {});
        };
        check_norm_without_values(f, shape, {3});
    }
}

TEST_CASE("batch_norm: training, by hand") {
    const Tensor weight = tensor({3, 10}), bias = tensor({1, -1});
    // 3 z + 1 and 10 z - 1
    const std::initializer_list<double> y{-2, 0, 13, -11, 2, 4, -7, 1};
    check_values(batch_norm(images(), {}, {}, weight, bias, kTraining), {2, 2, 1, 2}, y);
    check_values(batch_norm(sequences(), {}, {}, weight, bias, kTraining), {2, 2, 2}, y);
    check_values(batch_norm(features(), {}, {}, weight, bias, kTraining), {4, 2},
                 {-2, 13, 0, -11, 2, -7, 4, 1});

    check_values(batch_norm(features(), {}, {}, {}, {}, kTraining), {4, 2},
                 {-1, 1.4, -1 / 3.0, -1, 1 / 3.0, -0.6, 1, 0.2});
    check_values(batch_norm(features(), {}, {}, weight, {}, kTraining), {4, 2},
                 {-3, 14, -1, -10, 1, -6, 3, 2});
    check_values(batch_norm(features(), {}, {}, {}, bias, kTraining), {4, 2},
                 {0, 0.4, 2 / 3.0, -2, 4 / 3.0, -1.6, 2, -0.8});
}

TEST_CASE("batch_norm: the running statistics, by hand") {
    const Tensor mean = tensor({0, 100}), var = tensor({1, 2});
    batch_norm(images(), mean, var, {}, {}, {.training = true, .momentum = 0.25});
    // The batch's are 4 and 10, 20/3 and 28: the variances are sums of squares over 4 - 1.
    check_values(mean, {2}, {1, 77.5});
    check_values(var, {2}, {0.75 + 5 / 3.0, 1.5 + 7});
    batch_norm(features(), mean, var, {}, {}, {.training = true});  // momentum 0.1
    check_values(mean, {2}, {1.3, 70.75});
    batch_norm(features(), mean, var, {}, {}, {.training = true, .momentum = 1});
    check_values(mean, {2}, {4, 10});
    check_values(var, {2}, {20 / 3.0, 28});
    batch_norm(features() * 3, mean, var, {}, {}, {.training = true, .momentum = 0});
    check_values(mean, {2}, {4, 10});
    check_values(var, {2}, {20 / 3.0, 28});
}

TEST_CASE("batch_norm: without training, by hand") {
    const Tensor mean = tensor({1, 2}), var = tensor({5, 12});  // roots 3 and 4
    const Tensor x = tensor({4, 10, -2, 2}, {2, 2});
    check_values(batch_norm(x, mean, var, {}, {}, kEval), {2, 2}, {1, 2, -1, 0});
    check_values(batch_norm(x, mean, var, tensor({3, 10}), tensor({1, -1}), kEval), {2, 2},
                 {4, 19, -2, -1});
    check_values(batch_norm(reshape(x, {1, 2, 2}), mean, var, {}, {}, kEval), {1, 2, 2},
                 {1, 3, -1, 0});
    check_values(mean, {2}, {1, 2});  // as they were
    check_values(var, {2}, {5, 12});
    check_values(batch_norm(zeros({1, 2}), mean, var, {}, {}, kEval), {1, 2}, {-1 / 3.0, -0.5});
    CHECK(batch_norm(zeros({0, 2}), mean, var, {}, {}).shape() == Shape{0, 2});
    CHECK(batch_norm(zeros({3, 2, 0}), mean, var, {}, {}).shape() == Shape{3, 2, 0});
    CHECK(batch_norm(zeros({3, 0}), zeros({0}), zeros({0}), {}, {}).shape() == Shape{3, 0});
}

TEST_CASE("batch_norm: eps is 1e-5 unless it is given") {
    const Tensor x = tensor({0, 2}, {2, 1});  // variance 1
    check_values(batch_norm(x, {}, {}, {}, {}, {.training = true}), {2, 1},
                 {-1 / std::sqrt(1.00001), 1 / std::sqrt(1.00001)});
    check_values(batch_norm(x, {}, {}, {}, {}, {.training = true, .eps = 1e-30}), {2, 1}, {-1, 1});
    // A constant channel gives 0, not 0 / 0.
    check_values(batch_norm(full({3, 1}, 7), {}, {}, {}, {}, {.training = true}), {3, 1},
                 {0, 0, 0});
}

// Deviations of -1.5, -0.5, 0.5, 1.5 times 2^-10 around 8192, all exact in float: the variance is
// 1.25 2^-20, far below the last digit of 8192^2.
TEST_CASE("batch_norm: a large mean and a small variance") {
    const double step = 1.0 / 1024;
    const Tensor x = tensor({8192, 8192 + step, 8192 + 2 * step, 8192 + 3 * step}, {4, 1});
    const double z = 0.5 / std::sqrt(1.25);
    check_values(batch_norm(x, {}, {}, {}, {}, {.training = true, .eps = 1e-30}), {4, 1},
                 {-3 * z, -z, z, 3 * z}, kTolerance);
    const Tensor mean = zeros({1}), var = zeros({1});
    batch_norm(x, mean, var, {}, {}, {.training = true, .momentum = 1});
    const double variance = 1.25 * step * step * 4 / 3;
    CHECK(static_cast<double>(var.item()) == doctest::Approx(variance).epsilon(kTolerance));

    // With many more values than a vector has lanes, and for dweight = sum of dy z.
    const Tensor many = expand(reshape(x, {4, 1, 1}), {4, 1, 1001});
    const Tensor weight = ones({1});
    weight.requires_grad_();
    Tape tape;
    const Tensor y = batch_norm(many, {}, {}, weight, {}, {.training = true, .eps = 1e-30});
    tape.backward(sum(y * reshape(tensor({0, 0, 1, 1}), {4, 1, 1})));
    CHECK(static_cast<double>(y.at({3, 0, 1000})) == doctest::Approx(3 * z).epsilon(kTolerance));
    CHECK(static_cast<double>(weight.grad().item()) ==
          doctest::Approx(4 * z * 1001).epsilon(kTolerance));
}

// With dy = 1, 0, 0, 0 in the first channel, where weight / root = 1: dbias = 1, dweight = z_0 =
// -1, dx_j = dy_j - 1/4 - z_j dweight / 4.
TEST_CASE("batch_norm: backward in training, by hand") {
    Tensor x = features(), weight = tensor({3, 10}), bias = tensor({1, -1});
    for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
    Tape tape;
    const Tensor y = batch_norm(x, {}, {}, weight, bias, kTraining);
    tape.backward(sum(slice(y, 0, 1) * tensor({1, 0})));
    check_values(x.grad(), {4, 2}, {0.5, 0, -1 / 3.0, 0, -1 / 6.0, 0, 0, 0});
    check_values(weight.grad(), {2}, {-1, 0});
    check_values(bias.grad(), {2}, {1, 0});
}

TEST_CASE("batch_norm: backward without training, by hand") {
    Tensor x = tensor({4, 10}, {1, 2}), weight = tensor({3, 8}), bias = zeros({2});
    for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
    Tape tape;
    const Tensor y = batch_norm(x, tensor({1, 2}), tensor({5, 12}), weight, bias, kEval);
    tape.backward(sum(y * tensor({10, 100})));
    check_values(x.grad(), {1, 2}, {10, 200});    // dy weight / root, 3/3 and 8/4
    check_values(weight.grad(), {2}, {10, 200});  // dy z, z = 1 and 2
    check_values(bias.grad(), {2}, {10, 100});
}

// One value a plane, more channels than lanes; short and long planes; three dimensions.
const std::vector<Shape> kShapes{{5, 3}, {3, 11}, {2, 3, 2}, {2, 2, 3, 4}, {4, 1, 1, 1}};

TEST_CASE("batch_norm: gradients, over every option") {
    Rng rng(1);
    for (const Shape& shape : kShapes) {
        CAPTURE(shape);
        const Shape channels{shape[1]};
        const Tensor x = randn(shape, rng), w = randn(channels, rng), b = randn(channels, rng);
        const Tensor mean = randn(channels, rng), var = rand(channels, rng);
        for (int option = 0; option < 4; ++option) {
            const bool training = option % 2 == 1, relu = option >= 2;
            CAPTURE(training);
            CAPTURE(relu);
            const BatchNormOptions options{
                .training = training, .momentum = 0, .eps = 0.1, .relu = relu};
            const auto f = [&](const Tensor& in, const Tensor& weight, const Tensor& bias) {
                return batch_norm(in, mean, var, weight, bias, options);
            };
            check_norm_gradients(f, x, w, b);
        }
    }
}

// --- with relu ----------------------------------------------------------------------------------

// As in the first two cases, with 3 z + 1 and 10 z - 1, which were -2, 0, 2, 4 and 13, -11, -7, 1.
TEST_CASE("batch_norm: relu, by hand") {
    Tensor x = features(), weight = tensor({3, 10}), bias = tensor({1, -1});
    for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
    const BatchNormOptions options{.training = true, .eps = 4, .relu = true};
    Tape tape;
    const Tensor y = batch_norm(x, {}, {}, weight, bias, options);
    check_values(y, {4, 2}, {0, 13, 0, 0, 2, 0, 4, 1});
    // dy = 1 in the first channel is 0 0 1 1 behind relu, whose derivative at 0 is 0: dbias = 2,
    // dweight = 1/3 + 1, dx_j = (0 0 1 1)_j - 2/4 - z_j (4/3)/4, as weight / root = 1.
    tape.backward(sum(y * tensor({1, 0})));
    check_values(bias.grad(), {2}, {2, 0});
    check_values(weight.grad(), {2}, {4 / 3.0, 0});
    check_values(x.grad(), {4, 2}, {-1 / 6.0, 0, -7 / 18.0, 0, 7 / 18.0, 0, 1 / 6.0, 0});
}

bool same(const Tensor& a, const Tensor& b) { return std::ranges::equal(a.values(), b.values()); }

// A tensor and the gradients that it leaves in its inputs.
Tensors with_gradients(const Tensors& inputs, const Tensor& dy, const std::function<Tensor()>& f) {
    for (const Tensor& input : inputs) {
        input.set_grad({});
        input.requires_grad_();
    }
    Tape tape;
    const Tensor y = f();
    tape.backward(sum(y * dy));
    Tensors all{y};
    for (const Tensor& input : inputs) all.push_back(input.grad());
    return all;
}

TEST_CASE("batch_norm: relu in it and relu behind it are the same bits") {
    Rng rng(7);
    std::vector<Shape> shapes = kShapes;
    shapes.insert(shapes.end(), {{3, 5, 8, 8}, {2, 4, 17, 31}, {70, 33}});
    for (const Shape& shape : shapes) {
        CAPTURE(shape);
        const Shape channels{shape[1]};
        const Tensor x = randn(shape, rng), w = randn(channels, rng), b = randn(channels, rng),
                     dy = randn(shape, rng), mean = randn(channels, rng), var = rand(channels, rng);
        for (const bool training : {true, false}) {
            for (const bool affine : {true, false}) {
                CAPTURE(training);
                CAPTURE(affine);
                const auto norm = [&](bool with_relu) {
                    return batch_norm(x, mean, var, affine ? w : Tensor(), affine ? b : Tensor(),
                                      {.training = training, .momentum = 0, .relu = with_relu});
                };
                const Tensors inputs = affine ? Tensors{x, w, b} : Tensors{x};
                const Tensors fused = with_gradients(inputs, dy, [&] { return norm(true); });
                const Tensors two = with_gradients(inputs, dy, [&] { return relu(norm(false)); });
                for (std::size_t i = 0; i < two.size(); ++i) {
                    CAPTURE(i);
                    CHECK(same(fused[i], two[i]));
                }
            }
        }
    }
}

TEST_CASE("batch_norm: relu lets NaN through, and its gradient, as relu does") {
    const Tensor x = tensor({NAN, 1, 0, -1}, {4, 1}), mean = zeros({1}), var = ones({1});
    const Tensors all = with_gradients({x}, tensor({5, 6, 7, 8}, {4, 1}), [&] {
        return batch_norm(x, mean, var, {}, {}, {.eps = 0, .relu = true});
    });
    check_values(all[0], {4, 1}, {NAN, 1, 0, 0});
    check_values(all[1], {4, 1}, {5, 6, 0, 0});
}

TEST_CASE("batch_norm: relu's backward needs x, weight and bias as they were") {
    Tensor x = features();
    x.requires_grad_();
    const Tensor mean = zeros({2}), var = ones({2}), weight = ones({2}), bias = zeros({2});
    for (const Tensor& changed : {x, weight, bias}) {
        Tape tape;
        const Tensor y = batch_norm(x, mean, var, weight, bias, {.relu = true});
        changed.fill_(5);
        check_error([&] { tape.backward(sum(y)); },
                    {"batch_norm: backward needs a value", "fill_"});
    }
}

TEST_CASE("batch_norm: the gradient of values that differ little from a large mean") {
    // x = 1000 +- 1 / 1024, exact in float; the same numbers about 0 must give the same gradients.
    Rng rng(5);
    const Shape shape{4, 2, 3, 3};
    const Tensor centered = empty(shape), x = empty(shape);
    for (Index i = 0; i < x.numel(); ++i) {
        const Real v = static_cast<Real>(static_cast<int>(rng.below(17)) - 8) / 8192;
        centered.mutable_data()[i] = v;
        x.mutable_data()[i] = 1000 + v;
    }
    const Tensor dy = randn(shape, rng);
    const auto gradient = [&](const Tensor& input) {
        input.requires_grad_();
        Tape tape;
        tape.backward(sum(mul(batch_norm(input, {}, {}, {}, {}, {.training = true}), dy)));
        return input.grad();
    };
    const Tensor expected = gradient(centered), found = gradient(x);
    Real largest = 0, worst = 0;
    for (Index i = 0; i < x.numel(); ++i) {
        largest = std::max(largest, std::abs(expected.data()[i]));
        worst = std::max(worst, std::abs(found.data()[i] - expected.data()[i]));
    }
    CHECK(worst <= largest * static_cast<Real>(kDouble ? 1e-8 : 2e-3));
}

TEST_CASE("batch_norm: what backward keeps") {
    const Tensor mean = zeros({2}), var = ones({2});
    Tensor x = features();
    x.requires_grad_();
    {
        // With constant statistics and no weight to learn, it keeps nothing of x.
        Tape tape;
        const Tensor y = batch_norm(x, mean, var, {}, {}, {.eps = 0});
        x.fill_(5);
        tape.backward(sum(y));
        check_values(x.grad(), {4, 2}, {1, 1, 1, 1, 1, 1, 1, 1});
    }
    {
        Tape tape;
        const Tensor y = batch_norm(x, {}, {}, {}, {}, kTraining);
        x.fill_(5);
        check_error([&] { tape.backward(sum(y)); },
                    {"batch_norm: backward needs a value", "fill_"});
    }
    {
        // The statistics are those of the forward, whatever happens to the running ones.
        x.set_grad({});
        Tape tape;
        const Tensor y = batch_norm(x, mean, var, {}, {}, {.eps = 0});
        batch_norm(features(), mean, var, {}, {}, {.training = true});
        tape.backward(sum(y));
        check_values(x.grad(), {4, 2}, {1, 1, 1, 1, 1, 1, 1, 1});
    }
}

TEST_CASE("batch_norm: a running statistic in use is not changed unnoticed") {
    const Tensor mean = zeros({2}), var = ones({2});
    Tensor x = features();
    x.requires_grad_();
    Tape tape;
    const Tensor y = x * mean;
    batch_norm(x, mean, var, {}, {}, {.training = true});
    check_error([&] { tape.backward(sum(y)); },
                {"mul: backward needs a value of shape [2]",
                 "BatchNorm's update of its running statistics has changed in place"});
}

TEST_CASE("batch_norm: bad arguments") {
    const Tensor x = zeros({4, 3}), c3 = ones({3}), c2 = ones({2});
    const auto train = [&](const Tensor& in, const BatchNormOptions& options) {
        batch_norm(in, {}, {}, {}, {}, options);
    };
    check_error([&] { train(zeros({3}), {.training = true}); },
                {"batch_norm: expected x [N, C] or [N, C, ...], got [3]"});
    check_error([&] { batch_norm(x, c2, c3, {}, {}); },
                {"batch_norm: expected x [N, C, ...] and a running_mean [C], got x [4, 3] and a "
                 "running_mean [2]"});
    check_error(
        [&] {
            batch_norm(x, c3, zeros({3, 1}), {}, {});
        },
        {"batch_norm: expected x [N, C, ...] and a running_var [C]", "a running_var [3, 1]"});
    check_error([&] { batch_norm(x, c3, c3, c2, {}); },
                {"batch_norm: expected x [N, C, ...] and a weight [C]", "a weight [2]"});
    check_error([&] { batch_norm(x, c3, c3, {}, c2); },
                {"batch_norm: expected x [N, C, ...] and a bias [C]", "a bias [2]"});
    check_error([&] { batch_norm(x, c3, {}, {}, {}); },
                {"batch_norm: expected both of running_mean and running_var, or neither"});
    check_error([&] { batch_norm(x, {}, {}, {}, {}); },
                {"batch_norm: without training, expected running_mean and running_var"});
    check_error([&] { train(x, {.training = true, .momentum = 1.5}); },
                {"batch_norm: expected a momentum from 0 to 1, got 1.5"});
    check_error([&] { train(x, {.training = true, .momentum = NAN}); }, {"got nan"});
    check_error([&] { train(x, {.training = true, .eps = -1}); },
                {"batch_norm: expected eps >= 0, got -1"});
    check_error([&] { train(x, {.training = true, .eps = INFINITY}); },
                {"batch_norm: expected eps to be finite", "got inf"});
    check_error([&] { train(x, {.training = true, .eps = 0}); },
                {"batch_norm: training needs eps > 0"});
    for (const Shape& one : {Shape{1, 3}, Shape{1, 3, 1}, Shape{1, 3, 1, 1}}) {
        check_error([&] { train(zeros(one), {.training = true}); },
                    {"batch_norm: x [1, 3", " has 1 value for each channel",
                     "the variance of one value is 0: without running statistics it needs more, "
                     "also in eval()",
                     "use a larger batch"});
        check_error([&] { batch_norm(zeros(one), c3, c3, {}, {}, {.training = true}); },
                    {"training needs more", "use a larger batch", "or eval()"});
    }
    check_error([&] { batch_norm({}, {}, {}, {}, {}); }, {"this tensor is undefined"});
    // A refused call changes nothing.
    const Tensor mean = zeros({3}), var = ones({3});
    check_error(
        [&] {
            batch_norm(zeros({1, 3}), mean, var, {}, {}, {.training = true});
        },
        {"1 value"});
    check_values(var, {3}, {1, 1, 1});
}

// --- kernels ------------------------------------------------------------------------------------

bool close(const Tensor& a, const Tensor& b, double tolerance) {
    for (Index i = 0; i < a.numel(); ++i) {
        const auto x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
        if (!(std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y)))) return false;
    }
    return true;
}

struct Results {
    std::vector<kernels::Moments> moments;
    Tensor y, dx, dw, db;
};

struct Way {
    bool of_x, relu;
};
constexpr std::array<Way, 4> kWays{{{true, false}, {false, false}, {true, true}, {false, true}}};

template <class Forward, class Backward>
Results run(const kernels::BatchNormSizes& s, Forward forward, Backward backward, const Way& way) {
    Rng rng(static_cast<std::uint64_t>(s.batch + 100 * s.channels + 10000 * s.inner));
    const Shape shape{s.batch, s.channels, s.inner}, channels{s.channels};
    const Tensor x = add(randn(shape, rng), 3), dy = randn(shape, rng), w = randn(channels, rng),
                 b = randn(channels, rng);
    Results r{std::vector<kernels::Moments>(static_cast<std::size_t>(s.channels)), empty(shape),
              empty(shape), empty(channels), empty(channels)};
    const kernels::BatchNormRule rule{1e-3, w.data(), b.data(), way.relu};
    forward(s, rule, x.data(), r.moments.data(), r.y.mutable_data());
    backward(s, rule, {x.data(), dy.data(), r.moments.data(), way.of_x}, r.dx.mutable_data(),
             r.dw.mutable_data(), r.db.mutable_data());
    return r;
}

Results fast(const kernels::BatchNormSizes& s, const Way& way) {
    return run(s, kernels::batch_norm_training, kernels::batch_norm_backward, way);
}

// One channel per lane (inner = 1) and one channel in all lanes; full and partial groups; more
// values than are added up in float.
const std::vector<kernels::BatchNormSizes> kSizes{
    {2, 1, 1},    {5, 7, 1}, {3, 8, 1},    {4, 9, 1},    {33, 17, 1}, {70, 32, 1}, {9, 65, 1},
    {1, 3, 2},    {2, 3, 5}, {3, 2, 8},    {2, 2, 9},    {7, 5, 16},  {3, 4, 31},  {40, 35, 64},
    {2, 40, 784}, {1, 1, 2}, {1000, 2, 1}, {5, 3, 1001}, {3, 2, 5000}};

TEST_CASE("batch_norm kernels: as the reference over odd shapes") {
    const double tolerance = kDouble ? 1e-11 : 2e-5, of_moments = kDouble ? 1e-13 : 1e-6;
    for (const auto& s : kSizes) {
        CAPTURE(s.batch);
        CAPTURE(s.channels);
        CAPTURE(s.inner);
        for (const Way& way : kWays) {
            CAPTURE(way.of_x);
            CAPTURE(way.relu);
            const Results a = fast(s, way);
            const Results b = run(s, kernels::reference::batch_norm_training,
                                  kernels::reference::batch_norm_backward, way);
            for (std::size_t c = 0; c < a.moments.size(); ++c) {
                CHECK(a.moments[c].mean == doctest::Approx(b.moments[c].mean).epsilon(of_moments));
                CHECK(a.moments[c].variance ==
                      doctest::Approx(b.moments[c].variance).epsilon(of_moments));
            }
            CHECK(close(a.y, b.y, tolerance));
            CHECK(close(a.dx, b.dx, tolerance * 10));
            CHECK(close(a.dw, b.dw, tolerance));
            CHECK(close(a.db, b.db, tolerance));
        }
    }
}

TEST_CASE("batch_norm kernels: with the moments of x, the same in evaluation") {
    for (const auto& s : kSizes) {
        Rng rng(3);
        const Tensor x = randn({s.batch, s.channels, s.inner}, rng), w = randn({s.channels}, rng);
        const Tensor trained = empty(x.shape()), evaluated = empty(x.shape());
        std::vector<kernels::Moments> moments(static_cast<std::size_t>(s.channels));
        const kernels::BatchNormRule rule{.eps = 1e-5, .weight = w.data()};
        kernels::batch_norm_training(s, rule, x.data(), moments.data(), trained.mutable_data());
        kernels::batch_norm(s, rule, x.data(), moments.data(), evaluated.mutable_data());
        CHECK(same(trained, evaluated));
        kernels::reference::batch_norm(s, rule, x.data(), moments.data(), trained.mutable_data());
        CHECK(close(evaluated, trained, kDouble ? 1e-11 : 2e-5));
    }
}

TEST_CASE("batch_norm kernels: the same bits for any number of threads") {
    const int before = num_threads();
    for (const auto& s : kSizes) {
        for (const Way& way : kWays) {
            set_num_threads(1);
            const Results one = fast(s, way);
            for (const int threads : {2, 3, 8}) {
                set_num_threads(threads);
                const Results more = fast(s, way);
                CHECK(same(one.y, more.y));
                CHECK(same(one.dx, more.dx));
                CHECK(same(one.dw, more.dw));
                CHECK(same(one.db, more.db));
            }
        }
    }
    set_num_threads(before);
}

// The sums of squares are taken about the mean of the first values. Here it is 100 standard
// deviations of the rest away: if it were 0, half of the digits of a float would be lost.
TEST_CASE("batch_norm kernels: first values unlike the others, and all of them far from 0") {
    const kernels::BatchNormSizes s{200, 2, 64};
    Rng rng(4);
    const Tensor x = randn({s.batch, s.channels, s.inner}, rng), y = empty(x.shape());
    for (Index i = 0; i < x.numel(); ++i) {
        x.mutable_data()[i] += Real(i < 16 * 128 ? 3100 : 3000);
    }
    std::vector<kernels::Moments> fast_moments(2), plain(2);
    const kernels::BatchNormRule rule{.eps = 0};
    kernels::batch_norm_training(s, rule, x.data(), fast_moments.data(), y.mutable_data());
    kernels::reference::batch_norm_training(s, rule, x.data(), plain.data(), y.mutable_data());
    for (std::size_t c = 0; c < 2; ++c) {
        CHECK(fast_moments[c].mean == doctest::Approx(plain[c].mean).epsilon(1e-9));
        CHECK(fast_moments[c].variance ==
              doctest::Approx(plain[c].variance).epsilon(kDouble ? 1e-12 : 3e-6));
    }
}

TEST_CASE("batch_norm kernels: the same bits at every instruction set") {
    const auto all = [](const kernels::BatchNormKernels& loops, const kernels::BatchNormBlock& b) {
        Rng rng(5);
        const Index n = b.rows * b.row_stride;
        const Tensor x = randn({n}, rng), dy = randn({n}, rng), out = zeros({4, n});
        std::vector<double> sums(4 * kernels::kMostChannels);
        kernels::BatchNormLine line{};
        for (Real& v : line.center) v = rng.normal();
        for (Real& v : line.scale) v = rng.normal();
        for (Real& v : line.shift) v = rng.normal();
        double* s = sums.data();
        loops.moments(b, line.center, x.data(), s, s + 32);
        loops.gradient_sums(b, line, true, x.data(), dy.data(), s + 64, s + 96);
        for (int i = 0; i < 2; ++i) {
            Real* to = out.mutable_data() + 2 * i * n;
            loops.normalize(b, line, i == 1, x.data(), to);
            loops.input_gradient(b, line, i == 1, line.shift, line.scale, x.data(), dy.data(),
                                 to + n);
        }
        std::vector<double> bits(out.values().begin(), out.values().end());
        bits.insert(bits.end(), sums.begin(), sums.end());
        return bits;
    };
    const std::vector<kernels::BatchNormBlock> blocks{{7, 32, 1, 40, 1},
                                                      {130, 9, 1, 9, 1},
                                                      {3, 2, 49, 147, 49},
                                                      {5, 16, 64, 1024, 64},
                                                      {2, 1, 5000, 5000, 5000}};
    for (const kernels::BatchNormBlock& block : blocks) {
        CAPTURE(block.inner);
        const auto at = [&](kernels::Isa isa) {
            return all(kernels::make_table(isa).batch_norm, block);
        };
        const auto expected = at(kernels::Isa::baseline);
        for (const kernels::Isa isa : {kernels::Isa::avx2, kernels::Isa::avx512}) {
            if (kernels::supported(isa)) CHECK(at(isa) == expected);
        }
    }
}

// --- layers -------------------------------------------------------------------------------------

TEST_CASE("BatchNorm: parameters and buffers, as PyTorch names them") {
    class Names : public Visitor {
      public:
        using Visitor::operator();
        void operator()(const std::string& name, Parameter& p) override { add(name, p); }
        void operator()(const std::string& name, Buffer& b) override { add(name, b); }
        void operator()(const std::string&, Module&) override { CHECK(false); }
        std::string all;

      private:
        void add(const std::string& name, const Tensor& t) { all += name + t.shape().str() + ' '; }
    };
    const auto names = [](BatchNorm&& layer) {
        Names visitor;
        layer.visit(visitor);
        return visitor.all;
    };
    CHECK(names(BatchNorm2d(3)) ==
          "weight[3] bias[3] running_mean[3] running_var[3] num_batches_tracked[] ");
    CHECK(names(BatchNorm1d(3, {.affine = false})) ==
          "running_mean[3] running_var[3] num_batches_tracked[] ");
    CHECK(names(BatchNorm1d(3, {.track_running_stats = false})) == "weight[3] bias[3] ");
    CHECK(names(BatchNorm2d(3, {.affine = false, .track_running_stats = false})).empty());

    BatchNorm1d layer(2);
    check_values(layer.weight, {2}, {1, 1});
    check_values(layer.bias, {2}, {0, 0});
    check_values(layer.running_mean, {2}, {0, 0});
    check_values(layer.running_var, {2}, {1, 1});
    check_values(layer.num_batches_tracked, {}, {0});
    CHECK(layer.parameters().size() == 2);
    CHECK(layer.weight.requires_grad());
    CHECK_FALSE(layer.running_mean.requires_grad());
}

TEST_CASE("BatchNorm: training and evaluation, by hand") {
    BatchNorm1d layer(2, {.eps = 4});
    layer.weight.copy_(tensor({3, 10}));
    layer.bias.copy_(tensor({1, -1}));
    check_values(layer(features()), {4, 2}, {-2, 13, 0, -11, 2, -7, 4, 1});
    check_values(layer(sequences()), {2, 2, 2}, {-2, 0, 13, -11, 2, 4, -7, 1});
    check_values(layer.num_batches_tracked, {}, {2});
    // Twice a tenth of the way to 4 and 10.
    check_values(layer.running_mean, {2}, {0.76, 1.9});

    layer.running_mean.copy_(tensor({1, 2}));
    layer.running_var.copy_(tensor({5, 12}));
    layer.eval();
    check_values(layer(tensor({4, 10, -2, 2}, {2, 2})), {2, 2}, {4, 19, -2, -1});
    check_values(layer(tensor({4, 10}, {1, 2})), {1, 2}, {4, 19});
    check_values(layer.running_mean, {2}, {1, 2});
    check_values(layer.num_batches_tracked, {}, {2});
    layer.train();
    layer(features());
    check_values(layer.num_batches_tracked, {}, {3});

    BatchNorm2d images_layer(2, {.eps = 4});
    check_values(images_layer(images()), {2, 2, 1, 2},
                 {-1, -1 / 3.0, 1.4, -1, 1 / 3.0, 1, -0.6, 0.2});
}

TEST_CASE("BatchNorm: with relu") {
    BatchNorm1d layer(2, {.eps = 4, .relu = true});
    layer.weight.copy_(tensor({3, 10}));
    layer.bias.copy_(tensor({1, -1}));
    check_values(layer(features()), {4, 2}, {0, 13, 0, 0, 2, 0, 4, 1});
    CHECK(layer.is_activation());
    layer.running_mean.copy_(tensor({1, 2}));
    layer.running_var.copy_(tensor({5, 12}));
    layer.eval();
    check_values(layer(tensor({4, 10, -2, 2}, {2, 2})), {2, 2}, {4, 19, 0, 0});

    BatchNorm2d images_layer(2, {.eps = 4, .relu = true});
    check_values(images_layer(images()), {2, 2, 1, 2}, {0, 0, 1.4, 0, 1 / 3.0, 1, 0, 0.2});
    CHECK_FALSE(BatchNorm2d(2).is_activation());
}

TEST_CASE("BatchNorm: momentum") {
    BatchNorm1d fast_layer(2, {.momentum = 0.5});
    fast_layer(features());
    check_values(fast_layer.running_mean, {2}, {2, 5});
    check_values(fast_layer.running_var, {2}, {0.5 + 10 / 3.0, 0.5 + 14});

    // Without momentum: the averages of [4, 10], then 2 and 6 times as much; 1 + 4 + 36 for the
    // variance.
    BatchNorm1d average(2, {.momentum = std::nullopt});
    average(features());
    check_values(average.running_mean, {2}, {4, 10});
    check_values(average.running_var, {2}, {20 / 3.0, 28});
    average(features() * 2);
    average(features() * 6);
    check_values(average.running_mean, {2}, {12, 30});
    check_values(average.running_var, {2}, {41 * 20 / 9.0, 41 * 28 / 3.0});
}

TEST_CASE("BatchNorm: without affine, and without running statistics") {
    BatchNorm1d plain(2, {.eps = 4, .affine = false});
    CHECK_FALSE(plain.weight.defined());
    CHECK_FALSE(plain.bias.defined());
    const std::initializer_list<double> z{-1, 1.4, -1 / 3.0, -1, 1 / 3.0, -0.6, 1, 0.2};
    check_values(plain(features()), {4, 2}, z);

    BatchNorm1d untracked(2, {.eps = 4, .track_running_stats = false});
    CHECK_FALSE(untracked.running_mean.defined());
    CHECK_FALSE(untracked.num_batches_tracked.defined());
    check_values(untracked(features()), {4, 2}, z);
    untracked.eval();
    check_values(untracked(features()), {4, 2}, z);  // still the batch's own
    check_error([&] { untracked(zeros({1, 2})); }, {"1 value for each channel"});
}

TEST_CASE("BatchNorm: the mode does not depend on recording") {
    BatchNorm1d layer(2);
    layer(features());  // training, though there is no Tape
    check_values(layer.num_batches_tracked, {}, {1});
    const NoGrad unrecorded;
    layer(features());
    check_values(layer.num_batches_tracked, {}, {2});
}

TEST_CASE("BatchNorm: gradients") {
    Rng rng(5);
    const Tensor x = randn({2, 3, 2, 2}, rng);
    for (const bool affine : {true, false}) {
        for (const bool tracked : {true, false}) {
            for (const bool training : {true, false}) {
                BatchNorm2d layer(3, {.affine = affine, .track_running_stats = tracked});
                layer.train(training);
                Tensors inputs{x};
                if (affine) inputs.push_back(layer.weight.copy_(randn({3}, rng)));
                if (affine) inputs.push_back(layer.bias);
                check_gradients([&](const Tensors& in) { return layer(in[0]); }, inputs);
            }
        }
    }
}

// Two steps of torch.nn.BatchNorm2d of torch 2.13 in float64, one in training, one in evaluation.
TEST_CASE("BatchNorm: as PyTorch") {
    Tensor x = empty({2, 3, 2, 2}), dy = empty({2, 3, 2, 2});
    for (Index i = 0; i < 24; ++i) {
        x.mutable_data()[i] = static_cast<Real>(i * 7 % 11 - 5) / 2 + static_cast<Real>(i) / 8;
        dy.mutable_data()[i] = static_cast<Real>(i * 5 % 7 - 3) / 4;
    }
    x.requires_grad_();
    BatchNorm2d layer(3);
    layer.weight.copy_(tensor({1.5, -0.5, 2}));
    layer.bias.copy_(tensor({0.25, 1, -1}));
    const double tolerance = kDouble ? 1e-9 : 1e-5;
    const auto step = [&] {
        for (const Tensor& t : {x, Tensor(layer.weight), Tensor(layer.bias)}) t.set_grad({});
        Tape tape;
        const Tensor y = layer(x);
        tape.backward(sum(y * dy));
        return y;
    };
    check_values(
        step(), {2, 3, 2, 2},
        {-2.56972257,  0.1113251195,  -1.275423685, 1.405624004,   1.126999836,  1.761999014,
         0.5343339359, 1.169333114,   -3.570183813, 0.2521408318,  -1.724923639, -3.701988111,
         1.128274243,  -0.2584745618, 2.422573128,  1.035824323,   1.29633295,   0.06866787172,
         0.7036670501, 1.338666228,   1.701988111,  -0.2750763605, -2.252140832, 1.570183813},
        tolerance);
    check_values(
        x.grad(), {2, 3, 2, 2},
        {-0.3953047841, 0.4655419697,   0.1286659692,  -0.3047861616, -0.2198599901, 0.01433833402,
         0.05826537582, 0.2924636999,   0.08822843564, 0.1648621553,  -0.6746917157, 0.3310145866,
         0.2564980965,  -0.08037790405, -0.5138300348, 0.4435928492,  0.05143707056, 0.09536411236,
         -0.2631034633, -0.02890513924, 0.1303004567,  -0.7092534142, 0.296452888,   0.3730866077},
        tolerance);
    check_values(layer.weight.grad(), {3}, {0.3852080014, -1.206498439, -2.397190671}, tolerance);
    check_values(layer.bias.grad(), {3}, {-1, 0.5, 0.25}, tolerance);
    check_values(layer.running_mean, {3}, {0.13125, 0.1375, 0.14375}, tolerance);
    check_values(layer.running_var, {3}, {1.370089286, 1.149107143, 1.311160714}, tolerance);

    layer.eval();
    const Tensor y = step();
    CHECK(static_cast<double>(y.at({1, 2, 1, 1})) == doctest::Approx(5.517105086).epsilon(1e-5));
    CHECK(static_cast<double>(x.grad().at({1, 2, 0, 1})) ==
          doctest::Approx(-1.309970872).epsilon(1e-5));
    check_values(layer.weight.grad(), {3}, {-0.3417306805, -1.084453188, -3.688386735}, tolerance);
    check_values(layer.bias.grad(), {3}, {-1, 0.5, 0.25}, tolerance);
}

TEST_CASE("BatchNorm: bad shapes and options") {
    BatchNorm1d one(3);
    BatchNorm2d two(64);
    check_error(
        [&] {
            one(zeros({4, 2}));
        },
        {"BatchNorm1d: expected x [N, 3] or [N, 3, L], got [4, 2]"});
    check_error([&] { one(zeros({4, 3, 2, 2})); }, {"BatchNorm1d: expected", "[4, 3, 2, 2]"});
    check_error([&] { one(zeros({3})); }, {"BatchNorm1d: expected", "got [3]"});
    check_error(
        [&] {
            two(zeros({8, 32, 5, 5}));
        },
        {"BatchNorm2d: expected x [N, 64, H, W], got [8, 32, 5, 5]"});
    check_error([&] { two(zeros({8, 64})); }, {"BatchNorm2d: expected", "got [8, 64]"});
    check_error([&] { two(zeros({64, 5, 5})); }, {"BatchNorm2d: expected", "got [64, 5, 5]"});

    check_error(
        [&] {
            one(zeros({1, 3}));
        },
        {"BatchNorm1d: batch_norm: x [1, 3] has 1 value for each channel", "use a larger batch"});
    check_values(one.num_batches_tracked, {}, {0});  // not counted
    one.eval();
    CHECK(one(zeros({1, 3})).shape() == Shape{1, 3});
    check_error([&] { one(Tensor()); }, {"this tensor is undefined"});

    check_error([] { BatchNorm1d(0); }, {"BatchNorm1d(0): expected at least one feature"});
    const Tensor features = zeros({2, 4}), images = zeros({2, 4, 1, 1});
    check_error([&] { BatchNorm2d(4, {.eps = -1e-5})(images); },
                {"BatchNorm2d: batch_norm: expected eps >= 0, got -1e-05"});
    check_error([&] { BatchNorm1d(4, {.eps = 0})(features); },
                {"BatchNorm1d: batch_norm: training needs eps > 0"});
    check_error([&] { BatchNorm2d(4, {.momentum = -0.1})(images); },
                {"BatchNorm2d: batch_norm: expected a momentum from 0 to 1, got -0.1"});
    check_error([&] { BatchNorm2d(4, {.momentum = 1.1})(images); },
                {"expected a momentum from 0 to 1"});
}

TEST_CASE("BatchNorm: description") {
    CHECK(BatchNorm2d(64).describe() ==
          "BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, bias=True, "
          "track_running_stats=True)");
    CHECK(BatchNorm2d(32, {.relu = true}).describe() ==
          "BatchNorm2d(32, eps=1e-05, momentum=0.1, affine=True, bias=True, "
          "track_running_stats=True, "
          "relu=True)");
    CHECK(
        BatchNorm1d(
            3,
            {.eps = 0.001, .momentum = std::nullopt, .affine = false, .track_running_stats = false})
            .describe() ==
        "BatchNorm1d(3, eps=0.001, momentum=None, affine=False, bias=False, "
        "track_running_stats=False)");
}

TEST_CASE("BatchNorm: moved, it keeps what it has") {
    static_assert(!std::is_copy_constructible_v<BatchNorm2d>);
    BatchNorm1d layer(2);
    layer(features());
    BatchNorm1d moved = std::move(layer);
    moved(features());
    check_values(moved.num_batches_tracked, {}, {2});
    check_values(moved.running_mean, {2}, {0.76, 1.9});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

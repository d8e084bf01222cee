#include <functional>
#include <limits>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

constexpr double inf = std::numeric_limits<double>::infinity();

const std::vector<Shape> kShapes{{1},
                                 {7},
                                 {3, 4},
                                 {4, 1},
                                 {2, 3, 5},
                                 {1, 3, 1},
                                 {2, 1, 3, 2},
                                 {2, 3, 1, 2, 2},
                                 {2, 1, 2, 2, 1, 3},
                                 {301, 3},
                                 {3, 130}};

// The ops over all elements; each has a second overload, so a list must say which is meant.
using OverAll = Tensor (*)(const Tensor&);
const std::vector<OverAll> kSums{sum, mean};

// Calls f with the values of every line of x along `dim`, in the order of the result.
void for_each_line(const Tensor& x, int dim,
                   const std::function<void(const std::vector<double>&)>& f) {
    dim = x.shape().normalize(dim);
    const Index outer = x.shape().slice(0, dim).numel(), n = x.shape()[dim];
    const Index inner = x.shape().slice(dim + 1, x.rank()).numel();
    for (Index o = 0; o < outer; ++o) {
        for (Index i = 0; i < inner; ++i) {
            std::vector<double> line;
            for (Index j = 0; j < n; ++j) {
                line.push_back(static_cast<double>(x.data()[(o * n + j) * inner + i]));
            }
            f(line);
        }
    }
}

std::vector<double> grad_of(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    x.requires_grad_();
    x.set_grad({});
    Tape tape;
    tape.backward(f(x));
    return {x.grad().values().begin(), x.grad().values().end()};
}

}  // namespace

TEST_CASE("sum: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    check_values(sum(x), {}, {21});
    check_values(sum(x, 0), {3}, {5, 7, 9});
    check_values(sum(x, 1), {2}, {6, 15});
    check_values(sum(x, -1, true), {2, 1}, {6, 15});
    check_values(sum(x, -2, true), {1, 3}, {5, 7, 9});
    check_values(sum(reshape(x, {1, 2, 3}), 1), {1, 3}, {5, 7, 9});
    check_values(sum(Tensor(4)), {}, {4});
    check_values(sum(tensor({7}), 0), {}, {7});
}

TEST_CASE("mean: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    check_values(mean(x), {}, {3.5});
    check_values(mean(x, 0), {3}, {2.5, 3.5, 4.5});
    check_values(mean(x, 1), {2}, {2, 5});
    check_values(mean(x, -1, true), {2, 1}, {2, 5});
    check_values(mean(Tensor(4)), {}, {4});
}

TEST_CASE("max and argmax: worked out by hand") {
    const Tensor x = tensor({1, 6, 3, 4, 5, 2}, {2, 3});
    check_values(max(x), {}, {6});
    check_values(max(x, 0), {3}, {4, 6, 3});
    check_values(max(x, 1), {2}, {6, 5});
    check_values(max(x, -1, true), {2, 1}, {6, 5});
    check_values(max(Tensor(-4)), {}, {-4});
    const auto positions = [](const IntTensor& found, const Shape& shape,
                              const std::vector<Index>& want) {
        CHECK(found.shape == shape);
        CHECK(found.values == want);
    };
    positions(argmax(x), {}, {1});
    positions(argmax(x, 0), {3}, {1, 0, 0});
    positions(argmax(x, 1), {2}, {1, 1});
    positions(argmax(x, -2, true), {1, 3}, {1, 0, 0});
    positions(argmax(neg(x)), {}, {0});
    positions(argmax(Tensor(3)), {}, {0});
}

TEST_CASE("reduce: every op along every dimension, against the definition") {
    Rng rng(1);
    for (const Shape& shape : kShapes) {
        const Tensor x = randn(shape, rng);
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            for (const bool keepdim : {false, true}) {
                CAPTURE(shape.str());
                CAPTURE(dim);
                const Tensor total = sum(x, dim, keepdim), average = mean(x, dim, keepdim);
                const Tensor largest = max(x, dim, keepdim);
                const IntTensor position = argmax(x, dim, keepdim);
                const Shape expected = keepdim ? shape.with(dim, 1) : shape.without(dim);
                REQUIRE(total.shape() == expected);
                REQUIRE(average.shape() == expected);
                REQUIRE(largest.shape() == expected);
                REQUIRE(position.shape == expected);
                Index at = 0;
                for_each_line(x, dim, [&](const std::vector<double>& line) {
                    double want = 0;
                    Index best = 0;
                    for (std::size_t j = 0; j < line.size(); ++j) {
                        want += line[j];
                        if (line[j] > line[static_cast<std::size_t>(best)])
                            best = static_cast<Index>(j);
                    }
                    CHECK(static_cast<double>(total.data()[at]) ==
                          doctest::Approx(want).epsilon(kTolerance));
                    CHECK(static_cast<double>(average.data()[at]) ==
                          doctest::Approx(want / static_cast<double>(line.size()))
                              .epsilon(kTolerance));
                    CHECK(static_cast<double>(largest.data()[at]) ==
                          line[static_cast<std::size_t>(best)]);
                    CHECK(position.values[static_cast<std::size_t>(at)] == best);
                    ++at;
                });
            }
        }
    }
}

TEST_CASE("reduce: over all elements is over the flattened tensor") {
    Rng rng(2);
    for (const Shape& shape : kShapes) {
        CAPTURE(shape.str());
        const Tensor x = randn(shape, rng), flat = flatten(x);
        CHECK(sum(x).item() == sum(flat, 0).item());
        CHECK(mean(x).item() == mean(flat, 0).item());
        CHECK(max(x).item() == max(flat, 0).item());
        CHECK(argmax(x).values == argmax(flat, 0).values);
    }
}

TEST_CASE("reduce: beyond one chunk of work") {
    constexpr Index n = 100'003;
    const Tensor x = empty({n});
    for (Index i = 0; i < n; ++i) x.mutable_data()[i] = Real(i % 7);
    x.mutable_data()[n - 2] = 100;
    double want = 0;
    for (Real v : x.values()) want += static_cast<double>(v);
    CHECK(static_cast<double>(sum(x).item()) == want);
    CHECK(max(x).item() == 100);
    CHECK(argmax(x).values == std::vector<Index>{n - 2});
}

TEST_CASE("sum: small addends are not lost beside a large one") {
    // In float, 10^8 + 1 is 10^8 again; 10^8 + 1000 is not.
    const Tensor x = ones({1001, 2});
    x.mutable_data()[0] = x.mutable_data()[1] = Real(1e8);
    check_values(sum(x), {}, {2e8 + 2000}, 0);
    check_values(sum(x, 0), {2}, {1e8 + 1000, 1e8 + 1000}, 0);
    check_values(sum(transpose(x, 0, 1), 1), {2}, {1e8 + 1000, 1e8 + 1000}, 0);
}

TEST_CASE("sum and mean: NaN and infinity propagate, in their own line only") {
    const Tensor x = tensor({1, NAN, 2, inf, 5, 6, inf, -inf, 7}, {3, 3});
    check_values(sum(x, 1), {3}, {NAN, inf, NAN});
    check_values(mean(x, 0), {3}, {inf, NAN, 5});
    check_values(sum(x), {}, {NAN});
}

TEST_CASE("max: a NaN counts as the largest, the first of several is found") {
    const Tensor x = tensor({1, NAN, inf, NAN, -inf, -inf, -inf, -inf, 2, 9, 9, 3}, {3, 4});
    check_values(max(x, 1), {3}, {NAN, -inf, 9});
    CHECK(argmax(x, 1).values == std::vector<Index>{1, 0, 1});
    check_values(max(x), {}, {NAN});
    CHECK(argmax(x).values == std::vector<Index>{1});
    CHECK(argmax(tensor({NAN, 1, NAN})).values == std::vector<Index>{0});
    CHECK(argmax(tensor({0, -0.0, 0})).values == std::vector<Index>{0});
}

TEST_CASE("reduce: gradients along every dimension") {
    Rng rng(3);
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 4}, Shape{4, 1}, Shape{2, 3, 5},
                               Shape{2, 1, 3, 2}, Shape{2, 2, 1, 3, 2}, Shape{2, 1, 2, 2, 1, 3}}) {
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            for (const bool keepdim : {false, true}) {
                CAPTURE(shape.str());
                CAPTURE(dim);
                check_gradients([=](const Inputs& x) { return sum(x[0], dim, keepdim); },
                                {randn(shape, rng)});
                check_gradients([=](const Inputs& x) { return mean(x[0], dim, keepdim); },
                                {randn(shape, rng)});
                check_gradients([=](const Inputs& x) { return max(x[0], dim, keepdim); },
                                {randn(shape, rng)});
            }
        }
        check_gradients([](const Inputs& x) { return sum(x[0]); }, {randn(shape, rng)});
        check_gradients([](const Inputs& x) { return mean(x[0]); }, {randn(shape, rng)});
        check_gradients([](const Inputs& x) { return max(x[0]); }, {randn(shape, rng)});
    }
    for (const OverAll f : std::initializer_list<OverAll>{sum, mean, max}) {
        check_gradients([=](const Inputs& x) { return f(x[0]); }, {Tensor(1.5)});
    }
    check_gradients([](const Inputs& x) { return mul(x[0], sum(x[0], 1, true)); },
                    {randn({3, 4}, rng)});
    check_gradients([](const Inputs& x) { return sub(max(x[0]), mean(x[0])); },
                    {randn({3, 4}, rng)});
}

TEST_CASE("reduce: gradients worked out by hand") {
    const Tensor x = tensor({1, 6, 3, 4, 5, 2}, {2, 3});
    const auto sum_rows = [](const Tensor& t) { return sum(mul(sum(t, 1), tensor({10, 20}))); };
    CHECK(grad_of(sum_rows, x) == std::vector<double>{10, 10, 10, 20, 20, 20});
    const auto mean_columns = [](const Tensor& t) {
        return sum(mul(mean(t, 0), tensor({2, 4, 6})));
    };
    CHECK(grad_of(mean_columns, x) == std::vector<double>{1, 2, 3, 1, 2, 3});
    const auto max_rows = [](const Tensor& t) { return sum(mul(max(t, 1), tensor({10, 20}))); };
    CHECK(grad_of(max_rows, x) == std::vector<double>{0, 10, 0, 0, 20, 0});
    CHECK(grad_of([](const Tensor& t) { return mul(max(t), 3); }, x) ==
          std::vector<double>{0, 3, 0, 0, 0, 0});
}

TEST_CASE("max: how the gradient goes where several are the largest") {
    // Over all elements it is shared evenly ...
    const auto over_all = [](const Tensor& t) { return mul(max(t), 6); };
    CHECK(grad_of(over_all, tensor({2, 5, 5, 1, 5})) == std::vector<double>{0, 2, 2, 0, 2});
    CHECK(grad_of(over_all, tensor({-inf, -inf})) == std::vector<double>{3, 3});
    CHECK(grad_of(over_all, tensor({1, NAN, inf, NAN})) == std::vector<double>{0, 3, 0, 3});
    // ... along a dimension the first one gets it. As in PyTorch.
    const auto along = [](const Tensor& t) { return sum(mul(max(t, 1), 6)); };
    CHECK(grad_of(along, tensor({5, 5, 2, 1, 7, 7}, {2, 3})) ==
          std::vector<double>{6, 0, 0, 0, 6, 0});
    CHECK(grad_of(along, tensor({1, NAN, NAN}, {1, 3})) == std::vector<double>{0, 6, 0});
}

TEST_CASE("reduce: nothing sums to 0, has no mean and no maximum") {
    check_values(sum(zeros({0})), {}, {0});
    check_values(sum(zeros({2, 0}), 1), {2}, {0, 0});
    check_values(sum(zeros({0, 2}), 0, true), {1, 2}, {0, 0});
    CHECK(sum(zeros({2, 0}), 0).shape() == Shape{0});
    check_values(mean(zeros({0})), {}, {NAN});
    check_values(mean(zeros({2, 0}), 1), {2}, {NAN, NAN});
    CHECK(mean(zeros({2, 0}), 0).shape() == Shape{0});
    check_error([] { max(zeros({0})); }, {"max: shape [0] has no element to be the largest"});
    check_error([] { max(zeros({2, 0})); }, {"max: shape [2, 0] has no element"});
    check_error([] { max(zeros({2, 0}), 1); }, {"max: shape [2, 0] has no element"});
    check_error([] { argmax(zeros({2, 0})); }, {"argmax: shape [2, 0] has no element"});
    check_error([] { argmax(zeros({2, 0}), -1); }, {"argmax: shape [2, 0] has no element"});
    // Without lines there is nothing to ask for.
    CHECK(max(zeros({2, 0}), 0).shape() == Shape{0});
    CHECK(argmax(zeros({0, 3}), 1).shape == Shape{0});
    CHECK(max(zeros({0, 0}), 0).shape() == Shape{0});

    for (const OverAll f : kSums) {
        CHECK(grad_of([=](const Tensor& t) { return f(t); }, zeros({2, 0})).empty());
        CHECK(grad_of([=](const Tensor& t) { return sum(f(t)); }, zeros({0})).empty());
    }
    CHECK(grad_of([](const Tensor& t) { return sum(max(t, 0)); }, zeros({2, 0})).empty());
    CHECK(grad_of([](const Tensor& t) { return sum(mean(t, 1)); }, zeros({2, 0})).empty());
}

TEST_CASE("argmax: is not recorded") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    Tape tape;
    argmax(x);
    argmax(x, 0);
    CHECK(tape.size() == 0);
}

TEST_CASE("reduce: a dimension that does not exist") {
    check_error(
        [] {
            sum(zeros({2, 3}), 2);
        },
        {"sum: expected a dimension from -2 to 1 for the shape [2, 3], got 2"});
    check_error([] { mean(zeros({2, 3}), -3); }, {"mean: expected a dimension", "got -3"});
    check_error([] { max(zeros({2, 3}), 2); }, {"max: expected a dimension", "got 2"});
    check_error([] { argmax(zeros({2, 3}), 2); }, {"argmax: expected a dimension", "got 2"});
    check_error([] { sum(Tensor(1), 1); }, {"sum: expected a dimension from -1 to 0"});
    check_error([] { sum(Tensor()); }, {"undefined"});
    check_error([] { mean(Tensor(), 0); }, {"undefined"});
    check_error([] { max(Tensor()); }, {"undefined"});
    check_error([] { argmax(Tensor()); }, {"undefined"});
}

}  // namespace primer

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <primer/core/kernels/reduce.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

constexpr double inf = std::numeric_limits<double>::infinity();

struct Line {
    Shape shape;
    int dim;
};

const std::vector<Line> kLines{
    {{5}, 0},
    {{1}, 0},
    {{1}, -1},
    {{3, 4}, 0},
    {{3, 4}, 1},
    {{3, 4}, -1},
    {{3, 1}, 1},
    {{2, 3, 5}, 0},
    {{2, 3, 5}, 1},
    {{2, 3, 5}, -1},
    {{2, 3, 5}, -3},
    {{1, 7, 1}, 1},
    {{2, 1, 3, 2}, -2},
    {{2, 2, 1, 3, 2}, 3},
    {{1, 2, 2, 1, 2, 3}, 2},
    {{0}, 0},
    {{0, 3}, 1},
    {{3, 0}, 1},
    {{2, 0, 3}, 0},
};

// softmax and its logarithm by their definition, ignoring overflow.
std::vector<double> by_definition(const Tensor& x, int dim, bool logarithm) {
    dim = x.shape().normalize(dim);
    const Index n = x.shape()[dim], inner = x.shape().slice(dim + 1, x.rank()).numel();
    const auto exp_of = [&](Index i) { return std::exp(static_cast<double>(x.data()[i])); };
    std::vector<double> y(static_cast<std::size_t>(x.numel()));
    for (Index line = 0; line < (n == 0 ? 0 : x.numel() / n); ++line) {
        const Index start = line / inner * n * inner + line % inner;
        double sum = 0;
        for (Index j = 0; j < n; ++j) sum += exp_of(start + j * inner);
        for (Index j = 0; j < n; ++j) {
            const double p = exp_of(start + j * inner) / sum;
            y[static_cast<std::size_t>(start + j * inner)] = logarithm ? std::log(p) : p;
        }
    }
    return y;
}

// Relative to the size of the values, or to 1.
double largest_difference(const Tensor& x, const Tensor& y) {
    double most = 0;
    for (Index i = 0; i < x.numel(); ++i) {
        const auto a = static_cast<double>(x.data()[i]), b = static_cast<double>(y.data()[i]);
        most = std::max(most, std::abs(a - b) / std::max(1.0, std::abs(b)));
    }
    return most;
}

}  // namespace

TEST_CASE("softmax: worked out by hand") {
    // e^0 : e^ln2 : e^ln5 = 1 : 2 : 5
    const double ln2 = std::log(2.0), ln5 = std::log(5.0);
    check_values(softmax(tensor({0, ln2, ln5}), 0), {3}, {0.125, 0.25, 0.625});
    check_values(log_softmax(tensor({0, ln2, ln5}), 0), {3},
                 {std::log(0.125), std::log(0.25), std::log(0.625)});
    // Columns 0 : ln2 and ln5 : 0.
    const Tensor m = tensor({0, ln5, ln2, 0}, {2, 2});
    check_values(softmax(m, 0), {2, 2}, {1.0 / 3, 5.0 / 6, 2.0 / 3, 1.0 / 6});
    check_values(softmax(m, 1), {2, 2}, {1.0 / 6, 5.0 / 6, 2.0 / 3, 1.0 / 3});
    check_values(softmax(m, -2), {2, 2}, {1.0 / 3, 5.0 / 6, 2.0 / 3, 1.0 / 6});
    check_values(softmax(zeros({1, 4}), 1), {1, 4}, {0.25, 0.25, 0.25, 0.25});
    check_values(softmax(tensor({7, -3}, {2, 1}), 1), {2, 1}, {1, 1});
    check_values(log_softmax(tensor({7, -3}, {2, 1}), 1), {2, 1}, {0, 0});
}

TEST_CASE("softmax: gradient worked out by hand") {
    // y = (1/4, 3/4), dy = (1, 0): dx_j = y_j (dy_j - sum dy y) = (1/4 * 3/4, -3/4 * 1/4)
    const Tensor x = tensor({0, std::log(3.0)}).requires_grad_();
    {
        Tape tape;
        tape.backward(sum(slice(softmax(x, 0), 0, 1)));
    }
    check_values(x.grad(), {2}, {3.0 / 16, -3.0 / 16});
    // d log y_0 = dy - y sum(dy) = (1 - 1/4, -3/4)
    x.set_grad({});
    Tape tape;
    tape.backward(sum(slice(log_softmax(x, 0), 0, 1)));
    check_values(x.grad(), {2}, {0.75, -0.75});
}

TEST_CASE("softmax: kernels and definition agree along every dimension") {
    Rng rng(3);
    std::vector<Line> lines = kLines;
    lines.insert(lines.end(), {{{301, 101}, 0},
                               {{301, 101}, 1},
                               {{5, 4001, 2}, 1},
                               {{2, 7, 700}, 1},
                               {{2, 40000, 3}, 1}});
    for (const Line& line : lines) {
        const Shape& shape = line.shape;
        const int dim = line.dim;
        CAPTURE(shape.str());
        CAPTURE(dim);
        const Tensor x = randn(shape, rng);
        for (const bool logarithm : {false, true}) {
            const Tensor y = logarithm ? log_softmax(x, dim) : softmax(x, dim);
            REQUIRE(y.shape() == shape);
            const std::vector<double> expected = by_definition(x, dim, logarithm);
            Index wrong = 0;
            for (Index i = 0; i < y.numel(); ++i) {
                const double want = expected[static_cast<std::size_t>(i)];
                wrong += !(std::abs(static_cast<double>(y.data()[i]) - want) <=
                           kTolerance * std::max(logarithm ? 1.0 : 0.0, std::abs(want)));
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("softmax: the fast kernels and the plain lines agree") {
    using Kernel = void (*)(const kernels::Axis&, const Real*, Real*);
    using Plain = void (*)(Index, Index, const Real*, Real*);
    using BackwardKernel = void (*)(const kernels::Axis&, const Real*, const Real*, Real*);
    using PlainBackward = void (*)(Index, Index, const Real*, const Real*, Real*);
    struct Pair {
        Kernel fast;
        Plain plain;
        BackwardKernel fast_backward;
        PlainBackward plain_backward;
    };
    namespace reference = kernels::reference;
    const std::vector<Pair> pairs{{kernels::softmax, reference::softmax, kernels::softmax_backward,
                                   reference::softmax_backward},
                                  {kernels::log_softmax, reference::log_softmax,
                                   kernels::log_softmax_backward, reference::log_softmax_backward}};
    Rng rng(6);
    const auto check = [&](Index outer, Index n, Index inner) {
        CAPTURE(outer);
        CAPTURE(n);
        CAPTURE(inner);
        const Shape shape{outer, n, inner};
        const Tensor x = mul(randn(shape, rng), 4), dy = randn(shape, rng);
        const kernels::Axis axis(shape, 1);
        for (const Pair& pair : pairs) {
            const Tensor y = empty(shape), plain = empty(shape);
            const Tensor dx = empty(shape), plain_dx = empty(shape);
            pair.fast(axis, x.data(), y.mutable_data());
            pair.fast_backward(axis, y.data(), dy.data(), dx.mutable_data());
            for (Index line = 0; line < outer * inner; ++line) {
                const Index at = line / inner * n * inner + line % inner;
                pair.plain(n, inner, x.data() + at, plain.mutable_data() + at);
                pair.plain_backward(n, inner, y.data() + at, dy.data() + at,
                                    plain_dx.mutable_data() + at);
            }
            CHECK(largest_difference(y, plain) <= kTolerance);
            CHECK(largest_difference(dx, plain_dx) <= kTolerance);
        }
    };
    for (const Index n : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1001, 5003}) {
        for (const Index outer : {1, 2, 5, 301}) check(outer, n, 1);
        for (const Index inner : {2, 3, 15, 16, 17, 32, 33, 40}) check(2, n, inner);
    }
    check(1, 3, 20000);
}

// A row whose gradients are ordinary, and those in which one is not.
TEST_CASE("softmax: gradients that are huge, infinite or NaN, as by the definition") {
    constexpr Real most = std::numeric_limits<Real>::max();
    constexpr auto infinite = static_cast<Real>(inf);
    Rng rng(7);
    for (const Index n : {1, 3, 20, 64, 3000}) {
        for (const Real odd : {Real(1), Real(1e8), Real(1e32), most, -most, infinite, Real(NAN)}) {
            CAPTURE(n);
            CAPTURE(odd);
            for (const bool in_all : {false, true}) {
                const Tensor y = softmax(randn({2, n}, rng), 1);
                Tensor dy = in_all ? full({2, n}, odd) : randn({2, n}, rng);
                dy.mutable_data()[n / 2] = odd;
                Tensor dx = empty({2, n}), plain = empty({2, n});
                kernels::softmax_backward(kernels::Axis(y.shape(), 1), y.data(), dy.data(),
                                          dx.mutable_data());
                for (const Index at : {Index{0}, n}) {
                    kernels::reference::softmax_backward(n, 1, y.data() + at, dy.data() + at,
                                                         plain.mutable_data() + at);
                }
                const double size = std::isfinite(odd) ? std::max(1.0, std::abs(double{odd})) : 1;
                Index wrong = 0;
                for (Index i = 0; i < y.numel(); ++i) {
                    const double got = double{dx.data()[i]}, want = double{plain.data()[i]};
                    const bool same = got == want || (std::isnan(got) && std::isnan(want));
                    wrong += !same &&
                             !(std::abs(got - want) <= 1e-6 * (in_all ? 1e-6 : 1) * size + 1e-6);
                }
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("softmax: gradients along every dimension") {
    Rng rng(4);
    for (const Line& line : kLines) {
        const Shape& shape = line.shape;
        const int dim = line.dim;
        CAPTURE(shape.str());
        CAPTURE(dim);
        check_gradients([=](const Inputs& x) { return softmax(x[0], dim); }, {randn(shape, rng)});
        check_gradients([=](const Inputs& x) { return log_softmax(x[0], dim); },
                        {randn(shape, rng)});
    }
    check_gradients([](const Inputs& x) { return mul(softmax(x[0], 1), log_softmax(x[0], 0)); },
                    {randn({3, 4}, rng)});
}

TEST_CASE("softmax: large inputs neither overflow nor underflow") {
    check_values(softmax(tensor({1e4, 1e4, -1e4}), 0), {3}, {0.5, 0.5, 0});
    check_values(softmax(tensor({-1e4, -1e4 + 1}), 0), {2},
                 {1 / (1 + std::exp(1.0)), 1 / (1 + std::exp(-1.0))});
    check_values(log_softmax(tensor({1e4, -1e4, 1e4}), 0), {3},
                 {-std::log(2.0), -2e4 - std::log(2.0), -std::log(2.0)});
    constexpr auto most = static_cast<double>(std::numeric_limits<Real>::max());
    check_values(softmax(tensor({most, -most}), 0), {2}, {1, 0});
    check_values(log_softmax(tensor({most, 0}), 0), {2}, {0, -most});

    const Tensor x = tensor({1e4, -1e4, 0, 1e4}, {2, 2}).requires_grad_();
    Tape tape;
    tape.backward(sum(mul(add(softmax(x, 1), log_softmax(x, 1)), tensor({1, 2, 3, 4}, {2, 2}))));
    // softmax is flat out there; d log y = dy - y sum(dy), y = (1, 0) and (0, 1).
    check_values(x.grad(), {2, 2}, {1 - 3, 2, 3, 4 - 7});
}

TEST_CASE("softmax: rows sum to 1") {
    Rng rng(5);
    const Tensor totals = sum(softmax(mul(randn({50, 1000}, rng), 5), 1), 1);
    for (Real total : totals.values()) CHECK(total == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("softmax: -inf has no share, NaN and +inf spoil their own line only") {
    check_values(softmax(tensor({0, -inf, 0}), 0), {3}, {0.5, 0, 0.5});
    check_values(log_softmax(tensor({0, -inf, 0}), 0), {3}, {-std::log(2.0), -inf, -std::log(2.0)});
    const Tensor x = tensor({1, NAN, 3, 0, 0, 0, 0, inf, 0, -inf, -inf, -inf}, {4, 3});
    const double third = 1.0 / 3;
    check_values(softmax(x, 1), {4, 3},
                 {NAN, NAN, NAN, third, third, third, NAN, NAN, NAN, NAN, NAN, NAN});
    const double ln3 = std::log(3.0);
    const Tensor y = log_softmax(x, 1);
    check_values(slice(y, 0, 2), {2, 3}, {NAN, NAN, NAN, -ln3, -ln3, -ln3});
    check_values(slice(y, 3, 4), {1, 3}, {NAN, NAN, NAN});

    // The same as 20 columns side by side.
    const Tensor columns = transpose(reshape(expand(x, {5, 4, 3}), {20, 3}), 0, 1).clone();
    for (Index i = 0; i < 20; ++i) {
        CAPTURE(i);
        const auto same = [&](const Tensor& column, const Tensor& row) {
            for (Index k = 0; k < 3; ++k) {
                const auto a = static_cast<double>(column[k].item());
                const auto b = static_cast<double>(row[k].item());
                CHECK((a == doctest::Approx(b).epsilon(1e-6) || (std::isnan(a) && std::isnan(b))));
            }
        };
        same(select(softmax(columns, 0), 1, i), softmax(x, 1)[i % 4]);
        same(select(log_softmax(columns, 0), 1, i), y[i % 4]);
    }
}

TEST_CASE("softmax: a dimension that does not exist") {
    check_error(
        [] {
            softmax(zeros({2, 3}), 2);
        },
        {"softmax: expected a dimension from -2 to 1 for the shape [2, 3], got 2"});
    check_error(
        [] {
            log_softmax(zeros({2, 3}), -3);
        },
        {"log_softmax: expected a dimension from -2 to 1 for the shape [2, 3], got -3"});
    check_error([] { softmax(Tensor(1), 1); }, {"softmax: expected a dimension from -1 to 0"});
    check_error([] { softmax(Tensor(), 0); }, {"undefined"});
    check_error([] { relu(Tensor()); }, {"undefined"});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

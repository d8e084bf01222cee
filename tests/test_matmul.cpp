#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"
#include "system.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

struct Operands {
    Shape a, b, y;
};

const std::vector<Operands> kMatmuls{
    {{2, 3}, {3, 4}, {2, 4}},
    {{1, 1}, {1, 1}, {1, 1}},
    {{5, 1}, {1, 3}, {5, 3}},
    {{1, 7}, {7, 1}, {1, 1}},
    // Batches: both, either one as a matrix, either one as a batch of 1.
    {{3, 2, 5}, {3, 5, 4}, {3, 2, 4}},
    {{2, 5}, {3, 5, 4}, {3, 2, 4}},
    {{3, 2, 5}, {5, 4}, {3, 2, 4}},
    {{1, 2, 5}, {3, 5, 4}, {3, 2, 4}},
    {{3, 2, 5}, {1, 5, 4}, {3, 2, 4}},
    {{1, 2, 5}, {5, 4}, {1, 2, 4}},
    {{1, 2, 5}, {1, 5, 4}, {1, 2, 4}},
    // No rows, no columns, no depth (a sum of nothing: 0), no batch.
    {{0, 3}, {3, 4}, {0, 4}},
    {{2, 3}, {3, 0}, {2, 0}},
    {{2, 0}, {0, 4}, {2, 4}},
    {{0, 2, 5}, {5, 4}, {0, 2, 4}},
    {{2, 5}, {0, 5, 4}, {0, 2, 4}},
    {{2, 3, 0}, {0, 4}, {2, 3, 4}},
    // Vectors: a row on the left, a column on the right.
    {{5}, {5}, {}},
    {{2, 5}, {5}, {2}},
    {{5}, {5, 3}, {3}},
    {{4, 2, 5}, {5}, {4, 2}},
    {{5}, {4, 5, 3}, {4, 3}},
    {{0}, {0}, {}},
    {{2, 0}, {0}, {2}},
    {{0}, {3, 0, 2}, {3, 2}},
    // Batches of several dimensions, repeated on either side or on both.
    {{2, 3, 4, 5}, {2, 3, 5, 2}, {2, 3, 4, 2}},
    {{2, 3, 4, 5}, {5, 2}, {2, 3, 4, 2}},
    {{4, 5}, {2, 3, 5, 2}, {2, 3, 4, 2}},
    {{2, 3, 4, 5}, {3, 5, 2}, {2, 3, 4, 2}},
    {{3, 4, 5}, {2, 1, 5, 2}, {2, 3, 4, 2}},
    {{2, 1, 4, 5}, {1, 3, 5, 2}, {2, 3, 4, 2}},
    {{2, 1, 3, 4, 5}, {3, 1, 5, 2}, {2, 3, 3, 4, 2}},
    {{1, 1, 4, 5}, {2, 1, 3, 1, 5, 2}, {2, 1, 3, 1, 4, 2}},
    {{1, 4, 5}, {1, 1, 1, 5, 2}, {1, 1, 1, 4, 2}},
    {{2, 0, 4, 5}, {2, 1, 5, 2}, {2, 0, 4, 2}},
    {{2, 1, 4, 5}, {0, 5, 2}, {2, 0, 4, 2}},
};

// Products large enough for several threads, one by one or each by itself.
const std::vector<Operands> kLargeMatmuls{
    {{40, 33, 31}, {40, 31, 37}, {40, 33, 37}},
    {{2, 3, 150, 130}, {3, 130, 140}, {2, 3, 150, 140}},
};

Shape batch_of(const Shape& shape) { return shape.slice(0, std::max(0, shape.rank() - 2)); }

// The matrices of x, repeated to the batch [..., rows, columns].
Tensor repeated(const Tensor& x, const Shape& batch, Index rows, Index columns) {
    const Tensor whole = reshape(x, batch_of(x.shape()).concat({rows, columns}));
    return expand(whole, batch.concat({rows, columns}));
}

std::vector<double> by_definition(const Tensor& a, const Tensor& b) {
    const Index m = a.rank() == 1 ? 1 : a.shape()[-2], k = a.shape()[-1];
    const Index n = b.rank() == 1 ? 1 : b.shape()[-1];
    const Shape batch = broadcast(batch_of(a.shape()), batch_of(b.shape()), "the test");
    const Tensor left = repeated(a, batch, m, k), right = repeated(b, batch, k, n);
    std::vector<double> y;
    for (Index s = 0; s < batch.numel(); ++s) {
        for (Index i = 0; i < m; ++i) {
            for (Index j = 0; j < n; ++j) {
                double sum = 0;
                for (Index p = 0; p < k; ++p) {
                    sum += static_cast<double>(left.data()[(s * m + i) * k + p]) *
                           static_cast<double>(right.data()[(s * k + p) * n + j]);
                }
                y.push_back(sum);
            }
        }
    }
    return y;
}

struct LinearShapes {
    Shape x, weight, y;
};

const std::vector<LinearShapes> kLinears{
    {{3}, {4, 3}, {4}},
    {{2, 3}, {4, 3}, {2, 4}},
    {{1, 1}, {1, 1}, {1, 1}},
    {{5, 2, 3}, {4, 3}, {5, 2, 4}},
    {{2, 1, 2, 1, 2, 3}, {2, 3}, {2, 1, 2, 1, 2, 2}},
    {{0, 3}, {4, 3}, {0, 4}},
    {{2, 0, 3}, {4, 3}, {2, 0, 4}},
    {{2, 0}, {4, 0}, {2, 4}},
    {{2, 3}, {0, 3}, {2, 0}},
};

}  // namespace

TEST_CASE("matmul: worked out by hand") {
    const Tensor a = tensor({1, 2, 3, 4, 5, 6}, {2, 3}), b = tensor({7, 8, 9, 10, 11, 12}, {3, 2});
    // 1*7 + 2*9 + 3*11 = 58, 1*8 + 2*10 + 3*12 = 64, 4*7 + 5*9 + 6*11 = 139, 4*8 + ... = 154
    check_values(matmul(a, b), {2, 2}, {58, 64, 139, 154});
    // Two different matrices by the same one.
    check_values(matmul(reshape(concat({a, neg(a)}), {2, 2, 3}), b), {2, 2, 2},
                 {58, 64, 139, 154, -58, -64, -139, -154});
    // And the same one by two different columns.
    check_values(matmul(a, tensor({1, 0, 0, 0, 0, 1}, {2, 3, 1})), {2, 2, 1}, {1, 4, 3, 6});
    check_values(matmul(zeros({2, 0}), zeros({0, 2})), {2, 2}, {0, 0, 0, 0});
}

TEST_CASE("matmul: vectors, and batches that broadcast, worked out by hand") {
    const Tensor a = tensor({1, 2, 3, 4, 5, 6}, {2, 3}), v = tensor({1, 10, 100});
    check_values(matmul(v, v), {}, {10101});
    check_values(matmul(a, v), {2}, {321, 654});
    check_values(matmul(tensor({1, 10}), a), {3}, {41, 52, 63});
    check_values(matmul(reshape(a, {1, 2, 3}), v), {1, 2}, {321, 654});
    // [2, 1] times [3]: two rows, three columns.
    const Tensor rows = tensor({1, 2, 3, 4}, {2, 1, 1, 2});
    const Tensor columns = tensor({1, 0, 0, 1, 1, 1}, {3, 2, 1});
    check_values(matmul(rows, columns), {2, 3, 1, 1}, {1, 2, 3, 3, 4, 7});
}

TEST_CASE("matmul: the definition, for every kind of batch") {
    Rng rng(1);
    std::vector<Operands> all = kMatmuls;
    all.insert(all.end(), kLargeMatmuls.begin(), kLargeMatmuls.end());
    for (const Operands& shapes : all) {
        CAPTURE(shapes.a.str());
        CAPTURE(shapes.b.str());
        const Tensor a = randn(shapes.a, rng), b = randn(shapes.b, rng);
        const Tensor y = matmul(a, b);
        REQUIRE(y.shape() == shapes.y);
        const std::vector<double> expected = by_definition(a, b);
        // A sum of k terms of size 1 has steps in between of about the size of the root of k.
        const double size = std::sqrt(std::max(1.0, static_cast<double>(shapes.a[-1])));
        Index wrong = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double off = static_cast<double>(y.values()[i]) - expected[i];
            wrong += !(std::abs(off) <= kTolerance * std::max(size, std::abs(expected[i])));
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("matmul: the gradients of large batches are those of their products") {
    Rng rng(5);
    for (const Operands& shapes : kLargeMatmuls) {
        const Tensor a = randn(shapes.a, rng).requires_grad_();
        const Tensor b = randn(shapes.b, rng).requires_grad_();
        const Tensor dy = randn(shapes.y, rng);
        {
            Tape tape;
            tape.backward(sum(mul(matmul(a, b), dy)));
        }
        // dy b^T and a^T dy, whose sum over the repetitions the tape takes.
        const Tensor da = matmul(dy, transpose(b, -2, -1)), db = matmul(transpose(a, -2, -1), dy);
        const auto check_close = [](const Tensor& got, const Tensor& want) {
            REQUIRE(got.shape() == want.shape());
            const Tensor off = norm(sub(got, want), std::numeric_limits<double>::infinity());
            CHECK(static_cast<double>(off.item()) <= (kDouble ? 1e-11 : 1e-3));
        };
        check_close(a.grad(), da);
        check_close(b.grad(), b.rank() == dy.rank() ? db : sum(db, 0));
    }
}

TEST_CASE("matmul: gradients, for every kind of batch") {
    Rng rng(2);
    const auto f = [](const Inputs& x) { return matmul(x[0], x[1]); };
    for (const Operands& shapes : kMatmuls) {
        const Shape &a = shapes.a, &b = shapes.b;
        CAPTURE(a.str());
        CAPTURE(b.str());
        check_gradients(f, {randn(a, rng), randn(b, rng)});
        const Tensor other_a = randn(a, rng), other_b = randn(b, rng);
        check_gradients([&](const Inputs& x) { return matmul(x[0], other_b); }, {randn(a, rng)});
        check_gradients([&](const Inputs& x) { return matmul(other_a, x[0]); }, {randn(b, rng)});
    }
    check_gradients([](const Inputs& x) { return matmul(x[0], x[0]); }, {randn({3, 3}, rng)});
    check_gradients([](const Inputs& x) { return matmul(x[0], transpose(x[0], 0, 1)); },
                    {randn({2, 5}, rng)});
}

TEST_CASE("matmul: gradient worked out by hand") {
    const Tensor a = tensor({1, 2, 3, 4}, {2, 2}).requires_grad_();
    const Tensor b = tensor({5, 6, 7, 8}, {2, 2}).requires_grad_();
    Tape tape;
    tape.backward(sum(matmul(a, b)));
    check_values(a.grad(), {2, 2}, {11, 15, 11, 15});  // sums of b's rows
    check_values(b.grad(), {2, 2}, {4, 4, 6, 6});      // sums of a's columns
}

TEST_CASE("matmul: an operand that serves the whole batch gets the sum over it") {
    const Tensor a = tensor({1, 2}, {1, 2}).requires_grad_();
    const Tensor b = ones({3, 2, 1}).requires_grad_();
    Tape tape;
    tape.backward(sum(matmul(a, b)));
    check_values(a.grad(), {1, 2}, {3, 3});
    check_values(b.grad(), {3, 2, 1}, {1, 2, 1, 2, 1, 2});
}

TEST_CASE(
    "matmul: the gradient of an operand that serves the whole batch takes no batch of memory" *
    needs_posix()) {
    const Tensor many_rows = ones({256, 1, 512}), many_columns = ones({256, 512, 1});
    for (const bool first : {false, true}) {
        CAPTURE(first);
        const Tensor w = ones({512, 512}).requires_grad_();  // 1 MB
        CHECK(within_memory(64 << 20, [&] {
                  Tape tape;
                  tape.backward(sum(first ? matmul(w, many_columns) : matmul(many_rows, w)));
                  check(w.grad().at({0, 0}) == 256, "a wrong gradient");
              }) == "");
    }
}

TEST_CASE("matmul: an operand without elements gives the other the gradient 0") {
    const Tensor a = zeros({0, 2, 5}).requires_grad_(), b = ones({5, 4}).requires_grad_();
    Tape tape;
    tape.backward(sum(matmul(a, b)));
    CHECK(a.grad().shape() == Shape{0, 2, 5});
    REQUIRE(b.grad().shape() == Shape{5, 4});
    for (Real v : b.grad().values()) CHECK(v == 0);
}

TEST_CASE("matmul: NaN and infinity are not skipped") {
    // 0 * NaN and 0 * inf are NaN, so a kernel must not skip zeros.
    check_values(matmul(tensor({0, 1, 0, 1}, {2, 2}), tensor({NAN, 1, 2, 3}, {2, 2})), {2, 2},
                 {NAN, 3, NAN, 3});
    constexpr double inf = std::numeric_limits<double>::infinity();
    check_values(matmul(tensor({1, 0, 1, 2}, {2, 2}), tensor({1, inf, inf, 1}, {2, 2})), {2, 2},
                 {NAN, inf, inf, inf});
}

TEST_CASE("matmul: shapes that do not fit are errors that name both") {
    check_error(
        [] {
            matmul(zeros({2, 3}), zeros({4, 5}));
        },
        {"matmul: [2, 3] x [4, 5]", "but 3 is not 4", "did you forget transpose()?"});
    check_error(
        [] {
            matmul(zeros({2, 2, 3}), zeros({3, 3, 4}));
        },
        {"matmul: [2, 2, 3] x [3, 3, 4]", "batch sizes must be equal or one of them 1", "2 and 3"});
    check_error(
        [] {
            matmul(zeros({2, 3, 4, 5}), zeros({4, 1, 5, 6}));
        },
        {"matmul: [2, 3, 4, 5] x [4, 1, 5, 6]", "but they are 2 and 4"});
    check_error([] { matmul(zeros({0, 2, 3}), zeros({2, 3, 4})); }, {"batch sizes", "0 and 2"});
    check_error(
        [] {
            matmul(zeros({4}), zeros({3, 2}));
        },
        {"matmul: [4] x [3, 2]", "the last but one of the second, but 4 is not 3"});
    check_error(
        [] {
            matmul(zeros({2, 3}), zeros({2}));
        },
        {"matmul: [2, 3] x [2]", "must be the only one of the second, but 3 is not 2"});
    check_error([] { matmul(zeros({4}), zeros({3})); }, {"but 4 is not 3"});
    check_error(
        [] {
            matmul(Tensor(2), zeros({3, 2}));
        },
        {"matmul: expected at least one dimension on each side, got [] and [3, 2]",
         "to multiply by a number, write *"});
    check_error([] { matmul(zeros({3}), Tensor(2)); }, {"got [3] and []"});
    check_error([] { matmul(Tensor(), zeros({3, 2})); }, {"undefined"});
}

TEST_CASE("linear: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    const Tensor w = tensor({1, 0, -1, 2, 2, 2}, {2, 3}), b = tensor({10, 20});
    // Rows of x times rows of w: 1 - 3, 2 (1 + 2 + 3), 4 - 6, 2 (4 + 5 + 6)
    check_values(linear(x, w, {}), {2, 2}, {-2, 12, -2, 30});
    check_values(linear(x, w, b), {2, 2}, {8, 32, 8, 50});
    check_values(linear(tensor({1, 2, 3}), w, b), {2}, {8, 32});
    check_values(linear(reshape(x, {1, 2, 1, 3}), w, b), {1, 2, 1, 2}, {8, 32, 8, 50});
    check_values(linear(zeros({2, 0}), zeros({2, 0}), b), {2, 2}, {10, 20, 10, 20});
    check_values(linear(zeros({2, 0}), zeros({2, 0}), {}), {2, 2}, {0, 0, 0, 0});
}

// Calls check(shapes, x, weight, bias) for each of kLinears.
template <class Check>
void for_each_linear(Rng& rng, Check check) {
    for (const LinearShapes& shapes : kLinears) {
        const Shape &x_shape = shapes.x, &w_shape = shapes.weight;
        CAPTURE(x_shape.str());
        CAPTURE(w_shape.str());
        const Tensor x = randn(x_shape, rng), w = randn(w_shape, rng);
        const Tensor b = randn({w_shape[0]}, rng);
        check(shapes, x, w, b);
    }
}

TEST_CASE("linear: x W^T + b, over any leading dimensions, with and without bias") {
    Rng rng(3);
    for_each_linear(
        rng, [&](const LinearShapes& shapes, const Tensor& x, const Tensor& w, const Tensor& b) {
            const Index in = shapes.weight[1], out = shapes.weight[0];
            const Index rows = shapes.x.slice(0, shapes.x.rank() - 1).numel();
            for (const bool with_bias : {false, true}) {
                const Tensor y = linear(x, w, with_bias ? b : Tensor());
                REQUIRE(y.shape() == shapes.y);
                for (Index r = 0; r < rows; ++r) {
                    for (Index o = 0; o < out; ++o) {
                        double sum = with_bias ? static_cast<double>(b.data()[o]) : 0;
                        for (Index i = 0; i < in; ++i) {
                            sum += static_cast<double>(x.data()[r * in + i]) *
                                   static_cast<double>(w.data()[o * in + i]);
                        }
                        CHECK(static_cast<double>(y.data()[r * out + o]) ==
                              doctest::Approx(sum).epsilon(kTolerance));
                    }
                }
            }
        });
}

TEST_CASE("linear: gradients, with and without bias, together and each alone") {
    Rng rng(4);
    for_each_linear(
        rng, [](const LinearShapes&, const Tensor& x, const Tensor& w, const Tensor& b) {
            check_gradients([](const Inputs& v) { return linear(v[0], v[1], v[2]); },
                            {x.clone(), w.clone(), b.clone()});
            check_gradients([](const Inputs& v) { return linear(v[0], v[1], {}); },
                            {x.clone(), w.clone()});
            check_gradients([&](const Inputs& v) { return linear(v[0], w, b); }, {x.clone()});
            check_gradients([&](const Inputs& v) { return linear(x, v[0], b); }, {w.clone()});
            check_gradients([&](const Inputs& v) { return linear(x, w, v[0]); }, {b.clone()});
        });
    check_gradients([](const Inputs& v) { return linear(v[0], v[0], {}); }, {randn({3, 4}, rng)});
}

TEST_CASE("linear: shapes that do not fit are errors that name them and the usual cause") {
    check_error(
        [] {
            linear(zeros({64, 1, 28, 28}), zeros({10, 784}), zeros({10}));
        },
        {"linear: expected x [*, 784] for the weight [10, 784], got [64, 1, 28, 28]",
         "did you forget Flatten?"});
    check_error(
        [] {
            linear(Tensor(1), zeros({2, 1}), {});
        },
        {"linear: expected x [*, 1]", "got []"});
    check_error(
        [] {
            linear(zeros({2, 3}), zeros({3}), {});
        },
        {"linear: expected a weight [out, in], got [3]"});
    check_error([] { linear(zeros({2, 3}), zeros({1, 4, 3}), {}); }, {"got [1, 4, 3]"});
    check_error(
        [] {
            linear(zeros({2, 3}), zeros({4, 3}), zeros({3}));
        },
        {"linear: expected a bias [4] for the weight [4, 3], got [3]"});
    check_error([] { linear(zeros({2, 3}), zeros({4, 3}), zeros({1, 4})); }, {"got [1, 4]"});
    check_error([] { linear(zeros({2, 3}), zeros({1, 3}), 0); }, {"got []"});
    check_error([] { linear(Tensor(), zeros({4, 3}), {}); }, {"undefined"});
    check_error([] { linear(zeros({2, 3}), Tensor(), {}); }, {"undefined"});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

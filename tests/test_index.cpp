#include <functional>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

TEST_CASE("index_select: worked out by hand") {
    const Tensor x = reshape(arange(12), {2, 3, 2});
    check_values(index_select(x, 0, {1, 1, 0}), {3, 3, 2},
                 {6, 7, 8, 9, 10, 11, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5});
    check_values(index_select(x, 1, {2, 0}), {2, 2, 2}, {4, 5, 0, 1, 10, 11, 6, 7});
    check_values(index_select(x, -1, {1}), {2, 3, 1}, {1, 3, 5, 7, 9, 11});
    check_values(index_select(x, 0, IntTensor(Shape{}, {1})), {1, 3, 2}, {6, 7, 8, 9, 10, 11});
    check_values(index_select(Tensor(3), -1, {0}), {}, {3});
    CHECK(index_select(x, 1, IntTensor()).shape() == Shape{2, 0, 2});
    CHECK(index_select(zeros({0, 3}), 1, {2}).shape() == Shape{0, 1});
    CHECK(index_select(zeros({3, 0}), 0, {2, 2}).shape() == Shape{2, 0});
    CHECK(index_select(zeros({0, 3}), 0, IntTensor()).shape() == Shape{0, 3});
}

TEST_CASE("index_select: what does not fit") {
    const Tensor x = zeros({2, 3});
    check_error(
        [&] {
            index_select(x, 1, {0, 3});
        },
        {"index_select: index 3, at position 1 of the indices [2], is outside dimension 1 of shape "
         "[2, 3]"});
    check_error([&] { index_select(x, 0, {-1}); },
                {"index_select: index -1, at position 0", "indices count from 0"});
    check_error(
        [&] {
            index_select(x, 0, IntTensor({1, 2}, {0, 0}));
        },
        {"index_select: expected indices [n], got [1, 2]"});
    check_error([&] { index_select(x, 2, {0}); }, {"index_select: expected a dimension", "got 2"});
    check_error(
        [] {
            index_select(Tensor(1), 0, {0, 0});
        },
        {"index_select: expected one index for a scalar, got 2"});
    check_error([] { index_select(zeros({0}), 0, {0}); }, {"is outside dimension 0 of shape [0]"});
    IntTensor broken{0, 1};
    broken.values.pop_back();
    check_error([&] { index_select(x, 0, broken); }, {"index_select: IntTensor: "});
}

TEST_CASE("index_select: gradients") {
    const Tensor x = zeros({3, 2}).requires_grad_();
    {
        Tape tape;
        tape.backward(sum(index_select(x, 0, {2, 0, 2}) * tensor({1, 2, 3, 4, 5, 6}, {3, 2})));
    }
    check_values(x.grad(), {3, 2}, {3, 4, 0, 0, 1 + 5, 2 + 6});

    Rng rng(1);
    for (const Shape& shape : {Shape{3, 3, 4}, Shape{3, 3, 0}, Shape{4, 5}, Shape{3}}) {
        for (int dim = 0; dim < std::min(shape.rank(), 2); ++dim) {
            CAPTURE(shape.str());
            CAPTURE(dim);
            check_gradients(
                [=](const Inputs& in) {
                    return index_select(in[0], dim, {2, 0, 2, 2});
                },
                {randn(shape, rng)});
            check_gradients([=](const Inputs& in) { return index_select(in[0], dim, IntTensor()); },
                            {randn(shape, rng)});
        }
    }
    check_gradients([](const Inputs& in) { return index_select(in[0], 0, {0}); }, {randn({}, rng)});
}

TEST_CASE("index_select: the same bits for any number of threads, added up in order") {
    Rng rng(2);
    const Index rows = 700, width = 90, count = 5000;
    std::vector<Index> picked;
    for (Index i = 0; i < count; ++i) picked.push_back(rng.below(rows));
    const Tensor dy = randn({count, width}, rng);
    Tensor expected = zeros({rows, width});
    Real* to = expected.mutable_data();
    for (Index j = 0; j < count; ++j) {
        for (Index i = 0; i < width; ++i) {
            to[picked[static_cast<std::size_t>(j)] * width + i] += dy.data()[j * width + i];
        }
    }
    const int before = num_threads();
    for (const int threads : {1, 2, 5}) {
        set_num_threads(threads);
        const Tensor x = zeros({rows, width}).requires_grad_();
        Tape tape;
        tape.backward(sum(index_select(x, 0, picked) * dy));
        CHECK(std::ranges::equal(x.grad().values(), expected.values()));
    }
    set_num_threads(before);
}

TEST_CASE("embedding: worked out by hand") {
    const Tensor weight = tensor({1, 2, 3, 4, 5, 6}, {3, 2});
    check_values(embedding({2, 0}, weight), {2, 2}, {5, 6, 1, 2});
    check_values(embedding(IntTensor({2, 2}, {1, 1, 0, 2}), weight), {2, 2, 2},
                 {3, 4, 3, 4, 1, 2, 5, 6});
    check_values(embedding(IntTensor(Shape{}, {1}), weight), {2}, {3, 4});
    check_values(embedding({0, 1}, weight, {.padding_idx = 0}), {2, 2}, {1, 2, 3, 4});
    CHECK(embedding(IntTensor(), weight).shape() == Shape{0, 2});
    CHECK(embedding({1, 1}, zeros({2, 0})).shape() == Shape{2, 0});
    check_error(
        [&] {
            embedding(IntTensor({2, 1}, {0, 3}), weight);
        },
        {"embedding: index 3, at position 1 of the indices [2, 1] flattened, is outside dimension "
         "0 of shape [3, 2]"});
    check_error([&] { embedding({-1}, weight); }, {"embedding: index -1", "count from 0"});
    check_error([&] { embedding({0}, zeros({3})); },
                {"embedding: expected a weight [rows, columns], got [3]"});
    for (const Index padding : {3, -4}) {
        check_error([&] { embedding({0}, weight, {.padding_idx = padding}); },
                    {"embedding: expected a padding_idx from -3 to 2 for the weight [3, 2], got "});
    }
}

TEST_CASE("embedding: gradients, of which the padding has none") {
    Rng rng(3);
    const IntTensor indices({2, 3}, {3, 0, 3, 1, 3, 0});
    check_gradients([&](const Inputs& in) { return embedding(indices, in[0]); },
                    {randn({4, 3}, rng)});
    for (const Index padding : {0, 3, -1, -4}) {
        CAPTURE(padding);
        const Tensor weight = randn({4, 2}, rng).requires_grad_();
        Tape tape;
        tape.backward(sum(embedding(indices, weight, {.padding_idx = padding})));
        const bool last = padding == 3 || padding == -1;
        check_values(weight.grad(), {4, 2},
                     {last ? 2.0 : 0, last ? 2.0 : 0, 1, 1, 0, 0, last ? 0 : 3.0, last ? 0 : 3.0});
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

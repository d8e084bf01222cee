#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

bool share_memory(const Tensor& x, const Tensor& y) { return x.impl().storage == y.impl().storage; }

void check_equal(const Tensor& x, const Shape& shape, const Tensor& expected) {
    REQUIRE(x.shape() == shape);
    REQUIRE(x.numel() == expected.numel());
    Index wrong = 0;
    for (Index i = 0; i < x.numel(); ++i) wrong += x.data()[i] != expected.data()[i];
    CHECK(wrong == 0);
}

std::vector<Index> position_of(Index flat, const Shape& shape) {
    std::vector<Index> position(static_cast<std::size_t>(shape.rank()));
    for (int d = shape.rank() - 1; d >= 0; --d) {
        position[static_cast<std::size_t>(d)] = flat % shape[d];
        flat /= shape[d];
    }
    return position;
}

Index flat_of(const std::vector<Index>& position, const Shape& shape) {
    Index flat = 0;
    for (int d = 0; d < shape.rank(); ++d) {
        flat = flat * shape[d] + position[static_cast<std::size_t>(d)];
    }
    return flat;
}

}  // namespace

TEST_CASE("reshape: the same values in the same memory") {
    const Tensor x = arange(6);
    const Tensor y = reshape(x, {2, 3});
    check_values(y, {2, 3}, {0, 1, 2, 3, 4, 5});
    CHECK(share_memory(x, y));
    CHECK(reshape(x, {6, 1, 1}).shape() == Shape{6, 1, 1});
    CHECK(reshape(Tensor(3), {1, 1}).shape() == Shape{1, 1});
    CHECK(reshape(zeros({1, 1}), std::initializer_list<Index>{}).shape() == Shape{});
    CHECK(reshape(zeros({2, 0}), {0, 5, 7}).shape() == Shape{0, 5, 7});
    const std::vector<Index> sizes{3, 2};
    CHECK(reshape(x, sizes).shape() == Shape{3, 2});
}

TEST_CASE("reshape: one size can be computed") {
    const Tensor x = arange(12);
    CHECK(reshape(x, {-1}).shape() == Shape{12});
    CHECK(reshape(x, {3, -1}).shape() == Shape{3, 4});
    CHECK(reshape(x, {-1, 2, 3}).shape() == Shape{2, 2, 3});
    CHECK(reshape(x, {12, -1}).shape() == Shape{12, 1});
    CHECK(reshape(Tensor(1), {-1}).shape() == Shape{1});
    CHECK(reshape(zeros({0, 3}), {-1, 3}).shape() == Shape{0, 3});
}

TEST_CASE("reshape: what does not fit") {
    check_error(
        [] {
            reshape(zeros({2, 3}), {4});
        },
        {"reshape: shape [2, 3] has 6 elements, shape [4] has 4"});
    check_error(
        [] {
            reshape(zeros({2, 3}), {4, -1});
        },
        {"reshape: the 6 elements of x [2, 3] do not divide into rows of 4"});
    check_error([] { view(zeros({2, 3}), {4}); }, {"view: shape [2, 3] has 6 elements"});
    check_error([] { view(zeros({2, 3}), Shape{4}); }, {"view: shape [2, 3] has 6 elements"});
    check_error(
        [] {
            reshape(zeros({2, 3}), {-1, -1});
        },
        {"reshape: expected at most one size of -1"});
    check_error([] { reshape(zeros({0, 3}), {0, -1}); }, {"reshape: a size of -1 beside one of 0"});
    check_error(
        [] {
            reshape(zeros({2, 3}), {-2, 3});
        },
        {"reshape: expected sizes of 0 or more, or one of -1", "got -2"});
    check_error(
        [] {
            reshape(zeros({2}), {1, 1, 1, 1, 1, 1, 2});
        },
        {"at most 6 dimensions, got 7"});
    check_error([] { reshape(Tensor(), {1}); }, {"undefined"});
}

TEST_CASE("flatten: merges dimensions") {
    const Tensor x = reshape(arange(120), {2, 3, 4, 5});
    check_equal(flatten(x), {120}, x);
    check_equal(flatten(x, 1), {2, 60}, x);
    check_equal(flatten(x, 1, 2), {2, 12, 5}, x);
    check_equal(flatten(x, -2), {2, 3, 20}, x);
    check_equal(flatten(x, 0, -2), {24, 5}, x);
    check_equal(flatten(x, 2, 2), {2, 3, 4, 5}, x);
    CHECK(share_memory(flatten(x), x));
    CHECK(flatten(Tensor(3)).shape() == Shape{1});
    CHECK(flatten(zeros({2, 0, 3}), 1).shape() == Shape{2, 0});
    check_error([&] { flatten(x, 2, 1); },
                {"flatten: start_dim 2 comes after end_dim 1 in shape [2, 3, 4, 5]"});
    check_error([&] { flatten(x, 4); }, {"flatten: expected a dimension from -4 to 3", "got 4"});
    check_error([&] { flatten(x, 0, -5); }, {"flatten: ", "got -5"});
}

TEST_CASE("transpose: worked out by hand") {
    check_values(transpose(tensor({1, 2, 3, 4, 5, 6}, {2, 3}), 0, 1), {3, 2}, {1, 4, 2, 5, 3, 6});
    check_values(transpose(tensor({1, 2, 3, 4, 5, 6}, {2, 3}), -1, 0), {3, 2}, {1, 4, 2, 5, 3, 6});
    // [2, 1, 3]: exchanging with the middle dimension of size 1 only changes the shape.
    check_values(transpose(tensor({1, 2, 3, 4, 5, 6}, {2, 1, 3}), 0, 1), {1, 2, 3},
                 {1, 2, 3, 4, 5, 6});
    const Tensor x = tensor({1, 2});
    const Tensor same = transpose(x, 0, 0);
    check_values(same, {2}, {1, 2});
    CHECK_FALSE(share_memory(x, same));
}

TEST_CASE("transpose: every pair of dimensions, against the definition") {
    for (const Shape& shape : {Shape{3, 4}, Shape{1, 5}, Shape{2, 3, 4}, Shape{3, 1, 2, 2},
                               Shape{2, 3, 2, 1, 3}, Shape{2, 1, 3, 2, 2, 2}, Shape{17, 33},
                               Shape{3, 65, 40}, Shape{0, 3}, Shape{2, 0, 3}, Shape{3, 2, 0}}) {
        const Tensor x = reshape(arange(shape.numel()), shape.dims());
        for (int d = 0; d < shape.rank(); ++d) {
            for (int e = 0; e < shape.rank(); ++e) {
                CAPTURE(shape.str());
                CAPTURE(d);
                CAPTURE(e);
                const Tensor y = transpose(x, d, e - shape.rank());
                REQUIRE(y.shape() == shape.with(d, shape[e]).with(e, shape[d]));
                Index wrong = 0;
                for (Index i = 0; i < y.numel(); ++i) {
                    std::vector<Index> position = position_of(i, y.shape());
                    std::swap(position[static_cast<std::size_t>(d)],
                              position[static_cast<std::size_t>(e)]);
                    wrong += y.data()[i] != x.data()[flat_of(position, shape)];
                }
                CHECK(wrong == 0);
            }
        }
    }
    check_error(
        [] {
            transpose(zeros({2, 3}), 0, 2);
        },
        {"transpose: expected a dimension from -2 to 1 for the shape [2, 3], got 2"});
    check_error([] { transpose(zeros({2, 3}), -3, 0); }, {"transpose: ", "got -3"});
    check_error([] { transpose(Tensor(1), 0, 1); }, {"transpose: expected a dimension from -1"});
}

TEST_CASE("permute: every order of every dimension") {
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{5, 3}, Shape{33, 17}, Shape{2, 3, 4},
                               Shape{3, 40, 20}, Shape{2, 3, 1, 4}, Shape{20, 2, 18, 5},
                               Shape{2, 1, 3, 2, 2}, Shape{0, 3, 2}, Shape{1, 2, 1, 2, 3, 2}}) {
        CAPTURE(shape.str());
        const Tensor x = reshape(arange(shape.numel()), shape);
        std::vector<int> order(static_cast<std::size_t>(shape.rank()));
        std::iota(order.begin(), order.end(), 0);
        do {
            const Tensor y = permute(x, order);
            REQUIRE(y.rank() == shape.rank());
            Index wrong = 0;
            for (Index i = 0; i < y.numel(); ++i) {
                const std::vector<Index> position = position_of(i, y.shape());
                std::vector<Index> from(position.size());
                for (std::size_t d = 0; d < order.size(); ++d) {
                    from[static_cast<std::size_t>(order[d])] = position[d];
                }
                wrong += y.data()[i] != x.data()[flat_of(from, shape)];
            }
            CHECK(wrong == 0);
        } while (std::ranges::next_permutation(order).found);
    }
    CHECK(permute(zeros({2, 3, 4}), {-1, 0, -2}).shape() == Shape{4, 2, 3});
    const Tensor x = zeros({2, 3});
    CHECK_FALSE(share_memory(permute(x, {0, 1}), x));
    check_error([&] { permute(x, {0}); },
                {"permute: expected the 2 dimensions of shape [2, 3] in their new order, got 1"});
    check_error(
        [&] {
            permute(x, {1, -1});
        },
        {"permute: dimension 1 comes twice; expected each dimension of shape [2, 3] once"});
    check_error(
        [&] {
            permute(x, {0, 2});
        },
        {"permute: expected a dimension from -2 to 1", "got 2"});
    check_error([] { permute(Tensor(1), {0}); }, {"permute: expected the 0 dimensions"});
}

TEST_CASE("squeeze and unsqueeze: in the same memory") {
    const Tensor x = arange(6).requires_grad_();
    const Tensor y = reshape(x, {1, 2, 1, 3});
    CHECK(squeeze(y).shape() == Shape{2, 3});
    CHECK(share_memory(squeeze(y), x));
    CHECK(squeeze(y, 0).shape() == Shape{2, 1, 3});
    CHECK(squeeze(y, -2).shape() == Shape{1, 2, 3});
    CHECK(squeeze(y, 1).shape() == Shape{1, 2, 1, 3});
    CHECK(squeeze(ones({1, 1})).shape() == Shape{});
    CHECK(squeeze(zeros({0, 1})).shape() == Shape{0});
    CHECK(squeeze(Tensor(1), -1).shape() == Shape{});
    check_error([&] { squeeze(y, 4); }, {"squeeze: expected a dimension from -4 to 3", "got 4"});
    check_error([] { squeeze(Tensor(1), 1); }, {"squeeze: ", "got 1"});

    const Tensor z = zeros({2, 3});
    CHECK(unsqueeze(z, 0).shape() == Shape{1, 2, 3});
    CHECK(unsqueeze(z, 1).shape() == Shape{2, 1, 3});
    CHECK(unsqueeze(z, 2).shape() == Shape{2, 3, 1});
    CHECK(unsqueeze(z, -1).shape() == Shape{2, 3, 1});
    CHECK(unsqueeze(z, -3).shape() == Shape{1, 2, 3});
    CHECK(unsqueeze(Tensor(1), -1).shape() == Shape{1});
    CHECK(share_memory(unsqueeze(z, 1), z));
    check_error([&] { unsqueeze(z, 3); },
                {"unsqueeze: expected a place from -3 to 2 for the new dimension of shape [2, 3], "
                 "got 3"});
    check_error([&] { unsqueeze(z, -4); }, {"unsqueeze: ", "got -4"});
    check_error(
        [] {
            unsqueeze(zeros({1, 1, 1, 1, 1, 1}), 0);
        },
        {"unsqueeze: shape [1, 1, 1, 1, 1, 1] has no room for another dimension"});
}

TEST_CASE("slice: along the first dimension, in the same memory") {
    const Tensor x = reshape(arange(12), {4, 3});
    check_values(slice(x, 1, 3), {2, 3}, {3, 4, 5, 6, 7, 8});
    check_values(slice(x, 3, 4), {1, 3}, {9, 10, 11});
    CHECK(slice(x, 2, 2).shape() == Shape{0, 3});
    CHECK(slice(x, 4, 4).shape() == Shape{0, 3});
    CHECK(slice(zeros({3, 0}), 1, 2).shape() == Shape{1, 0});
    check_equal(slice(x, 0, 4), {4, 3}, x);
    CHECK(slice(x, 1, 3).data() == x.data() + 3);
    check_values(slice(slice(x, 1, 4), 1, 2), {1, 3}, {6, 7, 8});
    check_values(slice(arange(5), 2, 5), {3}, {2, 3, 4});
    check_values(slice(x, -2, 3), {1, 3}, {6, 7, 8});
    check_values(slice(x, -2, -1), {1, 3}, {6, 7, 8});

    check_error([&] { slice(x, 1, 5); },
                {"slice: expected start <= end, both from -4 to 4 (negative ones count from the "
                 "end), along dimension 0 of shape [4, 3], got 1 and 5"});
    check_error([&] { slice(x, -1, 2); }, {"got -1 and 2"});
    check_error([&] { slice(x, -5, 2); }, {"got -5 and 2"});
    check_error([&] { slice(x, 3, 2); }, {"got 3 and 2"});
    check_error([] { slice(Tensor(1), 0, 1); }, {"slice: the shape [] of a scalar"});
}

TEST_CASE("view, reshape, permute, expand: numbers without braces") {
    const Tensor x = reshape(arange(12), 3, -1);
    check_equal(x, {3, 4}, arange(12));
    check_equal(view(x, x.shape()[0], 2, 2), {3, 2, 2}, arange(12));
    check_equal(view(x, -1), {12}, arange(12));
    const Tensor y = permute(view(x, 3, 2, 2), 0, 2, -2);
    check_equal(y, {3, 2, 2}, permute(view(x, {3, 2, 2}), {0, 2, 1}));
    check_values(expand(tensor({1, 2}), 2, 2), {2, 2}, {1, 2, 1, 2});
    check_error([&] { reshape(x, 5, 2); }, {"reshape: ", "[5, 2]"});
    check_error([&] { permute(x, 0, 0); }, {"permute: dimension 0 comes twice"});
}

TEST_CASE("slice: to the end") {
    const Tensor x = reshape(arange(12), {3, 4});
    check_values(slice(x, 2), {1, 4}, {8, 9, 10, 11});
    check_values(slice(x, -2), {2, 4}, {4, 5, 6, 7, 8, 9, 10, 11});
    check_values(slice(x, 3, {.dim = 1}), {3, 1}, {3, 7, 11});
    check_values(slice(x, -3, {.dim = -1, .step = 2}), {3, 2}, {1, 3, 5, 7, 9, 11});
    check_values(slice(x, 0, {.dim = 1, .step = 3}), {3, 2}, {0, 3, 4, 7, 8, 11});
    CHECK(slice(x, 3).shape() == Shape{0, 4});
    CHECK(slice(x, 1).data() == x.data() + 4);
    check_error([&] { slice(x, 5, {.dim = 1}); }, {"along dimension 1", "got 5 and 4"});
    check_error([&] { slice(x, 0, {.dim = 2}); }, {"slice: expected a dimension", "got 2"});
}

TEST_CASE("slice: the gradients of slices and of the whole add up, and stay apart from others") {
    const Tensor a = tensor({1, 2, 3}).requires_grad_(), b = tensor({4, 5, 6}).requires_grad_();
    Tape tape;
    const Tensor first = a[0], rest = slice(a, 1, 3);
    // The gradient of the sum is one tensor for both a and b, before the slices add to a's.
    const Tensor all = a + b;
    tape.backward(sum(all * tensor({1, 10, 100})) + 5 * first + sum(rest * tensor({7, 9})));
    check_values(a.grad(), {3}, {6, 17, 109});
    check_values(b.grad(), {3}, {1, 10, 100});

    const Tensor x = zeros({2, 3}).requires_grad_();
    Tape again;
    again.backward(sum(slice(x, 0, 3, {.dim = 1, .step = 2}) * 2) + sum(select(x, 1, 2) * 3));
    check_values(x.grad(), {2, 3}, {2, 0, 5, 2, 0, 5});
}

TEST_CASE("slice: along any dimension, with a step") {
    const Tensor x = reshape(arange(12), {3, 4});
    check_values(slice(x, 1, 3, {.dim = 1}), {3, 2}, {1, 2, 5, 6, 9, 10});
    check_values(slice(x, 0, 4, {.dim = -1, .step = 2}), {3, 2}, {0, 2, 4, 6, 8, 10});
    check_values(slice(x, 0, 4, {.dim = 1, .step = 3}), {3, 2}, {0, 3, 4, 7, 8, 11});
    check_values(slice(x, -3, -1, {.dim = 1, .step = 2}), {3, 1}, {1, 5, 9});
    check_values(slice(x, 0, 3, {.step = 2}), {2, 4}, {0, 1, 2, 3, 8, 9, 10, 11});
    check_values(slice(x, 1, 3, {.step = Index{1} << 62}), {1, 4}, {4, 5, 6, 7});
    CHECK(slice(x, 4, 4, {.dim = 1, .step = 2}).shape() == Shape{3, 0});
    CHECK(slice(zeros({0, 4}), 1, 3, {.dim = 1}).shape() == Shape{0, 2});
    CHECK_FALSE(share_memory(slice(x, 1, 3, {.dim = 1}), x));
    CHECK_FALSE(share_memory(slice(x, 0, 3, {.step = 2}), x));
    check_error([&] { slice(x, 0, 2, {.step = 0}); },
                {"slice: expected a step of at least 1, got 0"});
    check_error([&] { slice(x, 0, 5, {.dim = 1}); }, {"along dimension 1", "got 0 and 5"});
    check_error([&] { slice(x, 0, 1, {.dim = 2}); }, {"slice: expected a dimension", "got 2"});
}

TEST_CASE("slice: as element by element, beyond one chunk of work") {
    for (const Shape& shape : {Shape{40, 1500}, Shape{1500, 40}, Shape{70000}, Shape{3, 90, 200}}) {
        const Tensor x = reshape(arange(shape.numel()), shape);
        for (int dim = 0; dim < shape.rank(); ++dim) {
            for (const Index step : {1, 2, 7}) {
                CAPTURE(shape.str());
                CAPTURE(dim);
                CAPTURE(step);
                const Tensor y = slice(x, 3 % shape[dim], shape[dim], {.dim = dim, .step = step});
                Index wrong = 0;
                for (Index i = 0; i < y.numel(); ++i) {
                    std::vector<Index> position = position_of(i, y.shape());
                    Index& at = position[static_cast<std::size_t>(dim)];
                    at = 3 % shape[dim] + at * step;
                    wrong += y.data()[i] != x.data()[flat_of(position, shape)];
                }
                CHECK(wrong == 0);
                CHECK(y.shape()[dim] == (shape[dim] - 3 % shape[dim] + step - 1) / step);
            }
        }
    }
}

TEST_CASE("select and x[i]: one position of a dimension") {
    const Tensor x = reshape(arange(12), {2, 3, 2});
    check_values(select(x, 0, 1), {3, 2}, {6, 7, 8, 9, 10, 11});
    check_values(select(x, 1, 0), {2, 2}, {0, 1, 6, 7});
    check_values(select(x, -1, -1), {2, 3}, {1, 3, 5, 7, 9, 11});
    check_values(x[1][2], {2}, {10, 11});
    check_values(x[-1][-1][0], {}, {10});
    CHECK(x[1].data() == x.data() + 6);
    CHECK_FALSE(share_memory(select(x, 1, 0), x));
    CHECK(select(zeros({0, 3}), 1, -3).shape() == Shape{0});
    x[0].fill_(5);
    check_values(x, {2, 3, 2}, {5, 5, 5, 5, 5, 5, 6, 7, 8, 9, 10, 11});
    check_error([&] { x[2]; }, {"select: index 2 is outside dimension 0 of shape [2, 3, 2]"});
    check_error([&] { select(x, 1, -4); }, {"select: index -4 is outside dimension 1"});
    check_error([&] { select(x, 3, 0); }, {"select: expected a dimension from -3 to 2", "got 3"});
    check_error([] { Tensor(1)[0]; }, {"select: the shape [] of a scalar"});
    check_error([] { Tensor()[0]; }, {"undefined"});
}

TEST_CASE("split and chunk: worked out by hand") {
    const auto sizes = [](const std::vector<Tensor>& parts) {
        std::vector<Index> found;
        for (const Tensor& part : parts) found.push_back(part.shape()[-1]);
        return found;
    };
    using Sizes = std::vector<Index>;
    const Tensor x = reshape(arange(10), {2, 5});
    const std::vector<Tensor> pieces = split(x, 2, 1);
    REQUIRE(pieces.size() == 3);
    check_values(pieces[0], {2, 2}, {0, 1, 5, 6});
    check_values(pieces[1], {2, 2}, {2, 3, 7, 8});
    check_values(pieces[2], {2, 1}, {4, 9});
    check_values(split(x, 1)[1], {1, 5}, {5, 6, 7, 8, 9});
    CHECK(split(x, 1)[1].data() == x.data() + 5);
    check_values(split(x, {1, 0, 4}, -1)[2], {2, 4}, {1, 2, 3, 4, 6, 7, 8, 9});
    CHECK(sizes(split(x, {1, 0, 4}, -1)) == Sizes{1, 0, 4});
    CHECK(sizes(split(arange(5), 5)) == Sizes{5});
    CHECK(sizes(split(arange(5), 99)) == Sizes{5});
    CHECK(sizes(split(zeros({0}), 2)) == Sizes{0});
    CHECK(sizes(split(zeros({0}), 0)) == Sizes{0});
    CHECK(split(zeros({0}), Sizes{}).empty());

    CHECK(sizes(chunk(arange(6), 3)) == Sizes{2, 2, 2});
    CHECK(sizes(chunk(arange(7), 3)) == Sizes{3, 3, 1});
    CHECK(sizes(chunk(arange(5), 4)) == Sizes{2, 2, 1});
    CHECK(sizes(chunk(arange(3), 9)) == Sizes{1, 1, 1});
    CHECK(sizes(chunk(zeros({0}), 3)) == Sizes{0, 0, 0});
    check_values(chunk(x, 3, 1)[1], {2, 2}, {2, 3, 7, 8});
}

TEST_CASE("split and chunk: what does not fit") {
    const Tensor x = zeros({2, 5});
    check_error(
        [&] { split(x, 0, 1); },
        {"split: expected a split_size of at least 1 for dimension 1 of shape [2, 5]", "got 0"});
    check_error([&] { split(x, -1); }, {"split: expected a split_size", "got -1"});
    check_error(
        [&] {
            split(x, {2, 2}, 1);
        },
        {"split: expected sizes that add up to 5, the size of dimension 1 of shape [2, 5], got 4"});
    check_error(
        [&] {
            split(x, {4, -1, 2}, 1);
        },
        {"split: expected sizes of 0 or more that add up to 5", "got -1 behind others of 4"});
    check_error([&] { split(x, {4, 2}, 1); }, {"got 2 behind others of 4"});
    check_error([&] { split(x, 1, 2); }, {"split: expected a dimension", "got 2"});
    check_error([] { split(Tensor(1), 1); }, {"split: the shape [] of a scalar"});
    check_error([&] { chunk(x, 0); }, {"chunk: expected at least one chunk, got 0"});
    check_error([&] { chunk(x, 1, -3); }, {"chunk: expected a dimension", "got -3"});
    check_error([] { chunk(Tensor(1), 1); }, {"chunk: the shape [] of a scalar"});
}

TEST_CASE("stack: worked out by hand") {
    const Tensor a = tensor({1, 2}), b = tensor({3, 4});
    check_values(stack({a, b}), {2, 2}, {1, 2, 3, 4});
    check_values(stack({a, b, a}, 1), {2, 3}, {1, 3, 1, 2, 4, 2});
    check_values(stack({a, b}, -1), {2, 2}, {1, 3, 2, 4});
    check_values(stack({a, b}, -2), {2, 2}, {1, 2, 3, 4});
    check_values(stack({Tensor(1), Tensor(2)}), {2}, {1, 2});
    check_values(stack({reshape(arange(4), {2, 2}), zeros({2, 2})}, 1), {2, 2, 2},
                 {0, 1, 0, 0, 2, 3, 0, 0});
    CHECK(stack({zeros({0}), zeros({0})}).shape() == Shape{2, 0});
    CHECK(stack(std::vector<Tensor>{a}).shape() == Shape{1, 2});
    check_error([] { stack(std::span<const Tensor>{}); }, {"stack: expected at least one tensor"});
    check_error(
        [&] {
            stack({a, zeros({3})});
        },
        {"stack: expected tensors of one shape, got [2] and [3]"});
    check_error(
        [&] {
            stack({a, b}, 2);
        },
        {"stack: expected a place from -2 to 1 for the new dimension of shape [2], got 2"});
}

TEST_CASE("concat: worked out by hand") {
    const Tensor a = tensor({1, 2, 3, 4}, {2, 2}), b = tensor({5, 6}, {1, 2});
    check_values(concat({a, b}), {3, 2}, {1, 2, 3, 4, 5, 6});
    check_values(concat({a, reshape(b, {2, 1})}, 1), {2, 3}, {1, 2, 5, 3, 4, 6});
    check_values(concat({a, a}, -1), {2, 4}, {1, 2, 1, 2, 3, 4, 3, 4});
    check_values(concat({b}), {1, 2}, {5, 6});
    CHECK_FALSE(share_memory(concat({b}), b));
    const std::vector<Tensor> several{a, b, a};
    check_values(concat(several), {5, 2}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4});
    check_values(concat({zeros({0, 2}), b}), {1, 2}, {5, 6});
    CHECK(concat({zeros({2, 0}), zeros({3, 0})}).shape() == Shape{5, 0});
}

TEST_CASE("concat: slices put together again, along every dimension") {
    const Tensor x = reshape(arange(2 * 5 * 3), {2, 5, 3});
    for (int dim = 0; dim < 3; ++dim) {
        CAPTURE(dim);
        const Tensor first = transpose(x, 0, dim);
        const Index n = first.shape()[0];
        const Tensor y = concat(
            {transpose(slice(first, 0, 1), 0, dim), transpose(slice(first, 1, n), 0, dim)}, dim);
        check_equal(y, x.shape(), x);
    }
}

TEST_CASE("concat: what does not fit") {
    check_error([] { concat(std::span<const Tensor>{}); },
                {"concat: expected at least one tensor"});
    check_error(
        [] {
            concat({zeros({2, 3}), zeros({2, 4})});
        },
        {"concat: shapes may differ only in dimension 0, got [2, 3] and [2, 4]"});
    check_error(
        [] {
            concat({zeros({2, 3}), zeros({3, 3})}, 1);
        },
        {"concat: shapes may differ only in dimension 1, got [2, 3] and [3, 3]"});
    check_error([] { concat({zeros({2, 3}), zeros({3})}); }, {"got [2, 3] and [3]"});
    check_error(
        [] {
            concat({zeros({2, 3}), zeros({2, 3})}, 2);
        },
        {"concat: expected a dimension from -2 to 1", "got 2"});
    check_error([] { concat({Tensor(1), Tensor(2)}); }, {"concat: the shape [] of a scalar"});
    check_error([] { concat({zeros({2}), Tensor()}); }, {"undefined"});
}

TEST_CASE("expand: worked out by hand") {
    check_values(expand(tensor({1, 2}), {3, 2}), {3, 2}, {1, 2, 1, 2, 1, 2});
    check_values(expand(tensor({1, 2}, {2, 1}), {2, 3}), {2, 3}, {1, 1, 1, 2, 2, 2});
    check_values(expand(Tensor(5), {2, 2}), {2, 2}, {5, 5, 5, 5});
    check_values(expand(tensor({1, 2}, {1, 2, 1}), {2, 2, 2}), {2, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2});
    check_values(expand(Tensor(5), {}), {}, {5});
    CHECK(expand(zeros({1, 3}), {0, 3}).shape() == Shape{0, 3});
    CHECK(expand(zeros({0}), {2, 0}).shape() == Shape{2, 0});
    const Tensor x = tensor({1, 2});
    CHECK_FALSE(share_memory(expand(x, {2}), x));
    check_error([] { expand(zeros({2}), {3}); },
                {"expand: the shapes [2] and [3] do not broadcast"});
    check_error(
        [] {
            expand(zeros({2, 3}), {3});
        },
        {"expand: shape [2, 3] does not broadcast to [3]"});
    check_error([] { expand(zeros({3}), {1}); }, {"expand: shape [3] does not broadcast to [1]"});
    check_error([] { expand(zeros({3}), {0}); }, {"expand: ", "[3] and [0]"});
}

TEST_CASE("expand: -1 keeps the size") {
    const Tensor x = tensor({1, 2}, {2, 1});
    check_values(expand(x, -1, 3), {2, 3}, {1, 1, 1, 2, 2, 2});
    CHECK(expand(x, {4, -1, 3}).shape() == Shape{4, 2, 3});
    CHECK(expand(x, -1, -1).shape() == Shape{2, 1});
    check_error([&] { expand(x, -1, 2, 3); },
                {"expand: expected sizes", "[2, 1]", "-1 at place 0"});
    check_error([&] { expand(x, -2, 3); }, {"expand: expected sizes", "got -2 at place 0"});
}

TEST_CASE("expand: beyond one chunk of work") {
    const Tensor x = arange(300);
    const Tensor rows = expand(x, {200, 300}), columns = expand(reshape(x, {300, 1}), {300, 200});
    Index wrong = 0;
    for (Index i = 0; i < rows.numel(); ++i) {
        wrong += rows.data()[i] != Real(i % 300) || columns.data()[i] != Real(i / 200);
    }
    CHECK(wrong == 0);
}

TEST_CASE("view: gradients of reshape, flatten and transpose, and of expand after them") {
    Rng rng(1);
    check_gradients(
        [](const Inputs& x) {
            return reshape(x[0], {3, -1});
        },
        {randn({2, 3, 2}, rng)});
    check_gradients([](const Inputs& x) { return reshape(x[0], {1}); }, {randn({}, rng)});
    check_gradients([](const Inputs& x) { return reshape(x[0], {0, 2}); }, {randn({3, 0}, rng)});
    check_gradients([](const Inputs& x) { return flatten(x[0], 1, -2); },
                    {randn({2, 3, 2, 2}, rng)});
    check_gradients([](const Inputs& x) { return flatten(x[0]); }, {randn({}, rng)});
    for (const Shape& shape : {Shape{3, 4}, Shape{2, 3, 4}, Shape{2, 1, 3, 2}, Shape{2, 2, 1, 3, 2},
                               Shape{1, 2, 2, 1, 2, 3}, Shape{2, 0}}) {
        CAPTURE(shape.str());
        check_gradients([](const Inputs& x) { return transpose(x[0], 0, -1); },
                        {randn(shape, rng)});
        check_gradients([](const Inputs& x) { return transpose(x[0], 1, 0); }, {randn(shape, rng)});
        check_gradients([](const Inputs& x) { return transpose(x[0], 1, 1); }, {randn(shape, rng)});
        check_gradients(
            [](const Inputs& x) {
                return expand(reshape(x[0], {1, -1}), {3, x[0].numel()});
            },
            {randn(shape, rng)});
    }
}

TEST_CASE("view: gradients of ops that reorder dimensions or take parts") {
    Rng rng(1);
    for (const Shape& shape : {Shape{3, 4, 2}, Shape{1, 4, 1}, Shape{2, 4, 0}}) {
        CAPTURE(shape.str());
        const auto check_all = [&](const std::function<Tensor(const Tensor&)>& f) {
            check_gradients([&](const Inputs& x) { return f(x[0]); }, {randn(shape, rng)});
        };
        check_all([](const Tensor& x) { return permute(x, {2, 0, 1}); });
        check_all([](const Tensor& x) { return squeeze(x); });
        check_all([](const Tensor& x) { return squeeze(x, 0); });
        check_all([](const Tensor& x) { return unsqueeze(x, -2); });
        check_all([](const Tensor& x) { return slice(x, 1, 3, {.dim = 1}); });
        check_all([](const Tensor& x) { return slice(x, 0, 4, {.dim = 1, .step = 3}); });
        check_all([](const Tensor& x) { return slice(x, 0, -1, {.dim = -2, .step = 2}); });
        check_all([](const Tensor& x) { return slice(x, 0, x.shape()[0], {.step = 2}); });
        check_all([](const Tensor& x) { return select(x, 0, -1); });
        check_all([](const Tensor& x) { return select(x, 1, 2); });
        check_all([](const Tensor& x) { return x[0][3]; });
        check_all([](const Tensor& x) { return split(x, 3, 1)[1]; });
        check_all([](const Tensor& x) {
            const std::vector<Tensor> parts = split(x, {1, 3}, 1);
            return mul(parts[1], parts[0]);
        });
        check_all([](const Tensor& x) { return stack(chunk(x, 2, 1), -1); });
        check_all([](const Tensor& x) { return stack({x, neg(x), x}, 2); });
    }
    check_gradients([](const Inputs& x) { return permute(x[0], std::vector<int>{}); },
                    {randn({}, rng)});
    check_gradients([](const Inputs& x) { return squeeze(x[0], 0); }, {randn({}, rng)});
    check_gradients(
        [](const Inputs& x) {
            return stack({x[0], x[1]});
        },
        {randn({}, rng), randn({}, rng)});
    check_gradients([](const Inputs& x) { return slice(x[0], 1, 3); }, {randn({4, 2, 3}, rng)});
    check_gradients([](const Inputs& x) { return slice(x[0], 0, 1); }, {randn({5}, rng)});
    check_gradients([](const Inputs& x) { return slice(x[0], 2, 2); }, {randn({4, 2}, rng)});
    check_gradients([](const Inputs& x) { return mul(slice(x[0], 0, 2), slice(x[0], 1, 3)); },
                    {randn({3, 2}, rng)});
}

TEST_CASE("view: gradients of concat and expand") {
    Rng rng(1);
    for (int dim : {0, 1, 2, -1}) {
        CAPTURE(dim);
        const Shape shape{2, 3, 2};
        check_gradients(
            [=](const Inputs& x) {
                return concat({x[0], x[1], x[2]}, dim);
            },
            {randn(shape.with(dim, 1), rng), randn(shape.with(dim, 4), rng),
             randn(shape.with(dim, 0), rng)});
    }
    check_gradients([](const Inputs& x) { return concat({x[0], x[0]}, 1); }, {randn({2, 3}, rng)});
    check_gradients([](const Inputs& x) { return expand(x[0], {3, 2, 4}); }, {randn({2, 1}, rng)});
    check_gradients([](const Inputs& x) { return expand(x[0], {2, 3}); }, {randn({}, rng)});
    check_gradients(
        [](const Inputs& x) {
            return expand(x[0], {2, 2, 1, 3, 1, 2});
        },
        {randn({2, 1, 1, 1, 2}, rng)});
    check_gradients([](const Inputs& x) { return expand(x[0], {0, 3}); }, {randn({1, 3}, rng)});
}

TEST_CASE("view: gradients worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}).requires_grad_();
    const Tensor upstream = tensor({1, 10, 100, 1000}, {2, 2});
    {
        Tape tape;
        tape.backward(sum(mul(transpose(x, 0, 1), upstream)));
        check_values(x.grad(), {2, 2}, {1, 100, 10, 1000});
        x.set_grad({});
    }
    {
        Tape tape;
        tape.backward(sum(mul(slice(x, 1, 2), tensor({5, 6}))));
        check_values(x.grad(), {2, 2}, {0, 0, 5, 6});
        x.set_grad({});
    }
    {
        Tape tape;
        tape.backward(sum(mul(concat({x, x}, 1), tensor({1, 2, 3, 4, 5, 6, 7, 8}, {2, 4}))));
        check_values(x.grad(), {2, 2}, {1 + 3, 2 + 4, 5 + 7, 6 + 8});
        x.set_grad({});
    }
    Tape tape;
    tape.backward(sum(expand(x, {3, 2, 2})));
    check_values(x.grad(), {2, 2}, {3, 3, 3, 3});
}

TEST_CASE("view: a constant among concatenated tensors") {
    const Tensor x = tensor({1, 2}).requires_grad_(), constant = tensor({3});
    Tape tape;
    tape.backward(sum(mul(concat({constant, x}), tensor({5, 6, 7}))));
    check_values(x.grad(), {2}, {6, 7});
    CHECK_FALSE(constant.grad().defined());
}

}  // namespace primer
// SPDX-License-Identifier: MIT

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

    check_error([&] { slice(x, 1, 5); },
                {"slice: expected 0 <= start <= end <= 4 for shape [4, 3], got 1 and 5"});
    check_error([&] { slice(x, -1, 2); }, {"got -1 and 2"});
    check_error([&] { slice(x, 3, 2); }, {"got 3 and 2"});
    check_error([] { slice(Tensor(1), 0, 1); }, {"slice: a scalar has no first dimension"});
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

TEST_CASE("expand: beyond one chunk of work") {
    const Tensor x = arange(300);
    const Tensor rows = expand(x, {200, 300}), columns = expand(reshape(x, {300, 1}), {300, 200});
    Index wrong = 0;
    for (Index i = 0; i < rows.numel(); ++i) {
        wrong += rows.data()[i] != Real(i % 300) || columns.data()[i] != Real(i / 200);
    }
    CHECK(wrong == 0);
}

TEST_CASE("view: gradients of all ops that move values") {
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
    check_gradients([](const Inputs& x) { return slice(x[0], 1, 3); }, {randn({4, 2, 3}, rng)});
    check_gradients([](const Inputs& x) { return slice(x[0], 0, 1); }, {randn({5}, rng)});
    check_gradients([](const Inputs& x) { return slice(x[0], 2, 2); }, {randn({4, 2}, rng)});
    check_gradients([](const Inputs& x) { return mul(slice(x[0], 0, 2), slice(x[0], 1, 3)); },
                    {randn({3, 2}, rng)});
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

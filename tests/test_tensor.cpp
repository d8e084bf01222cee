#include <primer/core/tensor.h>

#include <limits>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/parameter.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {

TEST_CASE("tensor: a number is a scalar") {
    const Tensor x = 2.5;
    check_values(x, {}, {2.5});
    CHECK(x.rank() == 0);
    CHECK(x.numel() == 1);
    CHECK_FALSE(x.requires_grad());
}

TEST_CASE("tensor: reading") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    CHECK(x.data()[4] == 5);
    CHECK(x.values().size() == 6);
    CHECK(x.values().back() == 6);
    CHECK(x.at({0, 0}) == 1);
    CHECK(x.at({1, 2}) == 6);
    CHECK(x.at({1, 0}) == 4);
    CHECK(Tensor(7).at({}) == 7);
    CHECK(Tensor(7).item() == 7);
    CHECK(full({1, 1, 1}, 8).item() == 8);
    CHECK(zeros({0, 2}).values().empty());

    check_error([&] { x.item(); }, {"item: expected a tensor of one element, got shape [2, 3]"});
    check_error([&] { zeros({0}).item(); }, {"item: ", "[0]"});
    check_error([&] { x.at({1}); }, {"at: expected 2 indices for shape [2, 3], got 1"});
    check_error([&] { x.at({0, 0, 0}); }, {"got 3"});
    check_error([&] { x.at({2, 0}); }, {"at: index 2 is outside dimension 0 of shape [2, 3]"});
    check_error([&] { x.at({0, 3}); }, {"at: index 3 is outside dimension 1"});
    check_error([&] { x.at({0, -1}); }, {"at: index -1 is outside dimension 1"});
    check_error([] { zeros({0}).at({0}); }, {"at: index 0 is outside dimension 0 of shape [0]"});
}

TEST_CASE("tensor: a copy of the handle names the same values") {
    const Tensor x = zeros({2});
    const Tensor y = x;
    y.mutable_data()[1] = 5;
    check_values(x, {2}, {0, 5});
    y.requires_grad_();
    CHECK(x.requires_grad());
}

TEST_CASE("tensor: fill_ and copy_") {
    const Tensor x = zeros({2, 2});
    check_values(x.fill_(3), {2, 2}, {3, 3, 3, 3});
    check_values(x.copy_(tensor({1, 2, 3, 4}, {2, 2})), {2, 2}, {1, 2, 3, 4});
    check_values(x.copy_(x), {2, 2}, {1, 2, 3, 4});
    CHECK_NOTHROW(zeros({0}).copy_(zeros({0})).fill_(1));
    check_error([&] { x.copy_(zeros({4})); }, {"copy_: expected the shape [2, 2], got [4]"});
    // No broadcasting: a scalar is not meant for every element.
    check_error([&] { x.copy_(1); }, {"copy_: expected the shape [2, 2], got []"});
}

TEST_CASE("tensor: a view writes to the values that it shows and to no others") {
    const Tensor x = arange(6);
    slice(x, 2, 4).fill_(9);
    check_values(x, {6}, {0, 1, 9, 9, 4, 5});
    check_values(view(slice(x, 1, 5), {2, 2}), {2, 2}, {1, 9, 9, 4});
    CHECK(view(x, {3, 2}).data() == x.data());
}

TEST_CASE("tensor: every member of an undefined tensor is an error") {
    const Tensor x;
    CHECK_FALSE(x.defined());
    CHECK(zeros({}).defined());
    const std::initializer_list<const char*> message{"this tensor is undefined",
                                                     "default-constructed", "grad()"};
    check_error([&] { x.shape(); }, message);
    check_error([&] { x.rank(); }, message);
    check_error([&] { x.numel(); }, message);
    check_error([&] { x.data(); }, message);
    check_error([&] { x.values(); }, message);
    check_error([&] { x.mutable_data(); }, message);
    check_error([&] { x.item(); }, message);
    check_error([&] { x.at({0}); }, message);
    check_error([&] { x.fill_(0); }, message);
    check_error([&] { x.copy_(zeros({})); }, message);
    check_error([&] { zeros({}).copy_(x); }, message);
    check_error([&] { x.requires_grad(); }, message);
    check_error([&] { x.requires_grad_(); }, message);
    check_error([&] { x.grad(); }, message);
    check_error([&] { x.set_grad(zeros({})); }, message);
    check_error([&] { x.detach(); }, message);
    check_error([&] { x.clone(); }, message);
    check_error([&] { add(x, 1); }, message);
}

TEST_CASE("tensor: requires_grad") {
    const Tensor x = zeros({2});
    CHECK_FALSE(x.requires_grad());
    CHECK(x.requires_grad_().requires_grad());
    CHECK_FALSE(x.requires_grad_(false).requires_grad());

    x.requires_grad_();
    Tape tape;
    const Tensor y = neg(x);
    CHECK(y.requires_grad());
    check_error([&] { y.requires_grad_(); },
                {"requires_grad_: a tensor of shape [2]", "use detach() first"});
    check_error([&] { y.requires_grad_(false); }, {"use detach() first"});
    CHECK_NOTHROW(y.detach().requires_grad_());
}

TEST_CASE("tensor: grad and set_grad") {
    const Tensor x = zeros({2, 1}).requires_grad_();
    CHECK_FALSE(x.grad().defined());
    x.set_grad(full({2, 1}, 3));
    check_values(x.grad(), {2, 1}, {3, 3});
    x.set_grad({});
    CHECK_FALSE(x.grad().defined());
    check_error([&] { x.set_grad(zeros({2})); }, {"set_grad: expected the shape [2, 1], got [2]"});
    // Any tensor can have a gradient: an optimizer's test need not build a graph.
    const Tensor constant = zeros({});
    constant.set_grad(1);
    CHECK(constant.grad().item() == 1);
}

TEST_CASE("tensor: detach shares the values, without past and gradient") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    x.set_grad(ones({2}));
    const Tensor d = x.detach();
    CHECK(d.data() == x.data());
    CHECK_FALSE(d.requires_grad());
    CHECK_FALSE(d.grad().defined());
    d.mutable_data()[0] = 5;
    check_values(x, {2}, {5, 2});
}

TEST_CASE("tensor: copy_ refuses a source whose gradient a tape would lose") {
    const Tensor x = ones({2}).requires_grad_(), y = zeros({2});
    {
        const Tape tape;
        const auto refused = [&](const Tensor& source) {
            check_error([&] { y.copy_(source); },
                        {"copy_: a Tape is recording", "shape [2]", "source.detach()"});
        };
        refused(x);
        refused(x * 2);
        check_values(y, {2}, {0, 0});
        CHECK_NOTHROW(y.copy_((x * 2).detach()));
        const NoGrad guard;
        CHECK_NOTHROW(y.copy_(x));
    }
    CHECK_NOTHROW(y.copy_(x));
}

TEST_CASE("tensor: clone is recorded, and has values of its own") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}).requires_grad_();
    x.set_grad(ones({2, 2}));
    const Tensor c = x.clone();
    CHECK(c.data() != x.data());
    CHECK_FALSE(c.requires_grad());
    CHECK_FALSE(c.grad().defined());
    c.fill_(0);
    check_values(x, {2, 2}, {1, 2, 3, 4});
    const Tensor weights = tensor({1, -2, 3, 5}, {2, 2});
    x.set_grad({});
    {
        Tape tape;
        const Tensor y = x.clone();
        CHECK(y.requires_grad());
        check_error([&] { y.fill_(0); }, {"change a detach().clone()"});
        CHECK_NOTHROW(y.detach().clone().fill_(0));
        tape.backward(sum(y * weights));
    }
    check_values(x.grad(), {2, 2}, {1, -2, 3, 5});
    // A clone of a view has only what the view shows.
    const Tensor row = slice(x, 1, 2).clone();
    check_values(row, {1, 2}, {3, 4});
    CHECK(row.impl().storage->size() == 2);
}

TEST_CASE("tensor: a scalar in double precision becomes a Real") {
    CHECK(Tensor(0.1).item() == Real(0.1));
    CHECK(std::isinf(Tensor(std::numeric_limits<double>::infinity()).item()));
    CHECK(std::isnan(Tensor(NAN).item()));
}

TEST_CASE("tensor: whole numbers") {
    const IntTensor labels = {3, 1, 4};
    CHECK(labels.shape == Shape{3});
    CHECK(labels.values == std::vector<Index>{3, 1, 4});
    const IntTensor matrix(Shape{2, 2}, {1, 2, 3, 4});
    CHECK(matrix.shape == Shape{2, 2});
    check_error(
        [] {
            IntTensor(Shape{2, 2}, {1, 2, 3});
        },
        {"IntTensor: shape [2, 2] needs 4 values, got 3"});
    // The default IntTensor is as consistent as all others.
    CHECK(IntTensor().shape == Shape{0});
    CHECK(IntTensor().values.empty());
}

TEST_CASE("tensor: a Parameter asks for its gradient, a Buffer does not") {
    const Parameter p(zeros({2}));
    CHECK(p.requires_grad());
    const Buffer b(zeros({2}));
    CHECK_FALSE(b.requires_grad());
    CHECK_FALSE(Parameter().defined());
    CHECK_FALSE(Buffer().defined());
    const Parameter same = p;
    CHECK(same.data() == p.data());
}

}  // namespace primer
// SPDX-License-Identifier: MIT

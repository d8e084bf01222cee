#include <primer/core/gradcheck.h>

#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

// x^2 with the backward dx = factor dy x: right for factor 2 only.
Tensor square(const Tensor& x, double factor) {
    return record("square", mul(x.detach(), x.detach()), {x},
                  [=, x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      dx.add(mul(mul(dy, x), factor));
                  });
}

}  // namespace

#ifdef PRIMER_REAL_DOUBLE

TEST_CASE("gradcheck: right gradients pass, of any shape") {
    const auto f = [](const Inputs& x) { return square(x[0], 2); };
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{1, 2, 1, 2}, Shape{0}}) {
        Tensor x = empty(shape);
        for (Index i = 0; i < x.numel(); ++i)
            x.mutable_data()[i] = 0.3 * static_cast<double>(i + 1);
        CHECK_NOTHROW(gradcheck(f, {x}));
    }
}

TEST_CASE("gradcheck: a wrong backward is found, with its input and element") {
    const auto f = [](const Inputs& x) { return add(mul(x[0], 3), square(x[1], 1.9)); };
    const Tensor a = tensor({1, 2, 3}), b = tensor({0.5, -4, 1});
    check_error(
        [&] {
            gradcheck(f, {a, b});
        },
        {"gradcheck: input 1 of shape [3], element 1", "the tape has", "difference quotient"});
    CHECK_NOTHROW(gradcheck([](const Inputs& x) { return mul(x[0], 3); }, {a}));
}

TEST_CASE("gradcheck: a gradient wrong in one element only is found, and the worst is named") {
    const auto off_by = [](std::vector<double> errors) {
        return [=](const Inputs& inputs) {
            const Tensor& x = inputs[0];
            return record("op", x.detach().clone(), {x}, [=](const Tensor& dy, std::span<Grad> dx) {
                const Tensor d = dy.clone();
                for (std::size_t i = 0; i < errors.size(); ++i) d.mutable_data()[i] += errors[i];
                dx[0].add(d);
            });
        };
    };
    const Tensor x = tensor({1, 2, 3, 4});
    CHECK_NOTHROW(gradcheck(off_by({0, 0, 0, 0}), {x}));
    check_error([&] { gradcheck(off_by({0, 0, 0, 1e-5}), {x}); }, {"element 3"});
    check_error([&] { gradcheck(off_by({0.1, -0.3, 0.2, 0}), {x}); }, {"element 1"});
    // A NaN is the worst of all, wherever it stands.
    check_error([&] { gradcheck(off_by({NAN, 5, 0, 0}), {x}); }, {"element 0", "the tape has nan"});
    check_error([&] { gradcheck(off_by({5, 0, NAN, 7}), {x}); }, {"element 2", "the tape has nan"});
    check_error([&] { gradcheck(off_by({0, INFINITY, 0, 0}), {x}); }, {"element 1", "inf"});
}

TEST_CASE("gradcheck: every output element counts by itself") {
    // The first and the last element of dy exchanged: a sum with equal weights would not notice.
    const auto f = [](const Inputs& inputs) {
        const Tensor& x = inputs[0];
        return record("op", x.detach().clone(), {x}, [](const Tensor& dy, std::span<Grad> dx) {
            dx[0].add(concat({slice(dy, 2, 3), slice(dy, 1, 2), slice(dy, 0, 1)}));
        });
    };
    check_error([&] { gradcheck(f, {tensor({1, 2, 3})}); }, {"gradcheck: input 0"});
}

TEST_CASE("gradcheck: a forward that is NaN is found") {
    check_error(
        [] {
            gradcheck([](const Inputs& x) { return log(x[0]); }, {tensor({1, -1})});
        },
        {"input 0 of shape [2], element", "nan"});
}

TEST_CASE("gradcheck: an input without influence has the gradient 0") {
    const auto f = [](const Inputs& x) { return square(x[1], 2); };
    CHECK_NOTHROW(gradcheck(f, {tensor({1, 2}), tensor({3})}));
    // A lost gradient is not the same.
    const auto lost = [](const Inputs& x) { return mul(x[0].detach(), x[1]); };
    check_error(
        [&] {
            gradcheck(lost, {tensor({1, 2}), tensor({3, 4})});
        },
        {"input 0 of shape [2], element", "the tape has 0"});
}

TEST_CASE("gradcheck: the tolerances can be chosen") {
    const auto f = [](const Inputs& x) { return square(x[0], 2.02); };  // 1% off
    const Tensor x = tensor({1, 2});
    check_error([&] { gradcheck(f, {x}); }, {"gradcheck: input 0"});
    CHECK_NOTHROW(gradcheck(f, {x}, {.rtol = 0.02}));
    CHECK_NOTHROW(gradcheck(f, {x}, {.atol = 0.1}));
    check_error([&] { gradcheck(f, {x}, {.rtol = 0.005}); }, {"gradcheck: input 0"});
    // With a large step, x^3 differs from its tangent by eps^2.
    const auto cube = [](const Inputs& v) { return mul(mul(v[0], v[0]), v[0]); };
    CHECK_NOTHROW(gradcheck(cube, {x}));
    check_error([&] { gradcheck(cube, {x}, {.eps = 0.1}); }, {"gradcheck: input 0"});
}

TEST_CASE("gradcheck: leaves the inputs' values as they were") {
    const Tensor x = tensor({0.1, 0.2, 0.3});
    gradcheck([](const Inputs& v) { return exp(v[0]); }, {x});
    check_values(x, {3}, {0.1, 0.2, 0.3}, 0);
}

TEST_CASE("gradcheck: a function that does not use the tape at all") {
    check_error([] { gradcheck([](const Inputs&) { return ones({2}); }, {tensor({1})}); },
                {"is not on this Tape"});
}

TEST_CASE("gradcheck: inputs are leaves") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    Tensor y;
    {
        Tape tape;
        y = neg(x);
    }
    check_error([&] { gradcheck([](const Inputs& v) { return neg(v[0]); }, {y}); },
                {"requires_grad_", "detach()"});
}

#else

TEST_CASE("gradcheck: is for the build in which Real is double") {
    check_error(
        [] {
            gradcheck([](const Inputs& x) { return square(x[0], 2); }, {tensor({1, 2})});
        },
        {"gradcheck: needs the build of the library in which Real is double; link the program with "
         "primer::primer_double"});
}

#endif

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/core/tape.h>

#include <cmath>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include "support.h"

namespace primer {
namespace {

Index bytes_in_use() { return storage_stats().bytes_in_use; }

Tensor leaf(std::initializer_list<double> values) { return tensor(values).requires_grad_(); }

// y = x, written as any new op would be; `in_backward` is called when its backward runs.
Tensor probe(const Tensor& x, std::function<void()> in_backward) {
    return record("probe", x.detach().clone(), {x},
                  [in_backward = std::move(in_backward)](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      in_backward();
                      dx.add(dy);
                  });
}

// 2x written over x, as any op in place would be written.
Tensor double_(const Tensor& x) {
    Real* values = begin_overwrite("double_", x);
    for (Index i = 0; i < x.numel(); ++i) values[i] *= 2;
    return record("double_", x, {x}, [](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(mul(dy, 2));
    });
}

}  // namespace

// --- Gradients ----------------------------------------------------------------------------------

TEST_CASE("tape: the gradients of a small graph, worked out by hand") {
    const Tensor a = leaf({2, 3}), b = leaf({5, 7});
    Tape tape;
    const Tensor c = mul(a, b), d = add(c, a);  // d = a (b + 1)
    const Tensor loss = sum(mul(d, c));         // sum a^2 b (b + 1)
    tape.backward(loss);
    CHECK(loss.item() == 4 * 5 * 6 + 9 * 7 * 8);
    check_values(a.grad(), {2}, {2.0 * 2 * 5 * 6, 2.0 * 3 * 7 * 8});  // 2 a b (b + 1)
    check_values(b.grad(), {2}, {4.0 * 11, 9.0 * 15});                // a^2 (2b + 1)
}

TEST_CASE("tape: a tensor that is used often gets the sum of all its gradients") {
    const Tensor x = leaf({3});
    Tape tape;
    const Tensor y = add(x, x), z = mul(y, x), u = sub(z, x);  // 2x^2 - x
    tape.backward(sum(add(u, mul(u, u))));                     // u + u^2, u = 15
    check_values(x.grad(), {1}, {(1 + 2 * 15.0) * (4 * 3 - 1)});
}

TEST_CASE("tape: gradients add up over calls of backward") {
    const Tensor x = leaf({1, 2});
    for (int step = 1; step <= 3; ++step) {
        Tape tape;
        tape.backward(sum(mul(x, x)));
        check_values(x.grad(), {2}, {2.0 * step, 4.0 * step});
    }
    x.set_grad({});
    Tape tape;
    tape.backward(sum(x));
    check_values(x.grad(), {2}, {1, 1});
}

TEST_CASE("tape: a gradient that somebody else holds is not added to in place") {
    const Tensor x = leaf({1, 2});
    const Tensor mine = tensor({10, 20});
    x.set_grad(mine);
    {
        Tape tape;
        tape.backward(sum(x));
    }
    check_values(x.grad(), {2}, {11, 21});
    check_values(mine, {2}, {10, 20});

    const Tensor kept = x.grad(), part = slice(x.grad(), 0, 1);
    {
        Tape tape;
        tape.backward(sum(x));
    }
    check_values(x.grad(), {2}, {12, 22});
    check_values(kept, {2}, {11, 21});
    check_values(part, {1}, {11});
}

TEST_CASE("tape: a gradient that nobody else holds is added to in place") {
    const Tensor x = leaf({1, 2});
    const Real* where = nullptr;
    for (int step = 1; step <= 3; ++step) {
        Tape tape;
        tape.backward(sum(mul(x, 3)));
        if (step == 1) where = x.grad().data();
        CHECK(x.grad().data() == where);
    }
    check_values(x.grad(), {2}, {9, 9});
}

TEST_CASE("tape: gradients of different leaves do not share memory") {
    const auto separate = [](const Tensor& a, const Tensor& b) {
        const Tensor kept = b.grad().clone();
        a.grad().fill_(77);
        for (Index i = 0; i < kept.numel(); ++i) CHECK(b.grad().data()[i] == kept.data()[i]);
        a.set_grad({});
        b.set_grad({});
    };
    const Tensor a = leaf({1, 2}), b = leaf({3, 4});
    SUBCASE("add") {
        Tape tape;
        tape.backward(sum(add(a, b)));
        separate(a, b);
    }
    SUBCASE("add as the loss itself") {
        const Tensor s = Tensor(1).requires_grad_(), t = Tensor(2).requires_grad_();
        Tape tape;
        tape.backward(add(s, t));
        separate(s, t);
    }
    SUBCASE("a chain of views") {
        Tape tape;
        tape.backward(sum(add(reshape(a, {2, 1}), reshape(b, {2, 1}))));
        separate(a, b);
    }
    SUBCASE("expand passes its gradient on") {
        Tape tape;
        tape.backward(sum(add(expand(a, {2}), b)));
        separate(a, b);
    }
    SUBCASE("over two calls") {
        for (int step = 0; step < 2; ++step) {
            Tape tape;
            tape.backward(sum(add(a, b)));
        }
        check_values(a.grad(), {2}, {2, 2});
        separate(a, b);
    }
}

TEST_CASE("tape: a gradient is a plain tensor") {
    const Tensor x = leaf({1, 2});
    Tape tape;
    tape.backward(sum(mul(x, x)));
    CHECK_FALSE(x.grad().requires_grad());
    CHECK_FALSE(x.grad().grad().defined());
    CHECK_NOTHROW(x.grad().mutable_data());
}

TEST_CASE("tape: leaves that the loss does not depend on get no gradient") {
    const Tensor x = leaf({1}), unused = leaf({2}), aside = leaf({3}), constant = tensor({4});
    Tape tape;
    neg(aside);
    tape.backward(sum(mul(x, constant)));
    CHECK(x.grad().defined());
    CHECK_FALSE(unused.grad().defined());
    CHECK_FALSE(aside.grad().defined());
    CHECK_FALSE(constant.grad().defined());
}

TEST_CASE("tape: a loss of one element may have any rank, and may be a leaf") {
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1, 1}}) {
        const Tensor x = full(shape, 3).requires_grad_();
        Tape tape;
        tape.backward(mul(x, x));
        check_values(x.grad(), shape, {6});
    }
    const Tensor x = Tensor(3).requires_grad_();
    Tape tape;
    mul(x, x);
    tape.backward(x);
    CHECK(x.grad().item() == 1);
}

TEST_CASE("tape: broadcasting is undone in the gradients") {
    const Tensor row = leaf({1, 2, 3}), number = Tensor(2).requires_grad_();
    const Tensor column = tensor({1, 1}, {2, 1}).requires_grad_();
    Tape tape;
    const Tensor y = mul(add(row, column), number);  // [2, 3]
    tape.backward(sum(y));
    check_values(row.grad(), {3}, {4, 4, 4});
    check_values(column.grad(), {2, 1}, {6, 6});
    check_values(number.grad(), {}, {18});  // sum of row + column
}

// --- What is recorded ---------------------------------------------------------------------------

TEST_CASE("tape: records the ops that have an input whose gradient is wanted, and no others") {
    const Tensor x = leaf({1, 2}), constant = tensor({3, 4});
    CHECK_FALSE(recording());
    CHECK_FALSE(mul(x, x).requires_grad());
    Tape tape;
    CHECK(recording());
    CHECK(tape.size() == 0);
    CHECK_FALSE(mul(constant, constant).requires_grad());
    CHECK(tape.size() == 0);
    CHECK(mul(constant, x).requires_grad());
    CHECK(tape.size() == 1);
    const Tensor y = neg(exp(x));
    CHECK(tape.size() == 3);
    CHECK_FALSE(mul(y.detach(), 2).requires_grad());
    CHECK(tape.size() == 3);
}

TEST_CASE("tape: a spent tape records nothing more, though it still lives") {
    const Tensor x = leaf({2});
    Tape tape;
    const Tensor y = mul(x, x);
    tape.backward(y);
    const Index size = tape.size();
    CHECK_FALSE(recording());
    CHECK_FALSE(neg(x).requires_grad());
    CHECK_FALSE(neg(y).requires_grad());
    CHECK(tape.size() == size);
    Tape next;  // the next step's Tape may begin in the same scope
    next.backward(neg(x));
    check_values(x.grad(), {1}, {4 - 1});
}

TEST_CASE("tape: NoGrad stops the recording of its thread while it lives" *
          doctest::skip(kOneThread)) {
    const Tensor x = leaf({2});
    Tape tape;
    {
        const NoGrad outer;
        CHECK_FALSE(recording());
        CHECK_FALSE(neg(x).requires_grad());
        {
            const NoGrad inner;
            CHECK_FALSE(recording());
        }
        CHECK_FALSE(recording());
        std::thread([] {
            Tape elsewhere;
            CHECK(recording());
        }).join();
    }
    CHECK(recording());
    try {
        const NoGrad guard;
        fail("leaves its scope by an exception");
    } catch (const Error&) {
    }
    CHECK(recording());
    CHECK(tape.size() == 0);
    CHECK(neg(x).requires_grad());
}

TEST_CASE("tape: a tape made under NoGrad records as soon as NoGrad ends") {
    const Tensor x = leaf({2});
    auto guard = std::make_unique<NoGrad>();
    Tape tape;
    CHECK_FALSE(neg(x).requires_grad());
    guard.reset();
    tape.backward(neg(x));
    check_values(x.grad(), {1}, {-1});
}

TEST_CASE("tape: backward may run under NoGrad") {
    const Tensor x = leaf({2});
    Tape tape;
    const Tensor y = mul(x, x);
    const NoGrad guard;
    tape.backward(y);
    check_values(x.grad(), {1}, {4});
}

TEST_CASE("tape: another thread's ops are not on it" * doctest::skip(kOneThread)) {
    const Tensor x = leaf({2});
    Tape tape;
    std::thread([&] {
        CHECK_FALSE(recording());
        CHECK_FALSE(neg(x).requires_grad());
    }).join();
    CHECK(tape.size() == 0);
}

TEST_CASE("tape: evaluation without a tape keeps nothing") {
    Rng rng(1);
    const Tensor w = randn({50, 50}, rng).requires_grad_(), x = randn({20, 50}, rng);
    Tensor y = relu(linear(x, w, {}));
    const Index before = bytes_in_use();
    for (int i = 0; i < 50; ++i) y = relu(linear(x, w, {}));
    CHECK(bytes_in_use() == before);
    CHECK_FALSE(y.requires_grad());
}

// --- Misuse -------------------------------------------------------------------------------------

TEST_CASE("tape: a second backward is an error that says so") {
    const Tensor x = leaf({2});
    Tape tape;
    const Tensor y = mul(x, x);
    tape.backward(y);
    check_error([&] { tape.backward(y); },
                {"backward: this Tape is spent", "once", "make a new one for each step"});
    check_values(x.grad(), {1}, {4});
}

TEST_CASE("tape: backward of more or fewer elements than one") {
    const Tensor x = leaf({1, 2});
    Tape tape;
    const Tensor y = mul(x, x);
    check_error([&] { tape.backward(y); },
                {"backward: expected a loss of one element, got shape [2]",
                 "did you forget mean() or sum()?"});
    check_error([&] { tape.backward(slice(y, 0, 0)); }, {"got shape [0]"});
    check_error([&] { tape.backward(Tensor()); }, {"undefined"});
    tape.backward(sum(y));  // no harm done
    check_values(x.grad(), {2}, {2, 4});
}

TEST_CASE("tape: backward of a loss that is not on this tape") {
    const std::initializer_list<const char*> message{"backward: the loss of shape []",
                                                     "is not on this Tape"};
    const Tensor x = Tensor(2).requires_grad_();
    SUBCASE("made before the tape") {
        const Tensor y = neg(x);
        Tape tape;
        check_error([&] { tape.backward(y); }, message);
    }
    SUBCASE("made on an earlier tape") {
        Tensor y;
        {
            Tape tape;
            y = neg(x);
        }
        Tape tape;
        check_error([&] { tape.backward(y); }, message);
    }
    SUBCASE("made under NoGrad") {
        Tape tape;
        const NoGrad guard;
        const Tensor y = neg(x);
        check_error([&] { tape.backward(y); }, message);
    }
    SUBCASE("made from tensors that ask for no gradient") {
        Tape tape;
        const Tensor y = neg(Tensor(3));
        check_error([&] { tape.backward(y); }, message);
    }
    SUBCASE("a leaf that no op has used") {
        Tape tape;
        check_error([&] { tape.backward(x); }, message);
    }
}

TEST_CASE("tape: one recording tape per thread" * doctest::skip(kOneThread)) {
    const Tensor x = leaf({2});
    Tape tape;
    check_error([] { Tape inner; }, {"Tape: this thread has a Tape that is still recording",
                                     "call its backward() or end its scope first"});
    const NoGrad guard;
    check_error([] { Tape inner; }, {"still recording"});
    CHECK(tape.size() == 0);
    std::thread([] { const Tape another; }).join();
}

TEST_CASE("tape: the failed attempt at a second tape leaves the first recording") {
    const Tensor x = leaf({2});
    Tape tape;
    check_error([] { Tape inner; }, {"still recording"});
    tape.backward(neg(x));
    check_values(x.grad(), {1}, {-1});
}

TEST_CASE("tape: the result of an earlier tape needs detach() on a new one") {
    const Tensor x = leaf({2});
    Tensor hidden;
    {
        Tape tape;
        hidden = mul(x, x);
        tape.backward(hidden);
    }
    CHECK(hidden.requires_grad());
    CHECK_NOTHROW(mul(hidden, 3));  // without a tape nobody asks for its past
    Tape tape;
    check_error(
        [&] { mul(hidden, x); },
        {"mul: a tensor of shape [1] was computed while another Tape was recording", "detach()"});
    tape.backward(mul(hidden.detach(), x));
    check_values(x.grad(), {1}, {4 + 4});  // 2x of the first, 4 of the second
}

TEST_CASE("tape: a leaf may be used on any number of tapes, with and without backward") {
    const Tensor x = leaf({2});
    {
        Tape abandoned;
        neg(x);
    }
    {
        Tape tape;
        tape.backward(neg(x));
    }
    Tape tape;
    tape.backward(mul(x, 5));
    check_values(x.grad(), {1}, {-1 + 5});
}

TEST_CASE("tape: a leaf that asks for its gradient only later is a constant until then") {
    const Tensor x = leaf({2}), y = tensor({3});
    Tape tape;
    const Tensor before = mul(x, y);
    y.requires_grad_();
    tape.backward(sum(add(before, mul(x, y))));
    check_values(x.grad(), {1}, {6});
    check_values(y.grad(), {1}, {2});
}

TEST_CASE("tape: a backward of the wrong shape is an error that names the op") {
    const Tensor x = leaf({1, 2, 3});
    const auto backward_of_shape = [&](const Shape& shape) {
        Tape tape;
        const Tensor y = record("strange", x.detach().clone(), {x},
                                [=](const Tensor&, std::span<Grad> dx) { dx[0].add(ones(shape)); });
        tape.backward(sum(y));
    };
    check_error([&] { backward_of_shape({}); },
                {"strange: backward has a gradient of shape [] for an input of shape [3]"});
    check_error([&] { backward_of_shape({1}); }, {"strange: ", "[1]", "[3]"});
    check_error([&] { backward_of_shape({4}); }, {"strange: ", "[4]", "[3]"});
    CHECK_FALSE(x.grad().defined());
    backward_of_shape({2, 3});  // as if x had been broadcast
    check_values(x.grad(), {3}, {2, 2, 2});
}

// --- Changes in place ---------------------------------------------------------------------------

TEST_CASE("tape: a value that a backward needs may not be changed in between") {
    struct Case {
        const char* op;
        std::function<Tensor(const Tensor&, const Tensor&)> f;
    };
    const std::vector<Case> cases{
        {"mul", [](const Tensor& x, const Tensor& w) { return mul(x, w); }},
        {"mul", [](const Tensor& x, const Tensor& w) { return mul(w, x); }},
        {"div", [](const Tensor& x, const Tensor& w) { return div(x, w); }},
        {"div", [](const Tensor& x, const Tensor& w) { return div(w, x); }},
        {"pow", [](const Tensor& x, const Tensor& w) { return pow(x, w); }},
        {"log", [](const Tensor& x, const Tensor&) { return log(x); }},
        {"max", [](const Tensor& x, const Tensor&) { return max(x); }},
        {"matmul", [](const Tensor& x, const Tensor& w) { return matmul(x, w); }},
        {"linear", [](const Tensor& x, const Tensor& w) { return linear(x, w, {}); }},
        {"linear", [](const Tensor& x, const Tensor& w) { return linear(w, x, {}); }},
    };
    for (const Case& c : cases) {
        CAPTURE(c.op);
        const Tensor x = full({2, 2}, 2).requires_grad_(), w = full({2, 2}, 3).requires_grad_();
        Tape tape;
        const Tensor loss = sum(c.f(x, w));
        x.fill_(5);
        const std::string op = std::string(c.op) + ": backward needs a value of shape [2, 2]";
        check_error([&] { tape.backward(loss); }, {op.c_str(), "fill_ has changed in place",
                                                   "call backward() before that", "clone()"});
    }
}

TEST_CASE("tape: nor may a result that a backward needs be changed through a view that shares it") {
    struct Case {
        const char* op;
        std::function<Tensor(const Tensor&)> f;
    };
    const std::vector<Case> cases{
        {"exp", [](const Tensor& x) { return exp(x); }},
        {"sqrt", [](const Tensor& x) { return sqrt(x); }},
        {"relu", [](const Tensor& x) { return relu(x); }},
        {"softmax", [](const Tensor& x) { return softmax(x, 0); }},
        {"log_softmax", [](const Tensor& x) { return log_softmax(x, 0); }},
    };
    for (const Case& c : cases) {
        CAPTURE(c.op);
        const Tensor x = leaf({1, 2, 3});
        Tape tape;
        const Tensor y = c.f(x);
        x.fill_(0);  // not needed
        const Tensor loss = sum(y);
        slice(y.detach(), 0, 1).copy_(tensor({7}));
        const std::string op = std::string(c.op) + ": backward needs a value of shape [3]";
        check_error([&] { tape.backward(loss); }, {op.c_str(), "copy_ has changed in place"});
    }
}

TEST_CASE("tape: the writer that is named is the last one, and may name itself") {
    const Tensor x = leaf({2});
    Tape tape;
    const Tensor y = mul(x, x);
    x.fill_(1);
    x.mutable_data("SGD.step");
    check_error([&] { tape.backward(y); }, {"that SGD.step has changed in place"});
}

TEST_CASE("tape: values that no backward needs may be changed") {
    const std::vector<std::function<Tensor(const Tensor&, const Tensor&)>> cases{
        [](const Tensor& x, const Tensor& w) { return add(x, w); },
        [](const Tensor& x, const Tensor& w) { return sub(w, x); },
        [](const Tensor& x, const Tensor&) { return neg(x); },
        [](const Tensor& x, const Tensor&) { return mul(x, 3); },
        [](const Tensor& x, const Tensor&) { return mul(3, x); },
        [](const Tensor& x, const Tensor&) { return div(x, 3); },
        [](const Tensor& x, const Tensor&) { return sum(x, 0); },
        [](const Tensor& x, const Tensor&) { return mean(x); },
        [](const Tensor& x, const Tensor&) { return max(x, 1); },
        [](const Tensor& x, const Tensor&) { return transpose(x, 0, 1); },
        [](const Tensor& x, const Tensor& w) {
            return concat({w, x});
        },
        [](const Tensor& x, const Tensor&) {
            return expand(x, {3, 2, 2});
        },
        [](const Tensor& x, const Tensor&) {
            return matmul(x, ones({2, 2}));
        },
        [](const Tensor& x, const Tensor&) {
            return linear(x, ones({2, 2}), ones({2}));
        },
        [](const Tensor& x, const Tensor&) {
            return linear(ones({2, 2}), x, {});
        },
        [](const Tensor& x, const Tensor&) {
            return cross_entropy(x, {0, 1});
        },
        [](const Tensor& x, const Tensor& w) { return mse_loss(x, w); },
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(i);
        const Tensor x = tensor({1, 2, 3, 4}, {2, 2}).requires_grad_();
        const Tensor w = full({2, 2}, 3).requires_grad_();
        Tensor expected;
        {
            Tape tape;
            tape.backward(sum(cases[i](x, w)));
            expected = x.grad();
            x.set_grad({});
        }
        Tape tape;
        const Tensor loss = sum(cases[i](x, w));
        x.fill_(100);
        CHECK_NOTHROW(tape.backward(loss));
        for (Index k = 0; k < 4; ++k) CHECK(x.grad().data()[k] == expected.data()[k]);
    }
}

TEST_CASE("tape: a value that only an unwanted gradient needs is not kept") {
    const Tensor x = leaf({2}), constant = tensor({3});
    Tape tape;
    const Tensor y = mul(x, constant);
    x.fill_(9);  // d(mul)/d(constant) would need it
    tape.backward(y);
    check_values(x.grad(), {1}, {3});
}

TEST_CASE("tape: what no backward needs is free as soon as its tensor is gone") {
    constexpr Index size = 1 << 14;
    constexpr Index bytes = size * Index{sizeof(Real)};
    const Tensor x = ones({128, 128}).requires_grad_(), constant = full({128, 128}, 2);
    // How much of its input `f` keeps; add() makes the input but does not keep it.
    const auto kept = [&](const std::function<Tensor(const Tensor&)>& f) {
        const Index start = bytes_in_use();
        Tape tape;
        const Tensor y = f(add(x, 1));
        return bytes_in_use() - start - bytes;  // without y itself
    };
    CHECK(kept([&](const Tensor& t) { return mul(t, constant); }) == 0);
    CHECK(kept([&](const Tensor& t) { return mul(constant, t); }) == 0);
    CHECK(kept([&](const Tensor& t) { return div(t, constant); }) == 0);
    CHECK(kept([&](const Tensor& t) { return matmul(t, constant); }) == 0);
    CHECK(kept([&](const Tensor& t) { return matmul(constant, t); }) == 0);
    CHECK(kept([&](const Tensor& t) { return linear(t, constant, {}); }) == 0);
    CHECK(kept([&](const Tensor& t) { return linear(constant, t, {}); }) == 0);
    CHECK(kept([](const Tensor& t) { return exp(t); }) == 0);
    CHECK(kept([](const Tensor& t) { return relu(t); }) == 0);
    CHECK(kept([](const Tensor& t) { return softmax(t, 0); }) == 0);
    CHECK(kept([](const Tensor& t) { return neg(t); }) == 0);
    CHECK(kept([](const Tensor& t) { return transpose(t, 0, 1); }) == 0);
    CHECK(kept([](const Tensor& t) { return concat({t}); }) == 0);
    // Where the gradient needs it, it is kept.
    CHECK(kept([](const Tensor& t) { return mul(t, t); }) == bytes);
    CHECK(kept([&](const Tensor& t) { return mul(t, x); }) == bytes);
    CHECK(kept([](const Tensor& t) { return log(t); }) == bytes);
}

TEST_CASE("tape: a recorded result cannot be changed while its tape is recording") {
    const Tensor x = leaf({2});
    Tape tape;
    const Tensor y = add(x, 1), part = slice(y, 0, 1);
    const std::initializer_list<const char*> message{
        "fill_: a tensor of shape [1] that the running Tape has recorded",
        "change a detach().clone()"};
    check_error([&] { y.fill_(0); }, message);
    check_error([&] { part.fill_(0); }, message);
    check_error([&] { y.mutable_data(); }, {"a write through mutable_data(): "});
    {
        const NoGrad guard;  // does not help: the tape would not see the change
        check_error([&] { y.fill_(0); }, message);
    }
    CHECK_NOTHROW(x.fill_(5));
    CHECK_NOTHROW(y.detach().clone().fill_(0));
    CHECK_NOTHROW(neg(tensor({1})).fill_(0));
    tape.backward(y);
    CHECK_NOTHROW(y.fill_(0));
}

TEST_CASE("tape: an op in place stands for its result in every handle") {
    const Tensor x = leaf({1, 3});
    Tape tape;
    const Tensor y = mul(x, x), same = y;
    const Tensor z = double_(y);
    CHECK(z.data() == y.data());
    check_values(same, {2}, {2, 18});
    tape.backward(sum(mul(same, z)));            // (2x^2)^2
    check_values(x.grad(), {2}, {16, 16 * 27});  // 16 x^3
}

TEST_CASE("tape: an op in place spoils the value that a backward needs") {
    const Tensor x = leaf({1, 3});
    Tape tape;
    const Tensor y = exp(x);
    double_(y);
    check_error([&] { tape.backward(sum(y)); },
                {"exp: backward needs a value of shape [2] that double_ has changed in place"});
}

TEST_CASE("tape: no op in place on a leaf that wants its gradient, while recording") {
    const Tensor x = leaf({1, 3}), constant = tensor({1, 3});
    double_(x);  // nobody records
    check_values(x, {2}, {2, 6});
    Tape tape;
    check_error(
        [&] { double_(x); },
        {"double_: a leaf of shape [2] that asks for its gradient cannot be changed in place",
         "returns a new tensor"});
    check_values(x, {2}, {2, 6});
    check_values(double_(constant), {2}, {2, 6});
    CHECK(tape.size() == 0);
    {
        const NoGrad guard;  // as an initialiser would
        CHECK_NOTHROW(double_(x));
    }
}

TEST_CASE("tape: nor on a view of such a leaf, however it was taken") {
    const Tensor x = leaf({1, 3}), constant = tensor({1, 3});
    Tape tape;
    const Tensor column = reshape(x, {2, 1});
    const auto refused = [](const Tensor& view, const char* message) {
        check_error([&] { double_(view); }, {message, "while a Tape is recording"});
    };
    refused(column, "double_: a view of shape [2, 1] of a leaf that asks for its gradient");
    refused(slice(column, 1, 2), "double_: a view of shape [1, 1] of a leaf");
    refused(flatten(column), "double_: a view of shape [2] of a leaf");
    check_values(x, {2}, {1, 3});
    // Harmless look-alikes: a view of no leaf, of a constant, and values as constants.
    CHECK_NOTHROW(double_(reshape(neg(x), {2, 1})));
    CHECK_NOTHROW(double_(reshape(constant, {2, 1})));
    CHECK_NOTHROW(double_(x.clone()));
    CHECK_NOTHROW(double_(reshape(x.detach(), {2, 1})));
}

TEST_CASE("tape: an op in place refuses a tensor of an earlier tape before it writes") {
    const Tensor x = leaf({1, 3});
    Tensor hidden;
    {
        const Tape tape;
        hidden = neg(x);
    }
    const Tape tape;
    check_error([&] { double_(hidden); }, {"double_: a tensor of shape [2] was computed while "
                                           "another Tape was recording"});
    check_values(hidden, {2}, {-1, -3});
}

TEST_CASE("tape: no op in place under NoGrad on what the tape has recorded") {
    const Tensor x = leaf({1, 3});
    Tape tape;
    const Tensor y = add(x, 1);
    const NoGrad guard;
    check_error([&] { double_(y); }, {"double_: a tensor of shape [2] that the running Tape has "
                                      "recorded cannot be changed in place under NoGrad"});
    check_values(y, {2}, {2, 4});
    CHECK_NOTHROW(double_(y.clone()));
}

TEST_CASE("tape: a result that was changed through another tensor has lost its past") {
    const Tensor x = leaf({1, 3});
    const std::initializer_list<const char*> message{
        "neg: a tensor of shape [2] has been changed in place by ",
        "through another tensor that shares its memory"};
    SUBCASE("by an op in place on a view") {
        Tape tape;
        const Tensor y = add(x, 1);
        double_(reshape(y, {2, 1}));
        check_error([&] { neg(y); }, message);
        check_error([&] { double_(y); },
                    {"double_: a tensor of shape [2] has been changed in place by "
                     "double_ through another tensor"});
    }
    SUBCASE("by an op in place on what it is a view of") {
        Tape tape;
        const Tensor y = add(x, 1), part = slice(y, 0, 2);
        double_(y);
        check_error([&] { neg(part); }, message);
        CHECK_NOTHROW(neg(y));
    }
    SUBCASE("by a write through detach()") {
        Tape tape;
        const Tensor y = add(x, 1);
        y.detach().fill_(0);
        check_error([&] { neg(y); }, message);
    }
    SUBCASE("nor can it be a loss") {
        Tape tape;
        const Tensor loss = sum(x);
        double_(reshape(loss, {1}));
        CHECK(loss.item() == 8);
        check_error([&] { tape.backward(loss); },
                    {"backward: a tensor of shape [] has been changed in place by double_ through "
                     "another tensor"});
        CHECK_FALSE(x.grad().defined());
    }
    SUBCASE("but a leaf may be changed, because it has no past") {
        Tape tape;
        x.detach().fill_(2);
        tape.backward(sum(mul(x, x)));
        check_values(x.grad(), {2}, {4, 4});
    }
}

// --- Depth, memory, exceptions ------------------------------------------------------------------

TEST_CASE("tape: a million ops deep, run and freed without recursion") {
    constexpr int depth = 1'000'000;
    const Tensor x = leaf({1});
    const auto chain = [&] {
        Tensor y = x;
        for (int i = 0; i < depth; ++i) y = neg(y);
        return y;
    };
    const Index before = bytes_in_use();
    {
        Tape tape;
        const Tensor y = chain();
        CHECK(tape.size() == depth);
        tape.backward(y);
        check_values(x.grad(), {1}, {1});
        x.set_grad({});
    }
    {
        Tape tape;
        chain();
    }  // destroyed unspent
    CHECK(bytes_in_use() == before);
}

TEST_CASE("tape: backward gives memory back as it goes") {
    constexpr Index layers = 8, size = 1 << 16;
    const Index start = bytes_in_use();
    std::vector<Index> during;
    {
        const Tensor x = zeros({size}).requires_grad_();
        Tape tape;
        {
            Tensor y = x;
            for (Index i = 0; i < layers; ++i) {
                y = probe(exp(neg(y)), [&] { during.push_back(bytes_in_use()); });
            }
            const Tensor loss = sum(y);
            y = {};
            tape.backward(loss);
        }
        CHECK(during.size() == layers);
        // Each layer kept one result, for exp; it is free before the layer below runs.
        for (std::size_t i = 1; i < during.size(); ++i) {
            CHECK(during[i] <= during[i - 1] - size * Index{sizeof(Real)});
        }
        // The tape still lives, but holds nothing: x, its gradient and the loss's 64 bytes are
        // left.
        CHECK(bytes_in_use() <= start + 2 * size * Index{sizeof(Real)} + 64);
    }
    CHECK(bytes_in_use() == start);
}

TEST_CASE("tape: closures that keep their op's output do not leak") {
    const Index start = bytes_in_use();
    for (const bool with_backward : {false, true}) {
        const Tensor x = ones({100, 100}).requires_grad_();
        Tape tape;
        const Tensor y = max(softmax(sqrt(exp(relu(x))), 1));
        if (with_backward) tape.backward(y);
    }
    CHECK(bytes_in_use() == start);
}

TEST_CASE("tape: tensors may outlive their tape, and hold nothing but their own values") {
    const Index start = bytes_in_use();
    Tensor y;
    {
        const Tensor x = ones({1000}).requires_grad_();
        Tape tape;
        y = sum(exp(mul(x, x)));
    }
    CHECK(bytes_in_use() == start + 64);
    y = {};
    CHECK(bytes_in_use() == start);
}

TEST_CASE("tape: an exception in a backward leaves everything usable") {
    const Index start = bytes_in_use();
    {
        const Tensor x = ones({1000}).requires_grad_();
        {
            Tape tape;
            const Tensor y = exp(probe(exp(x), [] { fail("from a backward"); }));
            check_error([&] { tape.backward(sum(y)); }, {"from a backward"});
            check_error([&] { tape.backward(sum(y)); }, {"spent"});
            CHECK_FALSE(recording());
            CHECK_FALSE(x.grad().defined());
        }
        Tape tape;
        tape.backward(sum(x));
        CHECK(x.grad().data()[999] == 1);
    }
    CHECK(bytes_in_use() == start);
}

TEST_CASE("tape: ops in a backward are not recorded") {
    const Tensor x = leaf({3});
    Tape tape;
    const Tensor y = probe(x, [&] {
        CHECK_FALSE(recording());
        CHECK_FALSE(neg(x).requires_grad());
    });
    tape.backward(y);
    check_values(x.grad(), {1}, {1});
}

// --- What closures keep, and when ops are done ---------------------------------------------------

TEST_CASE("tape: a closure reports what its captures keep, but only when asked") {
    const Tensor x = ones({3}), part = slice(ones({10}), 4, 6);
    const Index each = sizeof(Real);
    const Backward nothing = [x](const Tensor&, std::span<Grad>) { CHECK(x.defined()); };
    CHECK(captures_of(nothing).empty());

    const SavedBytes bytes(16);
    const SavedList<double> list({1, 2, 3});
    const Backward backward = [x = Saved(x), part = Saved(part), none = Saved(x, false), bytes,
                               list](const Tensor&, std::span<Grad>) {};
    const std::vector<Kept> kept = captures_of(backward);
    REQUIRE(kept.size() == 4);
    CHECK(kept[0].memory == x.impl().storage.get());
    CHECK(kept[0].bytes == 3 * each);
    CHECK(kept[0].tensor.handle() == x.handle());
    CHECK(kept[1].bytes == 10 * each);
    CHECK(kept[1].tensor.shape() == Shape{2});
    CHECK(kept[2].bytes == 16);
    CHECK_FALSE(kept[2].tensor.defined());
    CHECK(kept[3].bytes == 24);
    CHECK(captures_of(backward).size() == 4);  // it is unchanged
    CHECK(captures_of(Backward()).empty());

    const SavedBytes copy = bytes;
    CHECK(copy.data() == bytes.data());
    CHECK(list->size() == 3);
    CHECK((*list)[2] == 3);
}

TEST_CASE("tape: a watcher is told of each op, forward and backward") {
    const Tensor x = leaf({3});
    using Event = std::pair<Tape::Pass, Index>;
    std::vector<Event> events;
    Tape tape;
    tape.watch([&](Tape::Pass pass, Index op) { events.emplace_back(pass, op); });
    neg(ones({1}));  // not recorded
    const Tensor y = exp(x);
    neg(y);  // does not lead to the loss, so its backward is not run
    tape.backward(mul(y, x));
    CHECK(events == std::vector<Event>{{Tape::Pass::forward, 0},
                                       {Tape::Pass::forward, 1},
                                       {Tape::Pass::forward, 2},
                                       {Tape::Pass::backward, 2},
                                       {Tape::Pass::backward, 0}});
}

// --- Threads -------------------------------------------------------------------------------------

TEST_CASE("tape: the tapes of several threads share a parameter, whose gradients add up" *
          doctest::skip(kOneThread)) {
    const Parameter w(tensor({2}));
    constexpr int threads = 8, steps = 200;
    std::vector<std::thread> running;
    for (int k = 0; k < threads; ++k) {
        running.emplace_back([&w, k] {
            for (int step = 0; step < steps; ++step) {
                Tape tape;
                Tensor x = ones({1});
                for (int i = 0; i <= k; ++i) x = x + w;  // dx/dw = k + 1
                tape.backward(sum(x));
            }
        });
    }
    for (std::thread& thread : running) thread.join();
    check_values(w.grad(), {1}, {steps * threads * (threads + 1) / 2.0});
}

TEST_CASE("tape: threads may drop and read a shared gradient at once" * doctest::skip(kOneThread)) {
    const Parameter w(tensor({2}));
    std::vector<std::thread> running;
    for (int k = 0; k < 4; ++k) {
        running.emplace_back([&w] {
            for (int step = 0; step < 500; ++step) {
                Tape tape;
                tape.backward(sum(w * w));
                const Tensor grad = w.grad();
                if (grad.defined()) CHECK(std::fmod(grad.item(), Real(4)) == 0);
                w.set_grad({});
            }
        });
    }
    for (std::thread& thread : running) thread.join();
}

TEST_CASE("tape: a Tape may end on another thread, but runs backward only on its own" *
          doctest::skip(kOneThread)) {
    const Tensor x = leaf({3});
    auto tape = std::make_unique<Tape>();
    const Tensor y = sum(x * x);
    std::thread([&] {
        check_error([&] { tape->backward(y); }, {"backward: this Tape was made on another thread"});
        CHECK_FALSE(recording());
        tape.reset();
    }).join();
    CHECK_FALSE(recording());
    Tape next;  // this thread no longer has one
    next.backward(sum(x * x));
    check_values(x.grad(), {1}, {6});
}

TEST_CASE("tape: a Tape, or a NoGrad, may outlive the thread that made it" *
          doctest::skip(kOneThread)) {
    std::unique_ptr<Tape> tape;
    std::unique_ptr<NoGrad> guard;
    std::thread([&] {
        tape = std::make_unique<Tape>();
        guard = std::make_unique<NoGrad>();
    }).join();
    tape.reset();
    guard.reset();
    const Tape here;
    CHECK(recording());
}

TEST_CASE("tape: a NoGrad that ends on another thread ends for its own" *
          doctest::skip(kOneThread)) {
    const Tape tape;
    auto guard = std::make_unique<NoGrad>();
    CHECK_FALSE(recording());
    std::thread([&] {
        guard.reset();
        const Tape other;
        CHECK(recording());
    }).join();
    CHECK(recording());
}

TEST_CASE("tape: an op must not return a leaf that asks for its gradient") {
    const Tensor x = leaf({3}), w = leaf({1});
    const Tape tape;
    check_error([&] { record("mine", w, {x}, [](const Tensor&, std::span<Grad>) {}); },
                {"mine: the output, of shape [1], is a leaf"});
    CHECK_NOTHROW(w.requires_grad_());
}

TEST_CASE("tape: an undefined input is one whose gradient nobody wants") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    const auto scaled = [](const Tensor& a, const Tensor& missing) {
        return record("scaled", a.detach() * 3, {missing, a, missing},
                      [](const Tensor& dy, std::span<Grad> d) {
                          REQUIRE(d.size() == 3);
                          CHECK_FALSE(d[0].wanted());
                          CHECK_FALSE(d[2].wanted());
                          d[2].add({});  // does nothing
                          Grad& da = d[1];
                          da.add(dy * 3);
                      });
    };
    Tape tape;
    tape.backward(sum(scaled(x, {})));
    check_values(x.grad(), {2}, {3, 3});
    // All undefined: nothing is recorded.
    const Tape other;
    const Tensor y = record("none", ones({2}), {Tensor()}, [](const Tensor&, std::span<Grad>) {});
    CHECK_FALSE(y.requires_grad());
    CHECK(other.size() == 0);
}

TEST_CASE("tape: a hook is told of every op, recorded or not, with its cost" *
          doctest::skip(kOneThread)) {
    struct Ops : OpHook {
        void called(const Op& op) override {
            text += std::string(op.name) + ' ' +
                    (op.multiply_adds ? std::to_string(*op.multiply_adds) : "?") + ", ";
        }
        std::string text;
    };
    const Tensor x = ones({2, 3}).requires_grad_(), w = ones({4, 3});
    Ops outer;
    {
        Ops inner;
        relu(linear(x, w, {}));  // no tape
        CHECK(inner.text == "linear 24, relu 0, ");
    }
    {
        Tape tape;
        linear(x, w, ones({4}));
        matmul(x, ones({2, 3, 5}));
        const NoGrad unrecorded;
        conv2d(ones({2, 3, 4, 4}), ones({6, 3, 3, 3}), ones({6}), {.padding = 1});
        record("own", ones({1}), {x}, {});
    }
    CHECK(outer.text == "linear 24, relu 0, linear 32, matmul 60, conv2d 5376, own ?, ");
    std::thread([&] { relu(x); }).join();
    CHECK(outer.text.ends_with("own ?, "));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

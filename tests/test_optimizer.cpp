#include <primer/optim/optimizer.h>

#include <type_traits>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

// The simplest optimizer: w = w - lr sum, where sum is that of all gradients so far.
class Summing : public Optimizer {
  public:
    explicit Summing(std::vector<Parameter> parameters)
        : Optimizer("Summing", std::move(parameters), {"sum", "unused"}) {}

    void step() override {
        for (std::size_t i = 0; i < parameters().size(); ++i) {
            const Parameter& w = parameters()[i];
            if (!w.grad().defined()) continue;
            Tensor& sum = state("sum")[i];
            sum = sum.defined() ? sum + w.grad() : w.grad().clone();
            w.copy_(w - sum * lr());
        }
    }
    Index group_count() const override { return 1; }

  private:
    Only<double>& lr_of(Index) override { return lr_; }
    Only<double> lr_ = 1;
};

Parameter parameter(std::initializer_list<double> values) { return Parameter(tensor(values)); }

void step(Optimizer& optimizer, std::initializer_list<double> grad) {
    optimizer.parameters()[0].set_grad(tensor(grad));
    optimizer.step();
}

TEST_CASE("optimizer: its parameters are the model's own, not copies") {
    const Parameter a = parameter({1}), b = parameter({2, 3});
    Summing optimizer({a, b});
    REQUIRE(optimizer.parameters().size() == 2);
    CHECK(&optimizer.parameters()[0].impl() == &a.impl());
    CHECK(&optimizer.parameters()[1].impl() == &b.impl());
}

TEST_CASE("optimizer: zero_grad drops the gradients") {
    const Parameter a = parameter({1}), b = parameter({2, 3});
    Summing optimizer({a, b});
    const auto backward = [&] {
        Tape tape;
        tape.backward(a * 3 + sum(b));
    };
    backward();
    backward();
    check_values(a.grad(), {1}, {6});  // without zero_grad they add up
    optimizer.zero_grad();
    CHECK_FALSE(a.grad().defined());
    CHECK_FALSE(b.grad().defined());
    backward();
    check_values(a.grad(), {1}, {3});
    check_values(b.grad(), {2}, {1, 1});
    optimizer.zero_grad();
    optimizer.zero_grad();  // having nothing to drop is no error
}

TEST_CASE("optimizer: bad parameters") {
    const Parameter a = parameter({1}), b = parameter({2, 3});
    check_error([] { Summing({}); }, {"Summing: expected at least one parameter, got none"});
    check_error(
        [&] {
            Summing({b, a, b});
        },
        {"Summing: the parameters 0 and 2 are the same one, of shape [2]", "update it twice"});
    check_error([&] { Summing({a, Parameter()}); }, {"Summing: parameter 1 is undefined"});
}

TEST_CASE("optimizer: learning rates of the groups") {
    SGD optimizer({{.parameters = {parameter({1})}, .options = {.lr = 0.5}},
                   {.parameters = {parameter({1})}, .options = {.lr = 0.25}}});
    Optimizer& base = optimizer;
    CHECK(base.group_count() == 2);
    CHECK(base.lr() == 0.5);
    CHECK(base.lr(1) == 0.25);
    base.set_lr(0.125, 1);
    CHECK(base.lr() == 0.5);
    CHECK(base.lr(1) == 0.125);
    base.set_lr(2);
    CHECK(base.lr() == 2);
    CHECK(base.lr(1) == 2);
    CHECK(optimizer.options(1).lr == 2);
    check_error([&] { base.lr(2); }, {"SGD: there is no group 2 among 2"});
    check_error([&] { base.set_lr(1, -1); }, {"SGD: there is no group -1 among 2"});
}

TEST_CASE("optimizer: state by name, only what exists yet") {
    const Parameter a = parameter({1, 2}), b = parameter({3});
    Summing optimizer({b, a});
    CHECK(optimizer.named_state().empty());
    a.set_grad(tensor({5, 7}));
    optimizer.step();
    const auto state = optimizer.named_state();
    REQUIRE(state.size() == 1);
    CHECK(state[0].first == "1.sum");
    check_values(state[0].second, {2}, {5, 7});
}

TEST_CASE("optimizer: a saved state continues where it was") {
    const Parameter w = parameter({0, 0}), copy = parameter({0, 0});
    Summing optimizer({w});
    step(optimizer, {1, 2});
    auto state = optimizer.named_state();

    Summing resumed({copy});
    copy.copy_(w);
    step(resumed, {100, 100});  // state that will be forgotten
    copy.copy_(w);
    resumed.load_state(state);
    step(optimizer, {3, 4});
    step(resumed, {3, 4});
    check_values(w, {2}, {-1 - 4, -2 - 6});  // sums [1, 2], then [4, 6]
    check_values(copy, {2}, {-5, -8});

    // The loaded state is a copy; what a saved state does not have is forgotten.
    resumed.load_state(state);
    state[0].second.fill_(1000);
    check_values(resumed.named_state()[0].second, {2}, {1, 2});
    resumed.load_state({});
    CHECK(resumed.named_state().empty());
}

TEST_CASE("optimizer: a state that does not fit is refused entirely") {
    Summing optimizer({parameter({1, 2}), parameter({3})});
    optimizer.load_state({{"0.sum", tensor({5, 6})}});
    check_error(
        [&] {
            optimizer.load_state({{"1.sum", tensor({7})}, {"0.sum", zeros({3})}});
        },
        {"Summing::load_state: expected 0.sum of shape [2], got [3]"});
    check_error(
        [&] {
            optimizer.load_state({{"0.sum", tensor({7, 8})}, {"2.sum", zeros({1})}});
        },
        {"Summing::load_state: there is nothing called 2.sum among the 2 parameters"});
    check_error(
        [&] {
            optimizer.load_state({{"0.velocity", tensor({7, 8})}});
        },
        {"there is nothing called 0.velocity"});
    const auto twice = std::vector<std::pair<std::string, Tensor>>{{"0.sum", tensor({7, 8})},
                                                                   {"0.sum", tensor({9, 9})}};
    check_error([&] { optimizer.load_state(twice); },
                {"Summing::load_state: expected every name once, got \"0.sum\" again"});
    check_error([&] { optimizer.check_state(twice); }, {"expected every name once"});
    REQUIRE(optimizer.named_state().size() == 1);
    check_values(optimizer.named_state()[0].second, {2}, {5, 6});
    optimizer.check_state({{"0.sum", tensor({7, 8})}});  // which only looks
    check_values(optimizer.named_state()[0].second, {2}, {5, 6});
}

TEST_CASE("optimizer: moved, not copied") {
    static_assert(!std::is_copy_constructible_v<Summing>);
    static_assert(!std::is_copy_assignable_v<Summing>);
    const Parameter w = parameter({0});
    Summing optimizer({w});
    step(optimizer, {1});
    Summing moved = std::move(optimizer);
    step(moved, {2});
    check_values(w, {1}, {-1 - 3});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/layers/module.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include <primer/core/init.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/group_norm.h>
#include <primer/layers/layer_norm.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

// y = scale x.
class Scale : public Module {
  public:
    explicit Scale(double value) : scale(Tensor(value)) {}
    Tensor forward(const Tensor& x) override {
        check(x.rank() == 1, "Scale: expected one dimension");
        return x * scale;
    }
    void visit(Visitor& visitor) override { visitor("scale", scale); }
    std::string describe() const override { return "Scale"; }

    Parameter scale;
};

// y = second(first(x)) + shift, with parameters before and after those of the modules in it.
class Block : public Module {
  public:
    Block() : first(2), second(3), shift(Tensor(1)), offset(Tensor(4)), count(Tensor(0)) {}
    Tensor forward(const Tensor& x) override { return second(first(x)) + shift; }
    void visit(Visitor& visitor) override {
        visitor("offset", offset);
        visitor("first", first);
        visitor("count", count);
        visitor("second", second);
        visitor("shift", shift);
    }
    std::string describe() const override { return "Block(size=2, kind=plain)"; }

    Scale first, second;
    Parameter shift, offset;
    Buffer count;
};

class Model : public Module {
  public:
    Tensor forward(const Tensor& x) override { return head(block(x)); }
    void visit(Visitor& visitor) override {
        visitor("block", block);
        visitor("head", head);
    }
    std::string describe() const override { return "Model"; }

    Block block;
    Scale head{5};
};

// Notes what it is told: "Scale 1->2" for a call that turned 1 into 2.
class Recorder : public ForwardHook {
  public:
    explicit Recorder(std::vector<std::string>& log, std::string prefix = "")
        : log_(log), prefix_(std::move(prefix)) {}
    void called(Module& module, const Tensor& x, const Tensor& y) override {
        std::ostringstream line;
        line << prefix_ << module.type() << ' ' << x.at({0}) << "->" << y.at({0});
        log_.push_back(line.str());
    }

  private:
    std::vector<std::string>& log_;
    std::string prefix_;
};

using Log = std::vector<std::string>;

// The same for the beginning of a call: "(Scale 1".
class Entering : public Recorder {
  public:
    explicit Entering(Log& log) : Recorder(log), log_(log) {}
    void entered(Module& module, const Tensor& x) override {
        std::ostringstream line;
        line << '(' << module.type() << ' ' << x.values()[0];
        log_.push_back(line.str());
    }

  private:
    Log& log_;
};

TEST_CASE("module: parameters and their names come in the order of visit") {
    Model model;
    Log names;
    for (const auto& [name, parameter] : model.named_parameters()) {
        std::ostringstream line;
        line << name << ' ' << parameter.item();
        names.push_back(line.str());
    }
    CHECK(names == Log{"block.offset 4", "block.first.scale 2", "block.second.scale 3",
                       "block.shift 1", "head.scale 5"});

    const std::vector<Parameter> parameters = model.parameters();
    REQUIRE(parameters.size() == 5);
    parameters[4].fill_(50);
    CHECK(model.head.scale.item() == 50);  // handles, not copies
}

TEST_CASE("module: a parameter that two layers share is listed once") {
    Model model;
    model.head.scale = model.block.first.scale;
    Log names;
    for (const auto& [name, parameter] : model.named_parameters()) names.push_back(name);
    CHECK(names == Log{"block.offset", "block.first.scale", "block.second.scale", "block.shift"});
    CHECK(model.parameters().size() == 4);
}

TEST_CASE("module: buffers and their names, one that two layers share only once") {
    Model model;
    auto buffers = model.named_buffers();
    REQUIRE(buffers.size() == 1);
    CHECK(buffers[0].first == "block.count");
    buffers[0].second.fill_(7);
    CHECK(model.block.count.item() == 7);

    Sequential two{Block(), Block()};
    auto& first = dynamic_cast<Block&>(*two.named_children()[0].second);
    auto& second = dynamic_cast<Block&>(*two.named_children()[1].second);
    CHECK(two.named_buffers().size() == 2);
    second.count = first.count;
    CHECK(two.named_buffers().size() == 1);
    second.count = Buffer();
    check_error([&] { two.named_buffers(); }, {"Module: the buffer 1.count is undefined"});
}

TEST_CASE("module: generators and their names") {
    Rng rng(1);
    Sequential model{Linear(2, 2, rng), Dropout(0.5, rng)};
    model.append(Sequential(Dropout2d(0.5, rng)));
    const auto generators = model.named_generators();
    REQUIRE(generators.size() == 2);
    CHECK(generators[0].first == "1.rng");
    CHECK(generators[1].first == "2.0.rng");

    auto& dropout = dynamic_cast<Dropout&>(*model.named_children()[1].second);
    generators[0].second->next();
    CHECK(generators[0].second->state() == dropout.rng_state());
}

TEST_CASE("module: an undefined parameter is named") {
    Model model;
    model.block.second.scale = Parameter();
    check_error([&] { model.parameters(); },
                {"Module: the parameter block.second.scale is undefined", "visit it only"});
}

TEST_CASE("module: the children are those directly in it") {
    Model model;
    const auto children = model.named_children();
    REQUIRE(children.size() == 2);
    CHECK(children[0].first == "block");
    CHECK(children[0].second == &model.block);
    CHECK(children[1].first == "head");
    CHECK(children[1].second == &model.head);
    CHECK(model.head.named_children().empty());
}

TEST_CASE("module: train and eval reach every module inside") {
    Model model;
    CHECK(model.training());
    CHECK(model.block.first.training());

    model.eval();
    for (Module* m :
         {static_cast<Module*>(&model), static_cast<Module*>(&model.block),
          static_cast<Module*>(&model.block.first), static_cast<Module*>(&model.block.second),
          static_cast<Module*>(&model.head)}) {
        CHECK_FALSE(m->training());
    }

    model.block.train();
    CHECK_FALSE(model.training());
    CHECK_FALSE(model.head.training());
    CHECK(model.block.training());
    CHECK(model.block.second.training());
}

TEST_CASE("module: its type is its description without the options") {
    CHECK(Model().type() == "Model");
    CHECK(Block().type() == "Block");
}

TEST_CASE("module: a call is the forward") {
    Model model;
    check_values(model(tensor({1, -1})), {2}, {35, -25});  // 5 (3 (2 x) + 1)
}

TEST_CASE("module: a hook is told of each call, the inner ones first") {
    Model model;
    Log log;
    {
        Recorder hook(log);
        model(tensor({1}));
    }
    CHECK(log == Log{"Scale 1->2", "Scale 2->6", "Block 1->7", "Scale 7->35", "Model 1->35"});
    model(tensor({1}));
    CHECK(log.size() == 5);  // the hook has ended
}

TEST_CASE("module: a hook is told when a call begins, the outer ones first") {
    Block block;
    Log log;
    const Entering hook(log);
    block(tensor({1}));
    CHECK(log == Log{"(Block 1", "(Scale 1", "Scale 1->2", "(Scale 2", "Scale 2->6", "Block 1->7"});
    check_error([&] { block(Tensor(1)); }, {"Scale: expected one dimension"});
    CHECK(log.size() == 8);  // with "(Block 1" and "(Scale 1" of the call that threw
}

TEST_CASE("module: all hooks are told, the innermost first") {
    Scale module(2);
    Log log;
    Recorder outer(log, "outer ");
    Recorder inner(log, "inner ");
    module(tensor({1}));
    CHECK(log == Log{"inner Scale 1->2", "outer Scale 1->2"});
}

TEST_CASE("module: hooks may end in any order") {
    Scale module(2);
    Log log;
    auto outer = std::make_unique<Recorder>(log, "outer ");
    auto middle = std::make_unique<Recorder>(log, "middle ");
    auto inner = std::make_unique<Recorder>(log, "inner ");
    middle.reset();
    module(tensor({1}));
    CHECK(log == Log{"inner Scale 1->2", "outer Scale 1->2"});
    outer.reset();
    module(tensor({2}));
    inner.reset();
    module(tensor({3}));
    CHECK(log == Log{"inner Scale 1->2", "outer Scale 1->2", "inner Scale 2->4"});
}

TEST_CASE("module: a hook is not told of calls that throw or of other threads" *
          doctest::skip(kOneThread)) {
    Scale module(2);
    Log log;
    Recorder hook(log);
    check_error([&] { module(Tensor(1)); }, {"Scale: expected one dimension"});
    std::thread([&] { module(tensor({1})); }).join();
    CHECK(log.empty());
    module(tensor({1}));
    CHECK(log.size() == 1);
}

// The exact message that `f` throws.
template <class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "(no Error was thrown)";
}

// Its forward is what the test says; visit names the two layers that it holds.
struct Free : Module {
    explicit Free(Rng& rng) : body(Linear(3, 4, rng), Linear(4, 5, rng)), head(5, 2, rng) {}
    Tensor forward(const Tensor& x) override { return f(*this, x); }
    void visit(Visitor& visitor) override {
        visitor("body", body);
        visitor("head", head);
    }
    std::string describe() const override { return "Free(options)"; }

    Sequential body;
    Linear head;
    std::function<Tensor(Free&, const Tensor&)> f = [](Free& m, const Tensor& x) {
        return m.head(m.body(x));
    };
};

TEST_CASE("module: an Error says in which layer it was thrown") {
    Rng rng(1);
    Free model(rng);
    const std::string said = "linear: expected x [*, 3] for the weight [4, 3], got [1, 2]";
    const auto call = [](Module& module) { return message_of([&] { module(zeros({1, 2})); }); };
    CHECK(call(model.body[0]) == "Linear: " + said);
    CHECK(call(model.body) == "0 (Linear): " + said);
    CHECK(call(model) == "body.0 (Linear): " + said);
    {
        const Tape tape;
        CHECK(call(model) == "body.0 (Linear): " + said);
    }
    // Called past the module that holds it.
    model.f = [](Free& m, const Tensor& x) { return m.body[1](x); };
    CHECK(call(model) ==
          "body.1 (Linear): linear: expected x [*, 4] for the weight [5, 4], got [1, 2]");
    Sequential outer;
    outer.append(std::move(model));
    CHECK(call(outer) ==
          "0.body.1 (Linear): linear: expected x [*, 4] for the weight [5, 4], got [1, 2]");
}

TEST_CASE("module: an Error of a user's own module") {
    Rng rng(1);
    Free model(rng);
    const auto call = [](Module& module) { return message_of([&] { module(zeros({1, 2})); }); };
    model.f = [](Free&, const Tensor& x) { return matmul(x, zeros({3, 2})); };
    CHECK(call(model).starts_with("Free: matmul: [1, 2] x [3, 2]: "));
    model.f = [](Free&, const Tensor& x) -> Tensor { fail("expected more than ", x.shape()); };
    CHECK(call(model) == "Free: expected more than [1, 2]");
    // If it is caught and rethrown, it is the outer one's.
    model.f = [](Free& m, const Tensor& x) -> Tensor {
        try {
            return m.head(x);
        } catch (const Error& error) {
            fail("no head: ", error.what());
        }
    };
    CHECK(call(model).starts_with("Free: no head: Linear: linear: expected x [*, 5]"));
    // The place of a layer that no visit names is unknown.
    Linear hidden(3, 3, rng);
    model.f = [&hidden](Free&, const Tensor& x) { return hidden(x); };
    CHECK(call(model).starts_with("Linear: linear: expected x [*, 3]"));
    Sequential outer;
    outer.append(std::move(model));
    CHECK(call(outer).starts_with("Linear: linear: expected x [*, 3]"));
    // An exception that is no Error of Primer's passes unchanged.
    struct Other : Module {
        Tensor forward(const Tensor&) override { throw std::runtime_error("other"); }
        std::string describe() const override { return "Other"; }
    };
    Sequential others{Other()};
    CHECK_THROWS_WITH_AS(others(zeros({1})), "other", std::runtime_error);
    // A module that cannot be described does not hide what went wrong.
    Linear broken(3, 3, rng);
    broken.weight = Parameter();
    CHECK(call(broken).starts_with("Tensor: this tensor is undefined"));
}

TEST_CASE("module: apply reaches every module, children first, each once") {
    Model model;
    std::vector<Module*> seen;
    Module& same = model.apply([&](Module& module) { seen.push_back(&module); });
    CHECK(&same == &model);
    CHECK(seen == std::vector<Module*>{&model.block.first, &model.block.second, &model.block,
                                       &model.head, &model});
    model.apply([](Module& module) {
        if (auto* scale = dynamic_cast<Scale*>(&module)) zeros_(scale->scale);
    });
    CHECK(model.head.scale.item() == 0);
    CHECK(model.block.shift.item() == 1);
}

TEST_CASE("module: reset_parameters gives PyTorch's initial values, in the order of visit") {
    Rng rng(1), twin(2), again(2);
    Linear linear(4, 3, rng), no_bias(4, 3, {.bias = false}, rng);
    Conv2d conv(6, 4, {.kernel_size = {3, 2}, .groups = 2}, rng);
    BatchNorm2d batch(3);
    LayerNorm layer(3);
    GroupNorm group(1, 3);
    PReLU prelu(2, 0.5);
    Maxout maxout(9, 2, 2, rng);
    for (Module* module : std::initializer_list<Module*>{&linear, &no_bias, &conv, &batch, &layer,
                                                         &group, &prelu, &maxout}) {
        for (const auto& [name, tensor, whole] : module->state_dict()) tensor.fill_(9);
        module->reset_parameters(twin);
    }
    const auto drawn = [&](const Tensor& x, double bound) {
        return std::ranges::all_of(
            x.values(), [&](Real value) { return value == again.uniform(-bound, bound); });
    };
    CHECK(drawn(linear.weight, 0.5));
    CHECK(drawn(linear.bias, 0.5));
    CHECK(drawn(no_bias.weight, 0.5));
    CHECK(drawn(conv.weight, 1 / std::sqrt(18.0)));  // 6 / 2 channels of 3 x 2
    CHECK(drawn(conv.bias, 1 / std::sqrt(18.0)));
    CHECK(drawn(maxout.weight, 1 / 3.0));
    CHECK(drawn(maxout.bias, 1 / 3.0));
    check_values(batch.weight, {3}, {1, 1, 1});
    check_values(batch.bias, {3}, {0, 0, 0});
    check_values(batch.running_mean, {3}, {0, 0, 0});
    check_values(batch.running_var, {3}, {1, 1, 1});
    check_values(batch.num_batches_tracked, {}, {0});
    for (const Tensor& weight : {layer.weight, group.weight}) check_values(weight, {3}, {1, 1, 1});
    for (const Tensor& bias : {layer.bias, group.bias}) check_values(bias, {3}, {0, 0, 0});
    check_values(prelu.weight, {2}, {0.5, 0.5});
    CHECK_NOTHROW(
        BatchNorm1d(2, {.affine = false, .track_running_stats = false}).reset_parameters(rng));
}

TEST_CASE("module: reset_parameters goes through a model, and names a layer that has none") {
    Rng rng(1), once(3), twin(3);
    Sequential model{Linear(2, 2, rng), Dropout(0.5, rng), Sequential{Linear(2, 1, rng)}};
    model.reset_parameters(once);
    for (const Parameter& parameter : model.parameters()) {
        for (const Real value : parameter.values()) {
            CHECK(value == twin.uniform(-1 / std::sqrt(2.0), 1 / std::sqrt(2.0)));
        }
    }
    CHECK(once.state() == twin.state());
    model.append(Scale(1));
    check_error([&] { model.reset_parameters(once); },
                {"Scale has the parameter \"scale\", but no reset_parameters"});
}

TEST_CASE("module: printing") {
    CHECK(text(Scale(2)) == "Scale()");
    const Model model;  // a const one can be printed
    CHECK(text(model) ==
          "Model(\n"
          "  (block): Block(\n"
          "    size=2, kind=plain\n"
          "    (first): Scale()\n"
          "    (second): Scale()\n"
          "  )\n"
          "  (head): Scale()\n"
          ")");
}

TEST_CASE("module: modules are moved, not copied") {
    static_assert(!std::is_copy_constructible_v<Model>);
    static_assert(!std::is_copy_assignable_v<Model>);
    Model model;
    const Parameter weight = model.head.scale;
    model.eval();
    Model moved = std::move(model);
    weight.fill_(7);
    CHECK(moved.head.scale.item() == 7);  // the very same weights
    CHECK_FALSE(moved.training());
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

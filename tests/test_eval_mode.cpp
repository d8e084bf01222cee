#include <primer/layers/eval_mode.h>

#include <vector>

#include <primer/core/rng.h>
#include <primer/layers/dropout.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

std::vector<bool> modes_of(Module& model) {
    std::vector<bool> modes;
    for (const Module* module : model.modules()) modes.push_back(module->training());
    return modes;
}

// 0: the model, 1: a block, 2 and 3: the layers of the block, 4: a layer beside it.
Sequential make_model() {
    Rng rng(1);
    return Sequential{Sequential{Dropout(0.5, rng), Dropout(0.5, rng)}, Dropout(0.5, rng)};
}

TEST_CASE("eval mode: all modules evaluate, and then each is in its own mode again") {
    Sequential model = make_model();
    const std::vector<Module*> modules = model.modules();
    REQUIRE(modules.size() == 5);
    const auto check_restored = [&] {
        const std::vector<bool> before = modes_of(model);
        {
            const EvalMode eval(model);
            CHECK(modes_of(model) == std::vector<bool>(5, false));
        }
        CHECK(modes_of(model) == before);
    };
    check_restored();  // in training, as at the start
    modules[2]->train(false);
    check_restored();
    modules[1]->eval();
    check_restored();
    model.eval();
    check_restored();
    modules[3]->train();
    check_restored();
}

TEST_CASE("eval mode: one inside another returns to eval mode") {
    Sequential model = make_model();
    {
        const EvalMode outer(model);
        { const EvalMode inner(model); }
        CHECK_FALSE(model.training());
    }
    CHECK(modes_of(model) == std::vector<bool>(5, true));
}

TEST_CASE("eval mode: the modes return after an Error, too") {
    Sequential model = make_model();
    try {
        const EvalMode eval(model);
        fail("the evaluation fails");
    } catch (const Error&) {
    }
    CHECK(modes_of(model) == std::vector<bool>(5, true));
}

// A layer in two blocks: the block that is restored last does not decide for it.
TEST_CASE("eval mode: a module that two others share") {
    class Holder : public Module {
      public:
        explicit Holder(Module& inner) : inner_(inner) {}
        Tensor forward(const Tensor& x) override { return inner_(x); }
        void visit(Visitor& visitor) override { visitor("inner", inner_); }
        std::string describe() const override { return "Holder"; }

      private:
        Module& inner_;
    };
    Rng rng(1);
    Dropout shared(0.5, rng);
    Sequential model{Holder(shared), Holder(shared)};
    shared.eval();
    { const EvalMode eval(model); }
    CHECK_FALSE(shared.training());
    CHECK(model.training());
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

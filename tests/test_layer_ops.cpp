#include <primer/layers/inspect/layer_ops.h>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/layers/activations.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

bool operator==(const OpGroup& a, const OpGroup& b) {
    return a.name == b.name && a.first == b.first && a.last == b.last;
}

// relu(body(relu(x))): relu is called twice, with ops of the model's own in between.
class Model : public Module {
  public:
    explicit Model(Rng& rng) : body(Linear(3, 4, rng), Sequential(Sigmoid(), Tanh())) {}
    Tensor forward(const Tensor& x) override {
        const Tensor y = relu(body(neg(relu(x))));
        if (fails) fail("Model: fails");
        return y;
    }
    void visit(Visitor& visitor) override {
        visitor("relu", relu);
        visitor("body", body);
    }
    std::string describe() const override { return "Model"; }

    ReLU relu;
    Sequential body;
    bool fails = false;
};

TEST_CASE("layer_ops: layers in layers, and one that is called twice") {
    Rng rng(1);
    Model model(rng);
    Tape tape;
    const LayerOps layers(model, tape);
    sum(model(ones({2, 3}).requires_grad_()));
    // relu neg linear sigmoid tanh relu sum
    const std::vector<OpGroup> groups = layers.groups();
    REQUIRE(groups.size() == 7);
    CHECK(groups[0] == OpGroup{"relu (ReLU)", 0, 1});
    CHECK(groups[1] == OpGroup{"body (Sequential)", 2, 5});
    CHECK(groups[2] == OpGroup{"body.0 (Linear)", 2, 3});
    CHECK(groups[3] == OpGroup{"body.1 (Sequential)", 3, 5});
    CHECK(groups[4] == OpGroup{"body.1.0 (Sigmoid)", 3, 4});
    CHECK(groups[5] == OpGroup{"body.1.1 (Tanh)", 4, 5});
    CHECK(groups[6] == OpGroup{"relu (ReLU)", 5, 6});
}

TEST_CASE("layer_ops: calls that record nothing are left out, and so are other models") {
    Rng rng(1);
    Sequential model{Flatten(), Linear(4, 2, rng)};
    Linear other(4, 4, rng);
    Tape tape;
    const LayerOps layers(model, tape);
    model(ones({3, 2, 2}));  // flatten of pictures without a gradient is not recorded
    other(ones({3, 4}));
    const std::vector<OpGroup> groups = layers.groups();
    REQUIRE(groups.size() == 1);
    CHECK(groups[0] == OpGroup{"1 (Linear)", 0, 1});
}

TEST_CASE("layer_ops: a model that is one layer, and one that fails") {
    Rng rng(1);
    {
        Linear model(4, 2, rng);
        Tape tape;
        const LayerOps layers(model, tape);
        model(ones({3, 4}));
        REQUIRE(layers.groups().size() == 1);
        CHECK(layers.groups()[0] == OpGroup{"Linear", 0, 1});
    }
    Sequential model{Linear(4, 2, rng), Linear(4, 2, rng)};
    Tape tape;
    const LayerOps layers(model, tape);
    for (int i = 0; i < 2; ++i) {
        check_error([&] { model(ones({3, 4})); }, {"1 (Linear): linear: expected x [*, 4]"});
    }
    const std::vector<OpGroup> groups = layers.groups();
    REQUIRE(groups.size() == 2);
    CHECK(groups[0] == OpGroup{"0 (Linear)", 0, 1});
    CHECK(groups[1] == OpGroup{"0 (Linear)", 1, 2});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

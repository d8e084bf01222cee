#include <primer/layers/sequential.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include <primer/core/rng.h>
#include <primer/layers/activations.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include "support.h"

namespace primer {
namespace {

// Linear(2, 2) with the weight [[1, -1], [2, 1]] and the bias [0, -1].
Linear known(Rng& rng) {
    Linear layer(2, 2, rng);
    layer.weight.copy_(tensor({1, -1, 2, 1}, {2, 2}));
    layer.bias.copy_(tensor({0, -1}));
    return layer;
}

TEST_CASE("sequential: one after another") {
    Rng rng(1);
    Sequential model{known(rng), ReLU(), known(rng)};
    // x = [1, 3]: [1 - 3, 2 + 3 - 1] = [-2, 4]; relu [0, 4]; [0 - 4, 0 + 4 - 1].
    check_values(model(tensor({1, 3}, {1, 2})), {1, 2}, {-4, 3});
}

TEST_CASE("sequential: empty is the identity") {
    Sequential model;
    CHECK(model.size() == 0);
    check_values(model(tensor({1, 2, 3})), {3}, {1, 2, 3});
    CHECK(model.parameters().empty());
    CHECK(text(model) == "Sequential()");
}

TEST_CASE("sequential: replace puts a layer in the place of another") {
    Sequential model{Linear(4, 8), ReLU(), Linear(8, 3)};
    model.replace(-1, Linear(8, 5)).replace(1, Tanh());
    CHECK(model.size() == 3);
    CHECK(model(ones({2, 4})).shape() == Shape{2, 5});
    CHECK(model[1].describe() == "Tanh()");
    CHECK(model.named_parameters()[2].second.shape() == Shape{5, 8});
    check_error([&] { model.replace(3, ReLU()); }, {"Sequential: there is no module 3 among 3"});
    Linear last(3, 7);
    last = Linear(8, 2);  // a whole layer, by its own type
    CHECK(last.weight.shape() == Shape{2, 8});
}

TEST_CASE("sequential: gradients") {
    Rng rng(2);
    Sequential model{Flatten(), Linear(4, 3, {.bias_value = 0.1}, rng), ReLU(), Linear(3, 2, rng)};
    std::vector<Tensor> inputs{randn({3, 2, 2}, rng)};
    for (const Parameter& p : model.parameters()) inputs.push_back(p);
    check_gradients([&](const std::vector<Tensor>& in) { return model(in[0]); }, inputs);
}

TEST_CASE("sequential: names, size, access") {
    Rng rng(1);
    Sequential model{Linear(4, 3, rng), ReLU(), Sequential(Flatten(), Linear(3, 2, rng))};
    CHECK(model.size() == 3);
    CHECK(model[0].describe() == "Linear(in_features=4, out_features=3, bias=True)");
    CHECK(model[1].describe() == "ReLU()");
    CHECK(&model[-1] == &model[2]);
    CHECK(&model[-3] == &model[0]);
    check_error([&] { model[3]; }, {"Sequential: there is no module 3 among 3"});
    check_error([&] { model[-4]; }, {"Sequential: there is no module -4 among 3"});

    std::vector<std::string> names;
    for (const auto& [name, parameter] : model.named_parameters()) names.push_back(name);
    CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.1.weight", "2.1.bias"});
}

TEST_CASE("sequential: a loop visits the modules in order") {
    Sequential model{Linear(4, 3), ReLU(), Linear(3, 2)};
    Index i = 0;
    for (Module& module : model) CHECK(&module == &model[i++]);
    CHECK(i == 3);
    CHECK(model.begin()->type() == "Linear");
    CHECK(std::ranges::count_if(model, [](Module& m) { return m.type() == "Linear"; }) == 2);
    Sequential none;
    CHECK(none.begin() == none.end());
}
static_assert(std::forward_iterator<Sequential::Iterator>);

TEST_CASE("sequential: append takes the module as it is") {
    Rng rng(1);
    Linear layer = known(rng);
    const Parameter weight = layer.weight;
    Sequential model;
    Sequential& same = model.append(std::move(layer)).append(ReLU());
    CHECK(&same == &model);
    CHECK(model.size() == 2);
    CHECK(&model.parameters()[0].impl() == &weight.impl());

    Sequential outer;
    outer.append(std::move(model));
    CHECK(outer.size() == 1);
    check_values(outer(tensor({1, 3})), {2}, {0, 4});
}

TEST_CASE("sequential: in braces the layers draw their weights from left to right") {
    Rng rng(5), twin(5);
    Sequential model{Linear(2, 2, rng), Linear(2, 2, rng)};
    for (const Parameter& weight : {model.parameters()[0], model.parameters()[2]}) {
        for (Real w : weight.values()) CHECK(w == twin.normal(0, 1));  // sqrt(2 / 2)
    }
}

TEST_CASE("sequential: a vector of them can grow, because they move") {
    Rng rng(1);
    std::vector<Sequential> models;
    for (int i = 0; i < 5; ++i) models.push_back(Sequential(known(rng)));
    for (Sequential& model : models) check_values(model(tensor({1, 3})), {2}, {-2, 4});
}

TEST_CASE("sequential: train and eval reach the modules") {
    Sequential model{ReLU(), Sequential(ReLU(), Flatten())};
    model.eval();
    CHECK_FALSE(model[0].training());
    CHECK_FALSE(model[1].named_children()[1].second->training());
    model.train();
    CHECK(model[1].named_children()[1].second->training());
}

TEST_CASE("sequential: an error names the layer") {
    Rng rng(1);
    Sequential model{Linear(784, 256, rng), ReLU(), Linear(256, 10, rng)};
    check_error(
        [&] {
            model(zeros({64, 1, 28, 28}));
        },
        {"0 (Linear): linear: expected x [*, 784] for the weight [256, 784], got [64, 1, 28, 28]; "
         "did you forget Flatten?"});
}

// As torch 2.13 prints the same model.
TEST_CASE("sequential: printing") {
    Rng rng(1);
    Sequential two, three;
    two.append(Sequential());
    three.append(Linear(2, 1, {.bias = false}, rng));
    const Sequential model{Linear(3, 3, rng), Linear(3, 3, rng),
                           Sequential(std::move(two), Flatten()),
                           Sequential(Flatten(), ReLU(), std::move(three))};
    CHECK(text(model) ==
          "Sequential(\n"
          "  (0): Linear(in_features=3, out_features=3, bias=True)\n"
          "  (1): Linear(in_features=3, out_features=3, bias=True)\n"
          "  (2): Sequential(\n"
          "    (0): Sequential(\n"
          "      (0): Sequential()\n"
          "    )\n"
          "    (1): Flatten(start_dim=1, end_dim=-1)\n"
          "  )\n"
          "  (3): Sequential(\n"
          "    (0): Flatten(start_dim=1, end_dim=-1)\n"
          "    (1): ReLU()\n"
          "    (2): Sequential(\n"
          "      (0): Linear(in_features=2, out_features=1, bias=False)\n"
          "    )\n"
          "  )\n"
          ")");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

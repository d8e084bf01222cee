// The programs of docs/from-pytorch.md: what they compute is what PyTorch computes, and what they
// print is what PyTorch prints. tests/parity/cases/programs.py has the PyTorch side.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <primer/core/text.h>
#include <primer/primer.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

std::string text(const Tensor& x) {
    TextStream out;
    out << x;
    return out.str();
}

// docs: an activation of your own
Tensor parametric_relu(const Tensor& x, const Tensor& slope) {
    return maximum(x, 0) + slope * minimum(x, 0);
}

class ParametricReLU : public Activation {
  public:
    explicit ParametricReLU(Index features = 1) : slope(full({features}, 0.25)) {}
    Tensor forward(const Tensor& x) override { return parametric_relu(x, slope); }
    void visit(Visitor& visitor) override { visitor("slope", slope); }
    void reset_parameters(Rng& /*rng*/) override { constant_(slope, 0.25); }
    std::string describe() const override { return "ParametricReLU()"; }
    Parameter slope;
};

// docs: a recurrent layer
Tensor gru(const Tensor& x, const Linear& of_x, const Linear& of_h) {
    const Index hidden = of_h.weight.shape()[1];
    Tensor h = zeros({x.shape()[1], hidden});
    std::vector<Tensor> all;
    for (Index t = 0; t < x.shape()[0]; ++t) {
        const std::vector<Tensor> a = chunk(linear(x[t], of_x.weight, of_x.bias), 3, 1);
        const std::vector<Tensor> b = chunk(linear(h, of_h.weight, of_h.bias), 3, 1);
        const Tensor reset = sigmoid(a[0] + b[0]), update = sigmoid(a[1] + b[1]);
        const Tensor fresh = tanh(a[2] + reset * b[2]);
        h = (1 - update) * fresh + update * h;
        all.push_back(h);
    }
    return stack(all);
}

// docs: attention
Tensor causal_attention(const Tensor& x, Index heads, const Linear& in, const Linear& out) {
    const Index n = x.shape()[0], time = x.shape()[1], size = x.shape()[2] / heads;
    const std::vector<Tensor> parts = chunk(linear(x, in.weight, in.bias), 3, -1);
    const auto by_head = [&](const Tensor& part) {  // [N, T, C] -> [N, heads, T, size]
        return transpose(reshape(part, {n, time, heads, size}), 1, 2);
    };
    const Tensor q = by_head(parts[0]), k = by_head(parts[1]), v = by_head(parts[2]);
    const Tensor scores = matmul(q, transpose(k, -2, -1)) / std::sqrt(static_cast<double>(size));
    const Tensor position = arange(time);
    const Tensor earlier = unsqueeze(position, 1) >= position;  // [T, T]
    const Tensor weights = softmax(where(earlier, scores, -INFINITY), -1);
    const Tensor y = reshape(transpose(matmul(weights, v), 1, 2), {n, time, heads * size});
    return linear(y, out.weight, out.bias);
}

Linear with(const Tensor& weight, const Tensor& bias) {
    Linear layer(weight.shape()[1], weight.shape()[0]);
    layer.weight = Parameter(weight);
    layer.bias = Parameter(bias);
    return layer;
}

TEST_CASE("from PyTorch: the programs compute what theirs do") {
    const auto own = [](const In& in) { return parametric_relu(in["x"], in["slope"]); };
    check_parity(
        "programs",
        {
            {"parametric relu: one slope", own},
            {"parametric relu: a slope for each feature", own},
            {"parametric relu: a slope for each feature",
             [](const In& in) { return prelu(in["x"], in["slope"]); }},
            {"gru",
             [](const In& in) {
                 return gru(in["x"], with(in["w_ih"], in["b_ih"]), with(in["w_hh"], in["b_hh"]));
             }},
            {"causal attention",
             [](const In& in) {
                 return causal_attention(in["x"], 2, with(in["w_in"], in["b_in"]),
                                         with(in["w_out"], in["b_out"]));
             }},
            {"maxout",
             [](const In& in) {
                 const Tensor maps = linear(in["x"], in["weight"], in["bias"]);
                 return amax(reshape(maps, {-1, 3, 2}), {2});
             }},
            {"maxout",
             [](const In& in) { return maxout(linear(in["x"], in["weight"], in["bias"]), 2); }},
            {"l1 and l2",
             [](const In& in) {
                 const Tensor& w = in["weight"];
                 const Tensor loss = mse_loss(matmul(in["x"], transpose(w, 0, 1)), in["y"]);
                 return loss + 0.01 * sum(abs(w)) + 0.1 * sum(w * w);
             }},
            {"scaled inputs",
             [](const In& in) {
                 const Tensor& x = in["x"];
                 return (x - mean(x, 0)) / stddev(x, {0});
             }},
            {"residual block",
             [](const In& in) {
                 const Tensor& x = in["x"];
                 const Tensor y = relu(conv2d(x, in["w1"], {}, {.padding = "same"}));
                 return relu(x + conv2d(y, in["w2"], {}, {.padding = "same"}));
             }},
        });
}

TEST_CASE("from PyTorch: what the documents print") {
    CHECK(text(relu(tensor({-1, 0, 1}))) == "tensor([0., 0., 1.])");
    CHECK(text(leaky_relu(tensor({-1, 0, 1}))) == "tensor([-0.0100,  0.0000,  1.0000])");
    CHECK(text(elu(tensor({-1, 0, 1}))) == "tensor([-0.6321,  0.0000,  1.0000])");
    const Tensor x = tensor({{1, -2}, {3, -4}});
    CHECK(text(maximum(x, 0)) == "tensor([[1., 0.],\n        [3., 0.]])");
    CHECK(text(x > 0) == "tensor([[1., 0.],\n        [1., 0.]])");
    CHECK(text(ParametricReLU()(tensor({-4, 2}))) == "tensor([-1.,  2.])");
}

// docs: a network with named layers
class SimpleCNN : public Module {
  public:
    Tensor forward(const Tensor& input) override {
        Tensor x = max_pool2d(relu(conv1(input)), {.kernel_size = 2});
        x = max_pool2d(relu(conv2(x)), {.kernel_size = 2});
        x = relu(fc1(flatten(x, 1)));
        return fc2(dropout(x));
    }
    void visit(Visitor& visitor) override {
        visitor("conv1", conv1);
        visitor("conv2", conv2);
        visitor("fc1", fc1);
        visitor("dropout", dropout);
        visitor("fc2", fc2);
    }
    std::string describe() const override { return "SimpleCNN"; }

    Conv2d conv1{3, 32, {.kernel_size = 3, .padding = 1}};
    Conv2d conv2{32, 64, {.kernel_size = 3, .padding = 1}};
    Linear fc1{64 * 8 * 8, 128};
    Dropout dropout{0.5};
    Linear fc2{128, 10};
};

TEST_CASE("from PyTorch: a network with named layers prints as theirs") {
    SimpleCNN model;
    TextStream out;
    out << model;
    CHECK(out.str() ==
          "SimpleCNN(\n"
          "  (conv1): Conv2d(3, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
          "  (conv2): Conv2d(32, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
          "  (fc1): Linear(in_features=4096, out_features=128, bias=True)\n"
          "  (dropout): Dropout(p=0.5, inplace=False)\n"
          "  (fc2): Linear(in_features=128, out_features=10, bias=True)\n"
          ")");
    CHECK(model(randn({2, 3, 32, 32})).shape() == Shape{2, 10});
    CHECK(std::ssize(model.parameters()) == 8);
}

// docs: an MLP with BatchNorm, and its initial weights
Sequential mlp_with_batchnorm() {
    Sequential model{Flatten(),        Linear(784, 256), BatchNorm1d(256), ReLU(),
                     Linear(256, 128), BatchNorm1d(128), ReLU(),           Linear(128, 10)};
    model.apply([](Module& module) {
        if (auto* layer = dynamic_cast<Linear*>(&module)) {
            kaiming_normal_(layer->weight);
            zeros_(layer->bias);
        }
    });
    return model;
}

TEST_CASE("from PyTorch: an MLP with BatchNorm learns, and its dead ReLUs are counted") {
    manual_seed(3);
    Sequential model = mlp_with_batchnorm();
    const ImageDataset digits = synthetic_digits(400, 1);
    DataLoader loader(digits, {.batch_size = 50, .shuffle = true, .transforms = {ToTensor()}});
    SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    const double before = evaluate(model, loader).loss;
    for (const Batch& batch : loader) {
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
    }
    CHECK(evaluate(model, loader).loss < before / 2);

    const std::vector<LayerStatistics> rows =
        dead_relu_ratio(model, [&] { evaluate(model, loader); });
    REQUIRE(rows.size() == 2);
    for (const LayerStatistics& row : rows) {
        CHECK(row.type == "ReLU");
        CHECK(row.zeros > 0.3);  // a healthy layer: 30 to 70 % zeros
        CHECK(row.zeros < 0.7);
        CHECK(row.dead_units < 0.1);
    }
}

TEST_CASE("from PyTorch: its own initial values in one call") {
    Rng rng(1);
    Sequential model{Linear(100, 50, rng), ReLU(), PReLU(), Linear(50, 10, rng)};
    model.reset_parameters(rng);
    const auto& first = dynamic_cast<Linear&>(model[0]);
    CHECK(max(abs(first.weight)).item() <= Real(0.1));   // 1 / sqrt(100)
    CHECK(max(abs(first.weight)).item() > Real(0.099));  // of 5000 numbers
    CHECK(max(abs(first.bias)).item() > 0);
}

TEST_CASE("from PyTorch: the ops that are a line") {
    const Index n = 3, d = 2, c = 2, k = 1;
    const Tensor x = tensor({{1, -2}, {0.5, 3}, {-1.5, 0}}), z = tensor({{2, 1}, {0, -1}, {1, 1}});
    const Tensor u = tensor({1, 2, 3}), v = tensor({4, 5}), a = v, b = tensor({3, 1});
    const Tensor w = tensor({{1, 0}, {2, 1}}), m = x > 0, q = reshape(arange(9), 3, 3);
    const IntTensor y{1, 0, 1};
    check_values(transpose(x, 0, 1), {2, 3}, {1, 0.5, -1.5, -2, 3, 0});
    check_values(transpose(x, -2, -1), {2, 3}, {1, 0.5, -1.5, -2, 3, 0});
    check_values(matmul(a, b), {}, {17});
    check_values(b + matmul(x, w), {3, 2}, {0, -1, 9.5, 4, 1.5, 1});
    check_values(unsqueeze(u, 1) * v, {3, 2}, {4, 5, 8, 10, 12, 15});
    check_values(sum(x * z, 1), {3}, {0, -3, -1.5});
    check_values((x > 0) - (x < 0), {3, 2}, {1, -1, 1, 1, -1, 0});
    const Tensor t = tensor(to_int(x));
    check_values(t, {3, 2}, {1, -2, 0, 3, -1, 0});
    check_values(t - (t > x), {3, 2}, {1, -2, 0, 3, -2, 0});
    check_values(t + (t < x), {3, 2}, {1, -2, 1, 3, -1, 0});
    check_values(matmul(unsqueeze(arange(n), 1) >= arange(n), x), {3, 2}, {1, -2, 1.5, 1, 0, 1});
    check_values(index_select(x, 0, to_int(n - 1 - arange(n))), {3, 2}, {-1.5, 0, 0.5, 3, 1, -2});
    check_values(concat({slice(x, -k), slice(x, 0, -k)}), {3, 2}, {-1.5, 0, 1, -2, 0.5, 3});
    check_values(where(unsqueeze(arange(n), 1) >= arange(d), x, 0), {3, 2},
                 {1, 0, 0.5, 3, -1.5, 0});
    check_values(where(unsqueeze(arange(n), 1) <= arange(d), x, 0), {3, 2}, {1, -2, 0, 3, 0, 0});
    check_values(eye(n) * u, {3, 3}, {1, 0, 0, 0, 2, 0, 0, 0, 3});
    check_values(sum(q * eye(n), 1), {3}, {0, 4, 8});
    check_values(sum(q * eye(n)), {}, {12});
    check_values(where(m, 3, x), {3, 2}, {3, -2, 3, 3, -1.5, 0});
    check_values(index_select(eye(c), 0, y), {3, 2}, {0, 1, 1, 0, 0, 1});
    check_values(embedding(y, w), {3, 2}, {2, 1, 1, 0, 2, 1});
    check_values(sum(where(index_select(eye(c), 0, y), x, 0), 1), {3}, {-2, 0.5, 0});
    check_values(matmul(transpose(index_select(eye(c), 0, y), 0, 1), x), {2, 2},
                 {0.5, 3, -0.5, -2});
    check_values(full(x.shape(), 3), {3, 2}, {3, 3, 3, 3, 3, 3});
    CHECK(empty(x.shape()).shape() == x.shape());
    CHECK(Tensor(2 + 3 * randn({4})).shape() == Shape{4});
    check_values(min(m), {}, {0});
    check_values(max(m), {}, {1});
    check_values(sum(x != 0), {}, {5});
    check_values(concat({x, x}), {6, 2}, {1, -2, 0.5, 3, -1.5, 0, 1, -2, 0.5, 3, -1.5, 0});
    check_values(flatten(expand(unsqueeze(x, 1), n, 2, d), 0, 1), {6, 2},
                 {1, -2, 1, -2, 0.5, 3, 0.5, 3, -1.5, 0, -1.5, 0});
    check_values(expand(v, n, d), {3, 2}, {4, 5, 4, 5, 4, 5});
    check_values(expand(unsqueeze(u, 1), n, d), {3, 2}, {1, 1, 2, 2, 3, 3});
    check_values(clamp(x, 0, 1), {3, 2}, {1, 0, 0.5, 1, 0, 0});
    check_values(clamp_min(x, 0), {3, 2}, {1, 0, 0.5, 3, 0, 0});
    std::vector<Real> sorted(x.values().begin(), x.values().end());
    std::ranges::sort(sorted);
    CHECK(sorted.front() == -2);
}

TEST_CASE("from PyTorch: the ops that are a line, of one or two tensors of their own") {
    {
        const Tensor x = tensor({4, 0.25});
        check_values(1 / sqrt(x), {2}, {0.5, 2});
        check_values(1 / x, {2}, {0.25, 4});
        check_values(x * x, {2}, {16, 0.0625});
        check_values(log(x) / std::log(2), {2}, {2, -2});
        check_values(log(1 + x), {2}, {std::log(5), std::log(1.25)});
        check_values(exp(x) - 1, {2}, {std::exp(4) - 1, std::exp(0.25) - 1}, 1e-5);
        check_values(exp(sum(log(x))), {}, {1});
    }
    {
        const Tensor x = tensor({0, 1});
        check_values(rand_like(x) < x, {2}, {0, 1});
    }
    {
        const Tensor x = tensor({NAN, 1, INFINITY});
        check_values(x != x, {3}, {1, 0, 0});
        check_values(abs(x) < INFINITY, {3}, {0, 1, 0});
    }
    for (const double far : {0.0, 1.0}) {
        const Tensor x = tensor({3, 4}), z = x + far;
        CHECK((min(x == z).item() == 1) == (far == 0));
        CHECK((max(abs(x - z)).item() < 1e-5) == (far == 0));
    }
    {
        const Tensor x = tensor({{3, 4}}), z = tensor({{1, 0}}), weight = tensor({2, 1});
        const double eps = 0, rms = std::sqrt(12.5);
        const Index d = 2;
        check_values(x / clamp_min(norm(x, 2, {1}, true), 1e-12), {1, 2}, {0.6, 0.8});
        check_values(sum(x * z, 1) / (norm(x, 2, {1}) * norm(z, 2, {1})), {1}, {0.6});
        check_values(norm(unsqueeze(x, 1) - z, 2, {2}), {1, 1}, {std::sqrt(20)});
        check_values(x / sqrt(mean(x * x, {-1}, true) + eps) * weight, {1, 2}, {6 / rms, 4 / rms});
        check_values(matmul(softmax(matmul(x, transpose(z, -2, -1)) / std::sqrt(d), -1), z), {1, 2},
                     {1, 0});
    }
    GroupNorm instance_norm = GroupNorm(3, 3, {.affine = false});
    CHECK(instance_norm.parameters().empty());
    const Tensor each = mean(instance_norm(randn({2, 3, 4, 4})), {2, 3});
    check_values(each, {2, 3}, {0, 0, 0, 0, 0, 0}, 1e-5);
    const Tensor s = tensor({1, 2, 3, 4}, {1, 1, 4}), k = tensor({1, 10}, {1, 1, 2});
    check_values(squeeze(conv2d(unsqueeze(s, 2), unsqueeze(k, 2)), 2), {1, 1, 3}, {21, 32, 43});
    const Index N = 1, C = 1, H = 1, W = 2;
    const Tensor p = tensor({1, 2}, {N, C, H, W});
    check_values(
        reshape(expand(reshape(p, N, C, H, 1, W, 1), N, C, H, 2, W, 2), N, C, 2 * H, 2 * W),
        {1, 1, 2, 4}, {1, 1, 2, 2, 1, 1, 2, 2});
    const Tensor logits = tensor({{1, 2, 3, 4, 5, 6}});
    const IntTensor y{0};
    CHECK(top_k_accuracy(logits, y, 5) == 0);
}

TEST_CASE("from PyTorch: parameters, gradients and learning rates, row by row") {
    Linear model(2, 3);
    SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    {
        Tape tape;
        tape.backward(sum(model(full({4, 2}, 5))));
    }
    for (const Parameter& p : model.parameters()) p.set_grad(clamp(p.grad(), -1, 1));
    check_values(model.bias.grad(), {3}, {1, 1, 1});
    optimizer.step();
    check_values(model.bias, {3}, {-0.1, -0.1, -0.1}, 1e-6);
    optimizer.load_state(optimizer.named_state());
    optimizer.set_lr(0.1 * std::pow(0.95, 2));
    optimizer.set_lr(0.1 * optimizer.lr());
    CHECK(optimizer.lr() == doctest::Approx(0.01 * 0.95 * 0.95));
    for (const Parameter& p : model.parameters()) p.requires_grad_(false);
    CHECK_FALSE(model.weight.requires_grad());
    model.bias.set_grad({});
    CHECK_FALSE(model.bias.grad().defined());
    const Tensor x = tensor(std::vector<double>{-1, 0.5, 2});
    x.copy_(clamp(x, 0, 1));
    check_values(x, {3}, {0, 0.5, 1});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

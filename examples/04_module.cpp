// 04_module: a network as a class: named layers, a skip connection, initial weights by type
//
// Sequential is for layers one after another. Everything else is a class that derives from Module:
// layers as members, a forward that calls them, and a visit that names them.

#include <primer/primer.h>

#include <iostream>

#include "support/program.h"

using namespace primer;

/// relu(x + f(x)) with two convolutions as f: the gradient has a way past them (He et al., "Deep
/// Residual Learning for Image Recognition", 2016). [N, C, H, W] -> [N, C, H, W].
class Block : public Module {
  public:
    Block(Index channels, Rng& rng)
        : conv1(channels, channels, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
          conv2(channels, channels, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
          norm1(channels),
          norm2(channels) {}

    Tensor forward(const Tensor& x) override {
        return relu(x + norm2(conv2(relu(norm1(conv1(x))))));
    }
    // Each member once. What visit leaves out would not be trained or saved, so it is an error.
    void visit(Visitor& visitor) override {
        visitor("conv1", conv1);
        visitor("norm1", norm1);
        visitor("conv2", conv2);
        visitor("norm2", norm2);
    }
    std::string describe() const override { return "Block"; }
    Conv2d conv1, conv2;
    BatchNorm2d norm1, norm2;
};

/// Pictures [N, 1, 28, 28] -> [N, 10].
class Network : public Module {
  public:
    explicit Network(Rng& rng)
        : stem(1, 16, {.kernel_size = 3, .stride = 2, .padding = 1}, rng),
          block(16, rng),
          head(16 * 7 * 7, 10, rng) {}

    Tensor forward(const Tensor& x) override {
        const Tensor features = max_pool2d(block(relu(stem(x))), {.kernel_size = 2});
        return head(flatten(features, 1));  // [N, 16, 7, 7] -> [N, 784] -> [N, 10]
    }
    void visit(Visitor& visitor) override {
        visitor("stem", stem);
        visitor("block", block);
        visitor("head", head);
    }
    std::string describe() const override { return "Network"; }
    Conv2d stem;
    Block block;
    Linear head;
};

/// Initial weights by type of layer, for Module::apply.
void init_weights(Module& module, Rng& rng) {
    if (auto* conv = dynamic_cast<Conv2d*>(&module)) {
        kaiming_normal_(conv->weight, {.fan = Fan::out}, rng);
    } else if (auto* linear = dynamic_cast<Linear*>(&module)) {
        xavier_uniform_(linear->weight, 1, rng);
        zeros_(linear->bias);
    }
}

void show() {
    Rng rng(1);
    Network model(rng);
    model.apply([&](Module& module) { init_weights(module, rng); });
    std::cout << model << "\n\n";
    for (const auto& [name, parameter] : model.named_parameters()) {
        std::cout << name << ' ' << parameter.shape() << '\n';
    }

    // It is trained like any other.
    Adam optimizer(model.parameters(), {.lr = 0.01});
    const ImageDataset digits = synthetic_digits(2000, 1);
    DataLoader loader(digits, {.batch_size = 50, .shuffle = true, .transforms = {ToTensor()}}, rng);
    std::cout << "\nloss before " << evaluate(model, loader).loss;
    for (const Batch& batch : loader) {
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
    }
    std::cout << ", after an epoch " << evaluate(model, loader).loss << '\n';
}

int main(int argc, char** argv) {
    return examples::run(argc, argv, "A network as a class, with a skip connection.", show);
}
// SPDX-License-Identifier: MIT

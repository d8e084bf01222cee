// Primer's side of exchange.py:
//
//     exchange save FOLDER [MNIST]   trains the network a little; writes its weights, 1000 test
//                                    pictures (without the folder MNIST drawn ones), and what it
//                                    says of them
//     exchange load FOLDER           reads PyTorch's weights and those pictures; writes the same

#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/loader.h>
#include <primer/datasets/mnist.h>
#include <primer/datasets/synthetic_digits.h>
#include <primer/optim/sgd.h>
#include "exchange_network.h"

using namespace primer;

namespace {

namespace fs = std::filesystem;

constexpr Index kPictures = 1000;

void train(Sequential& model, Rng& rng) {
    const ImageDataset digits = synthetic_digits(3200, 1);
    DataLoader loader(digits, {.batch_size = 32, .transforms = {ToTensor()}}, rng);
    SGD optimizer(model.parameters(), {.lr = 0.05, .momentum = 0.9});
    for (const Batch& batch : loader) {
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
    }
}

void write_predictions(Sequential& model, const Tensor& images, const fs::path& folder) {
    model.eval();
    save_safetensors(folder / "primer_said.safetensors",
                     {{"predictions", softmax(model(images), 1)}});
}

void save(const fs::path& folder, const char* mnist_folder) {
    Rng rng(1);
    Sequential model = exchanged_network(rng);
    train(model, rng);
    const ImageDataset test =
        mnist_folder == nullptr ? synthetic_digits(kPictures, 2) : mnist(mnist_folder, Split::test);
    DataLoader loader(test, {.batch_size = kPictures, .transforms = {ToTensor()}}, rng);
    const Tensor images = loader.begin()->inputs;
    save_safetensors(folder / "primer.safetensors", model.state_dict());
    save_safetensors(folder / "images.safetensors", {{"images", images}});
    write_predictions(model, images, folder);
}

void load(const fs::path& folder) {
    Rng rng(2);
    Sequential model = exchanged_network(rng);
    load_safetensors(folder / "pytorch.safetensors", model.state_dict());
    const Tensor images = zeros({kPictures, 1, 28, 28});
    load_safetensors(folder / "images.safetensors", {{"images", images}});
    write_predictions(model, images, folder);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 2 ? argv[1] : "";
    try {
        if (what == "save") {
            save(argv[2], argc > 3 ? argv[3] : nullptr);
        } else if (what == "load") {
            load(argv[2]);
        } else {
            std::cerr << "usage: exchange save FOLDER [MNIST] | exchange load FOLDER\n";
            return 2;
        }
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
// SPDX-License-Identifier: MIT

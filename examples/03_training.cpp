// 03_training: trains a network, with data, model, loop, evaluation and saving in view
//
// Stop it with Ctrl-C and start it again: it goes on after the last epoch.

#include <primer/primer.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>

using namespace primer;

void train(const std::filesystem::path& file) {
    // Data: MNIST if it is there, or digits that the library draws. Batches come in a new order in
    // each epoch, as tensors [N, 1, 28, 28] of about mean 0 and standard deviation 1.
    const bool real = mnist_found("data/mnist");
    const ImageDataset digits =
        real ? mnist("data/mnist", Split::train) : synthetic_digits(6000, 1);
    const ImageDataset others = real ? mnist("data/mnist", Split::test) : synthetic_digits(1000, 2);
    const std::vector<Transform> transforms{ToTensor(), Normalize({kMnistMean}, {kMnistStddev})};
    Rng rng(1);
    DataLoader loader(digits, {.batch_size = 50, .shuffle = true, .transforms = transforms}, rng);
    DataLoader test_loader(others, {.batch_size = 500, .transforms = transforms}, rng);

    // Model: [N, 1, 28, 28] -> [N, 10], a number for each digit. The largest is the model's guess.
    Sequential model{Flatten(), Linear(784, 128, rng), ReLU(), Linear(128, 10, rng)};
    Adam optimizer(model.parameters(), {.lr = 1e-3});
    std::cout << model << '\n';

    Index step = 0;
    if (exists(file)) step = load_checkpoint(file, {model, optimizer, &loader});

    for (Index epoch = step / loader.batches(); epoch < 3; ++epoch) {
        for (const Batch& batch : loader) {
            Tape tape;  // records the ops from here on
            const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
            loss_value(loss);       // throws if it is NaN or infinite: the weights are not spoilt
            optimizer.zero_grad();  // without it gradients add up over the steps: step() throws
            tape.backward(loss);    // the gradients of all parameters
            optimizer.step();       // one step against them
            ++step;
        }
        const Evaluation test = evaluate(model, test_loader);
        std::printf("epoch %d  test loss %.4f  test accuracy %.2f%%\n", static_cast<int>(epoch + 1),
                    test.loss, 100 * test.accuracy);
        std::filesystem::create_directories(file.parent_path());
        save_checkpoint(file, {model, optimizer, &loader}, step);
    }
    std::cout << "Trained. Without " << file.string() << " the next start begins anew.\n";
}

int main() {
    try {
        train("runs/03_training.ckpt");
    } catch (const std::exception& error) {  // a diverged loss, data or a file that do not fit
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
// SPDX-License-Identifier: MIT

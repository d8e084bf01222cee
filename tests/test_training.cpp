// End to end, from easy to real: each rung trains something and states how well it must do.

#include <filesystem>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/metrics.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/cifar.h>
#include <primer/datasets/loader.h>
#include <primer/datasets/mnist.h>
#include <primer/datasets/synthetic_digits.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include <primer/optim/schedules.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

struct Run {
    std::vector<Real> losses;
    std::vector<Real> weights;  // all parameters, one after another
    double accuracy = 0;        // on the test data
};

/// One epoch of a perceptron on digits, as mnist_mlp trains it.
Run train_on_digits(const Dataset& train, const Dataset& test, std::uint64_t seed, Index hidden) {
    Rng rng(seed);
    Sequential model{Flatten(), Linear(784, hidden, rng), ReLU(), Linear(hidden, 10, rng)};
    const std::vector<Transform> transforms{ToTensor(), Normalize({kMnistMean}, {kMnistStddev})};
    DataLoader loader(train, {.batch_size = 64, .shuffle = true, .transforms = transforms}, rng);
    SGD optimizer(model.parameters(), {.lr = 0.05, .momentum = 0.9});

    Run run;
    for (const Batch& batch : loader) {
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
        run.losses.push_back(loss.item());
    }
    for (const Parameter& p : model.parameters()) {
        run.weights.insert(run.weights.end(), p.values().begin(), p.values().end());
    }
    DataLoader test_loader(test, {.batch_size = 500, .transforms = transforms}, rng);
    Index correct = 0;
    for (const Batch& batch : test_loader) {
        correct += count_correct(model(batch.inputs), batch.labels);
    }
    run.accuracy = static_cast<double>(correct) / static_cast<double>(test.size());
    return run;
}

/// The share of the test's pictures that a small convolutional network gets right after 300 steps.
double train_cnn(const Dataset& train, const Dataset& test, const Normalize& normalize) {
    Rng rng(1);
    const Index channels = train.shape()[0], quarter = train.shape()[1] / 4;
    Sequential model{Conv2d(channels, 16, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(16),
                     ReLU(),
                     MaxPool2d({.kernel_size = 2}),
                     Conv2d(16, 32, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(32),
                     ReLU(),
                     MaxPool2d({.kernel_size = 2}),
                     Flatten(),
                     Linear(32 * quarter * quarter, 10, rng)};
    const std::vector<Transform> transforms{ToTensor(), normalize};
    DataLoader loader(train, {.batch_size = 64, .shuffle = true, .transforms = transforms}, rng);
    SGD optimizer(model.parameters(), {.lr = 0.02, .momentum = 0.9});
    Index step = 0;
    for (const Batch& batch : loader) {
        optimizer.set_lr(one_cycle(step, {.max_lr = 0.02, .total_steps = 300}));
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
        if (++step == 300) break;
    }
    model.eval();
    DataLoader test_loader(test, {.batch_size = 500, .transforms = transforms}, rng);
    Index correct = 0;
    for (const Batch& batch : test_loader) {
        correct += count_correct(model(batch.inputs), batch.labels);
    }
    return static_cast<double>(correct) / static_cast<double>(test.size());
}

TEST_CASE("training: a line is fitted to its points") {
    // y = 2 x0 - 3 x1 + 0.5, without noise: gradient descent must find exactly these numbers.
    Rng rng(1);
    const Tensor x = randn({64, 2}, rng);
    const Tensor y = matmul(x, tensor({2, -3}, {2, 1})) + 0.5;
    Linear line(2, 1, rng);
    SGD optimizer(line.parameters(), {.lr = 0.1, .momentum = 0.9});
    for (int step = 0; step < 300; ++step) {
        Tape tape;
        const Tensor loss = mse_loss(line(x), y);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
    }
    check_values(line.weight, {1, 2}, {2, -3}, 1e-4);
    check_values(line.bias, {1}, {0.5}, 1e-4);
}

TEST_CASE("training: two layers learn XOR, which one cannot") {
    const Tensor x = tensor({0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});
    const IntTensor labels{0, 1, 1, 0};
    Rng rng(1);
    Sequential model{Linear(2, 16, rng), ReLU(), Linear(16, 2, rng)};
    SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    for (int step = 0; step < 200; ++step) {
        Tape tape;
        const Tensor loss = cross_entropy(model(x), labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
    }
    CHECK(argmax(model(x), 1).values == labels.values);
    CHECK(static_cast<double>(cross_entropy(model(x), labels).item()) < 0.01);
}

TEST_CASE("training: the same seed gives the same bits, for any number of threads") {
    const int before = num_threads();
    const ImageDataset train = synthetic_digits(1500, 1), test = synthetic_digits(100, 2);
    set_num_threads(1);
    const Run one = train_on_digits(train, test, 7, 64);
    const Run again = train_on_digits(train, test, 7, 64);
    set_num_threads(2);
    const Run two = train_on_digits(train, test, 7, 64);
    set_num_threads(3);
    const Run three = train_on_digits(train, test, 7, 64);
    set_num_threads(8);
    const Run eight = train_on_digits(train, test, 7, 64);
    const Run other_seed = train_on_digits(train, test, 8, 64);
    set_num_threads(before);

    REQUIRE(one.losses.size() == 24);  // 1500 / 64, the last batch smaller
    for (const Run* run : {&again, &two, &three, &eight}) {
        CHECK(run->losses == one.losses);
        CHECK(run->weights == one.weights);
    }
    CHECK(other_seed.losses != one.losses);
}

TEST_CASE("training: a perceptron learns the synthetic digits") {
    const Run run = train_on_digits(synthetic_digits(12000, 1), synthetic_digits(1000, 2), 1, 64);
    CHECK(run.accuracy > 0.9);
    CHECK(run.losses.back() < run.losses.front());
}

TEST_CASE("real data: mnist: a perceptron learns it in one epoch") {
    const std::filesystem::path folder = real_data("mnist");
    if (folder.empty()) return;
    const Run run =
        train_on_digits(mnist(folder, Split::train), mnist(folder, Split::test), 1, 128);
    CHECK(run.accuracy > 0.95);
}

TEST_CASE("real data: mnist: a convolutional network learns it in 300 steps") {
    const std::filesystem::path folder = real_data("mnist");
    if (folder.empty()) return;
    const double accuracy = train_cnn(mnist(folder, Split::train), mnist(folder, Split::test),
                                      Normalize({kMnistMean}, {kMnistStddev}));
    CAPTURE(accuracy);
    CHECK(accuracy > 0.96);
}

TEST_CASE("real data: cifar10: a convolutional network learns much of it in 300 steps") {
    const std::filesystem::path folder = real_data("cifar10");
    if (folder.empty()) return;
    const double accuracy = train_cnn(cifar10(folder, Split::train), cifar10(folder, Split::test),
                                      Normalize(kCifar10Mean, kCifar10Stddev));
    CAPTURE(accuracy);
    CHECK(accuracy > 0.5);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

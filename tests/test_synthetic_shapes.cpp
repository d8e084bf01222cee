#include <primer/datasets/synthetic_shapes.h>

#include <array>
#include <cmath>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/loader.h>
#include <primer/layers/activations.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "drawn.h"

namespace primer {
namespace {

const auto draw = [](Index count, std::uint64_t seed) { return synthetic_shapes(count, seed); };

TEST_CASE("synthetic_shapes: in CIFAR's format, the classes in turn") {
    const ImageDataset shapes = synthetic_shapes(25, 1);
    CHECK(shapes.size() == 25);
    CHECK(shapes.shape() == Shape{3, 32, 32});
    CHECK(shapes.classes() == Index{kShapeClasses.size()});
    for (Index i = 0; i < 25; ++i) CHECK(shapes.label(i) == i % 10);
}

TEST_CASE("synthetic_shapes: the same bytes on every platform and in both builds") {
    // This number has no outside source: it pins what the generator has always drawn.
    CHECK(hash(bytes(synthetic_shapes(200, 7), 0, 200)) == 2286586863939707080u);
}

TEST_CASE("synthetic_shapes: no picture twice, within a seed or in two") { check_all_differ(draw); }

TEST_CASE("synthetic_shapes: the number of threads does not matter") {
    check_any_threads(200, draw);
}

TEST_CASE("synthetic_shapes: no colour goes with a class") {
    constexpr Index kOfClass = 300;
    const ImageDataset shapes = synthetic_shapes(10 * kOfClass, 1);
    for (std::size_t channel : {0u, 1u, 2u}) {
        std::array<double, 10> mean{}, stddev{};
        for (Index i = 0; i < shapes.size(); ++i) {
            const auto label = static_cast<std::size_t>(shapes.label(i));
            double sum = 0;
            for (int x : shapes.pixels(i).subspan(channel * 1024, 1024)) sum += x;
            mean[label] += sum / 1024 / kOfClass;
            stddev[label] += sum / 1024 * sum / 1024 / kOfClass;
        }
        // The middle of 10 ... 245; a picture's colour is some 55 away from it, so a mean of 300
        // pictures 55 / sqrt(300) = 3.
        for (std::size_t label = 0; label < 10; ++label) {
            CAPTURE(label);
            CHECK(std::abs(mean[label] - 127.5) < 12);
            CHECK(std::sqrt(stddev[label] - mean[label] * mean[label]) > 30);
        }
    }
}

// Trains for three epochs, with a learning rate that falls to 0, and returns the share of other
// shapes that the model then gets right.
double accuracy_after_training(Sequential& model, Index count, double lr) {
    constexpr int kEpochs = 3;
    const ImageDataset train = synthetic_shapes(count, 1), test = synthetic_shapes(1000, 2);
    const std::vector<Transform> transforms{ToTensor(),
                                            Normalize({0.5, 0.5, 0.5}, {0.25, 0.25, 0.25})};
    Rng rng(3);
    DataLoader loader(train, {.batch_size = 32, .shuffle = true, .transforms = transforms}, rng);
    DataLoader test_loader(test, {.batch_size = 200, .transforms = transforms}, rng);
    SGD optimizer(model.parameters(), {.lr = lr, .momentum = 0.9});
    Index step = 0;
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
        for (const Batch& batch : loader) {
            optimizer.set_lr(lr * (1 - static_cast<double>(step++) /
                                           static_cast<double>(kEpochs * loader.batches())));
            Tape tape;
            const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
            optimizer.zero_grad();
            tape.backward(loss);
            optimizer.step();
        }
    }
    int right = 0;
    for (const Batch& batch : test_loader) {
        const IntTensor guess = argmax(model(batch.inputs), 1);
        for (std::size_t i = 0; i < guess.values.size(); ++i) {
            right += guess.values[i] == batch.labels.values[i] ? 1 : 0;
        }
    }
    return static_cast<double>(right) / static_cast<double>(test.size());
}

TEST_CASE("synthetic_shapes: a linear model hardly learns them") {
    Rng rng(2);
    Sequential model{Flatten(), Linear(3072, 10, rng)};
    CHECK(accuracy_after_training(model, 5000, 0.001) < 0.25);
}

TEST_CASE("synthetic_shapes: a small convolutional network learns them") {
    Rng rng(2);
    Sequential model{Conv2d(3, 16, {.kernel_size = 5, .stride = 2, .padding = 2}, rng),
                     ReLU(),
                     Conv2d(16, 32, {.kernel_size = 3, .stride = 2, .padding = 1}, rng),
                     ReLU(),
                     Conv2d(32, 32, {.kernel_size = 3, .stride = 2, .padding = 1}, rng),
                     ReLU(),
                     Flatten(),
                     Linear(512, 10, rng)};
    // With twice as many pictures, too slow for a test, it reaches 94.6 %.
    CHECK(accuracy_after_training(model, 10000, 0.03) > 0.75);
}

TEST_CASE("synthetic_shapes: counts that cannot be") { check_counts("synthetic_shapes", draw); }

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

// mnist_cnn: trains a small convolutional network on MNIST and reports its test accuracy

#include <primer/primer.h>

#include <cmath>
#include <cstdio>
#include <iostream>

#include "support/data.h"
#include "support/evaluate.h"
#include "support/flags.h"
#include "support/progress.h"

using namespace primer;
using namespace primer::examples;

namespace {

void train(const TrainingFlags& flags) {
    if (flags.threads > 0) set_num_threads(flags.threads);
    const TrainAndTest data = find_digits(flags.data);
    announce(data);

    // Twice: look for patterns of 3 x 3 pixels, normalise, keep what is positive, halve the
    // picture. The convolutions need no bias, for BatchNorm2d has one, which can be a ReLU as well,
    // in the same pass over memory.
    Rng rng(flags.seed);
    Sequential model{Conv2d(1, 32, {.kernel = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(32, {.relu = true}),
                     MaxPool2d({.kernel = 2}),  // [N, 32, 14, 14]
                     Conv2d(32, 64, {.kernel = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(64, {.relu = true}),
                     MaxPool2d({.kernel = 2}),  // [N, 64, 7, 7]
                     Flatten(),
                     Linear(64 * 7 * 7, 128, rng),
                     ReLU(),
                     Linear(128, 10, rng)};
    std::cout << summary(model, {flags.batch_size, 1, 28, 28}) << '\n';

    // In training each digit is moved a little, so that no two epochs are alike.
    const Normalize normalize({kMnistMean}, {kMnistStddev});
    DataLoader train_loader(data.train,
                            {.batch_size = flags.batch_size,
                             .shuffle = true,
                             .transforms = {RandomCrop(28, 2), ToTensor(), normalize}},
                            rng);
    DataLoader test_loader(
        data.test, {.batch_size = flags.test_batch_size, .transforms = {ToTensor(), normalize}},
        rng);
    SGD optimizer(model.parameters(), {.lr = flags.lr,
                                       .momentum = flags.momentum,
                                       .weight_decay = flags.weight_decay,
                                       .nesterov = flags.momentum > 0});

    const Index steps = flags.dry_run ? 1 : flags.epochs * train_loader.batches();
    Progress progress(flags.dry_run ? 1 : flags.epochs, train_loader.batches());
    double accuracy = 0;
    for (Index step = 0; step < steps;) {
        for (const Batch& batch : train_loader) {
            // Up to --lr, so that the start does no harm, and down to nearly nothing.
            optimizer.set_lr(one_cycle(step, {.max_lr = flags.lr, .total_steps = steps}));

            Tape tape;
            const Tensor logits = model(batch.images);
            const Tensor loss = cross_entropy(logits, batch.labels);
            optimizer.zero_grad();
            tape.backward(loss);
            optimizer.step();

            ++step;
            if (!std::isfinite(loss.item())) {
                fail("step ", step,
                     ": the loss is not finite: training has diverged; try a smaller "
                     "--lr than ",
                     flags.lr);
            }
            progress.step(loss.item(), count_correct(logits, batch.labels),
                          batch.images.shape()[0]);
            if (step == steps) break;
        }
        accuracy = evaluate(model, test_loader).accuracy;
        progress.end_epoch(accuracy);
    }
    std::printf("test accuracy: %.2f%%\n", 100 * accuracy);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small convolutional network on MNIST and reports its test accuracy.");
    TrainingFlags flags;
    flags.lr = 0.05;
    flags.weight_decay = 5e-4;
    add_training_flags(app, flags);
    return run(app, argc, argv, [&] { train(flags); });
}

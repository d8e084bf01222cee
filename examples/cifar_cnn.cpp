// cifar_cnn: trains a convolutional network on CIFAR-10 and reports its test accuracy

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

/// Two convolutions at one size, then half of it: [N, in, H, W] -> [N, out, H/2, W/2].
void append_stage(Sequential& model, Index in, Index out, Rng& rng) {
    for (Index channels : {in, out}) {
        model.append(Conv2d(channels, out, {.kernel = 3, .padding = 1, .bias = false}, rng));
        model.append(BatchNorm2d(out, {.relu = true}));  // both in one pass over memory
    }
    model.append(MaxPool2d({.kernel = 2}));
}

void train(const TrainingFlags& flags) {
    if (flags.threads > 0) set_num_threads(flags.threads);
    const TrainAndTest data = find_pictures(flags.data);
    announce(data);

    Rng rng(flags.seed);
    Sequential model;
    append_stage(model, 3, 32, rng);
    append_stage(model, 32, 64, rng);
    append_stage(model, 64, 128, rng);
    model.append(Flatten())
        .append(Linear(128 * 4 * 4, 128, rng))
        .append(ReLU())
        .append(Linear(128, 10, rng));
    std::cout << summary(model, {flags.batch_size, 3, 32, 32}) << '\n';

    // Each picture is seen shifted and mirrored, so no two epochs are alike.
    const Normalize normalize(kCifar10Mean, kCifar10Stddev);
    DataLoader train_loader(
        data.train,
        {.batch_size = flags.batch_size,
         .shuffle = true,
         .drop_last = data.train.size() >= flags.batch_size,
         .transforms = {RandomCrop(32, 4), RandomHorizontalFlip(), ToTensor(), normalize}},
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
            // From small to --lr, so that the start does no harm, and down to nearly nothing.
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
    CLI::App app("Trains a convolutional network on CIFAR-10 and reports its test accuracy.");
    TrainingFlags flags;
    flags.epochs = 12;
    flags.batch_size = 128;
    flags.lr = 0.1;
    flags.weight_decay = 5e-4;
    add_training_flags(app, flags);
    return run(app, argc, argv, [&] { train(flags); });
}

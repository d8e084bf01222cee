// cifar_cnn: trains a convolutional network on CIFAR-10 and reports its test accuracy

#include <primer/primer.h>

#include <CLI/CLI.hpp>

#include "networks.h"
#include "support/data.h"
#include "support/training_flags.h"
#include "support/training_run.h"

using namespace primer;
using namespace primer::examples;

namespace {

void train(const TrainingFlags& flags) {
    const TrainAndTest data = find_pictures(flags.data);

    Rng rng(flags.seed);
    Sequential model = cifar_cnn(rng, data.train.classes());

    // Each picture is seen shifted and mirrored, so no two epochs are alike.
    const Normalize normalize(data.statistics.mean, data.statistics.stddev);
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
    // The loop sets the learning rate anew before each step; --lr is its largest value.
    SGD optimizer(model.parameters(), {.lr = flags.lr,
                                       .momentum = flags.momentum,
                                       .weight_decay = flags.weight_decay,
                                       .nesterov = flags.momentum > 0});

    TrainingRun run(flags, data, {model, optimizer, rng, train_loader, test_loader});
    DetailedEvaluation test;
    do {
        for (const Batch& batch : train_loader) {
            // From a small rate up to --lr, so that the start does no harm, then down to nearly 0.
            optimizer.set_lr(
                one_cycle(run.step(), {.max_lr = flags.lr, .total_steps = run.steps()}));

            Tape tape;
            const Tensor logits = model(batch.inputs);
            const Tensor loss = cross_entropy(logits, batch.labels);
            optimizer.zero_grad();  // otherwise gradients add up, and step() throws
            tape.backward(loss);
            optimizer.step();

            run.after_step(loss, logits, batch.labels);
            if (run.done()) break;
        }
        test = evaluate_in_detail(model, test_loader);
        run.after_epoch(test);
    } while (!run.done());
    run.finish("cifar_cnn", test);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a convolutional network on CIFAR-10 and reports its test accuracy.");
    TrainingFlags flags;
    flags.epochs = 12;
    flags.batch_size = 128;
    flags.lr = 0.1;  // the default of --lr
    flags.weight_decay = 5e-4;
    add_training_flags(app, flags);
    add_weights_flag(app, flags);
    return run(app, argc, argv, flags, [&] { train(flags); });
}
// SPDX-License-Identifier: MIT

// mnist_mlp: trains a 784-256-128-10 perceptron on MNIST and reports its test accuracy

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
    const TrainAndTest data = find_digits(flags.data);

    Rng rng(flags.seed);
    Sequential model = mnist_mlp(rng, data.train.classes());

    const std::vector<Transform> transforms{
        ToTensor(), Normalize(data.statistics.mean, data.statistics.stddev)};
    DataLoader train_loader(
        data.train, {.batch_size = flags.batch_size, .shuffle = true, .transforms = transforms},
        rng);
    DataLoader test_loader(data.test,
                           {.batch_size = flags.test_batch_size, .transforms = transforms}, rng);

    // The loop sets the learning rate anew before each step; --lr is its largest value.
    SGD optimizer(model.parameters(),
                  {.lr = flags.lr, .momentum = flags.momentum, .weight_decay = flags.weight_decay});

    TrainingRun run(flags, data, {model, optimizer, rng, train_loader, test_loader});
    DetailedEvaluation test;
    do {
        for (const Batch& batch : train_loader) {
            // The learning rate falls to 0 in a straight line: large steps to get near, small ones
            // to settle.
            optimizer.set_lr(flags.lr * (1 - static_cast<double>(run.step()) /
                                                 static_cast<double>(run.steps())));

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
    run.finish("mnist_mlp", test);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a 784-256-128-10 perceptron on MNIST and reports its test accuracy.");
    TrainingFlags flags;
    flags.lr = 0.05;  // the default of --lr
    flags.weight_decay = 5e-4;
    add_training_flags(app, flags);
    add_weights_flag(app, flags);
    return run(app, argc, argv, flags, [&] { train(flags); });
}
// SPDX-License-Identifier: MIT

// mnist_cnn: trains a small convolutional network on MNIST and reports its test accuracy

#include <primer/primer.h>

#include <cmath>
#include <cstdio>
#include <iostream>

#include "support/checkpoints.h"
#include "support/data.h"
#include "support/evaluate.h"
#include "support/flags.h"
#include "support/networks.h"
#include "support/progress.h"

using namespace primer;
using namespace primer::examples;

namespace {

void train(const TrainingFlags& flags, Index width) {
    const TrainAndTest data = find_digits(flags.data);
    announce(data);

    Rng rng(flags.seed);
    Sequential model = mnist_cnn(width, rng);
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

    Progress progress(flags.dry_run ? 1 : flags.epochs, train_loader.batches());
    Checkpoints checkpoints(flags, {model, optimizer, rng, train_loader, test_loader, progress});
    Index step = checkpoints.step();  // 0, or where --resume goes on
    const Index steps = flags.dry_run ? step + 1 : flags.epochs * train_loader.batches();
    double accuracy = 0;
    do {
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
            checkpoints.after_step(step);
            if (step == steps) break;
        }
        accuracy = evaluate(model, test_loader).accuracy;
        checkpoints.after_epoch(accuracy);
        progress.end_epoch(accuracy);
    } while (step < steps);
    save_weights(flags, "mnist_cnn", model);
    std::printf("test accuracy: %.2f%%\n", 100 * accuracy);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small convolutional network on MNIST and reports its test accuracy.");
    TrainingFlags flags;
    flags.lr = 0.05;
    flags.weight_decay = 5e-4;
    add_training_flags(app, flags);
    add_weights_flag(app, flags);
    Index width = 32;
    app.add_option("--width", width, "channels of the first convolution")
        ->check(whole_number(1, 1024))
        ->type_name("N");
    return run(app, argc, argv, flags, [&] { train(flags, width); });
}

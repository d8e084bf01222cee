// relu_variants: trains one network with each activation in turn and compares them

#include <primer/primer.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>

#include "support/data.h"
#include "support/evaluate.h"
#include "support/flags.h"
#include "support/progress.h"

using namespace primer;
using namespace primer::examples;

namespace {

struct Choice {
    const char* name;
    std::function<void(Sequential&)> append;  // to a model
};

const std::vector<Choice> choices{
    {"relu", [](Sequential& model) { model.append(ReLU()); }},
    {"leaky_relu", [](Sequential& model) { model.append(LeakyReLU()); }},
    {"prelu", [](Sequential& model) { model.append(PReLU()); }},
    {"elu", [](Sequential& model) { model.append(ELU()); }},
    {"selu", [](Sequential& model) { model.append(SELU()); }},
    {"gelu", [](Sequential& model) { model.append(GELU()); }},
    {"silu", [](Sequential& model) { model.append(SiLU()); }},
    {"hardswish", [](Sequential& model) { model.append(Hardswish()); }},
    {"softplus", [](Sequential& model) { model.append(Softplus()); }},
    {"tanh", [](Sequential& model) { model.append(Tanh()); }},
    {"sigmoid", [](Sequential& model) { model.append(Sigmoid()); }},
};

/// Two convolutions, two linear layers; no batch normalisation, which would wake dead units.
Sequential make_model(const Choice& activation, Rng& rng) {
    Sequential model;
    model.append(Conv2d(1, 16, {.kernel = 3, .padding = 1}, rng));
    activation.append(model);
    model.append(MaxPool2d({.kernel = 2}));
    model.append(Conv2d(16, 32, {.kernel = 3, .padding = 1}, rng));
    activation.append(model);
    model.append(MaxPool2d({.kernel = 2})).append(Flatten()).append(Linear(32 * 7 * 7, 64, rng));
    activation.append(model);
    model.append(Linear(64, 10, rng));
    return model;
}

struct Result {
    Evaluation test;
    double dead_units = 0, seconds = 0;  // share, over all layers; for training alone
    std::vector<Real> slopes;            // of PReLU, one for each layer
};

Result train(const Choice& activation, const TrainAndTest& data, const TrainingFlags& flags) {
    std::cout << activation.name << '\n';
    Rng rng(flags.seed);  // the same for each: what differs is the activation alone
    Sequential model = make_model(activation, rng);
    const std::vector<Transform> transforms{ToTensor(), Normalize({kMnistMean}, {kMnistStddev})};
    DataLoader train_loader(
        data.train, {.batch_size = flags.batch_size, .shuffle = true, .transforms = transforms},
        rng);
    DataLoader test_loader(data.test,
                           {.batch_size = flags.test_batch_size, .transforms = transforms}, rng);
    SGD optimizer(model.parameters(),
                  {.lr = flags.lr, .momentum = flags.momentum, .weight_decay = flags.weight_decay});

    const Index steps = flags.dry_run ? 1 : flags.epochs * train_loader.batches();
    Progress progress(flags.dry_run ? 1 : flags.epochs, train_loader.batches());
    Result result;
    for (Index step = 0; step < steps;) {
        const auto start = std::chrono::steady_clock::now();
        for (const Batch& batch : train_loader) {
            // From small, for at first the gradient of a whole layer's slope (PReLU) is large.
            optimizer.set_lr(one_cycle(step, {.max_lr = flags.lr, .total_steps = steps}));

            Tape tape;
            const Tensor logits = model(batch.images);
            const Tensor loss = cross_entropy(logits, batch.labels);
            optimizer.zero_grad();
            tape.backward(loss);
            optimizer.step();

            ++step;
            if (!std::isfinite(loss.item())) {
                fail(activation.name, ", step ", step,
                     ": the loss is not finite; try a smaller --lr");
            }
            progress.step(loss.item(), count_correct(logits, batch.labels),
                          batch.images.shape()[0]);
            if (step == steps) break;
        }
        result.seconds +=
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (step < steps) progress.end_epoch(evaluate(model, test_loader).accuracy);
    }
    const auto watched =
        dead_relu_ratio(model, [&] { result.test = evaluate(model, test_loader); });
    progress.end_epoch(result.test.accuracy);
    for (const LayerStatistics& layer : watched) {
        result.dead_units += layer.dead_units / static_cast<double>(watched.size());
    }
    for (const Parameter& parameter : model.parameters()) {  // only PReLU's has one element
        if (parameter.numel() == 1) result.slopes.push_back(parameter.item());
    }
    return result;
}

void compare(const TrainingFlags& flags, const std::vector<std::string>& names) {
    if (flags.threads > 0) set_num_threads(flags.threads);
    const TrainAndTest data = find_digits(flags.data);
    announce(data);

    std::string table = "activation    accuracy    loss   dead units   seconds\n";
    for (const Choice& choice : choices) {
        if (std::ranges::find(names, choice.name) == names.end()) continue;
        const Result result = train(choice, data, flags);
        char row[120];
        std::snprintf(row, sizeof row, "%-12s   %6.2f%%  %6.4f       %5.1f%%   %7.1f\n",
                      choice.name, 100 * result.test.accuracy, result.test.loss,
                      100 * result.dead_units, result.seconds);
        table += row;
        for (Real slope : result.slopes) {
            table += "  slope learnt: from 0.25 to " + std::to_string(slope) + '\n';
        }
    }
    std::cout << '\n' << table;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains one network on MNIST with each activation in turn and compares them.");
    TrainingFlags flags;
    flags.epochs = 2;
    flags.lr = 0.02;
    add_training_flags(app, flags);
    std::vector<std::string> names;
    for (const Choice& choice : choices) names.emplace_back(choice.name);
    app.add_option("--activations", names, "which ones, separated by commas")
        ->delimiter(',')
        ->check(CLI::IsMember(std::vector<std::string>(names)))
        ->type_name("NAME,...");
    return run(app, argc, argv, [&] { compare(flags, names); });
}

// relu_variants: trains one network with each activation in turn and compares them

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "support/data.h"
#include "support/training_flags.h"
#include "support/training_run.h"

using namespace primer;
using namespace primer::examples;

namespace {

struct Choice {
    std::string name;
    void (*append)(Sequential&);  // to a model
};

template <class M>
void append(Sequential& model) {
    model.append(M());
}

const std::vector<Choice> choices{
    {"relu", append<ReLU>},
    {"leaky_relu", append<LeakyReLU>},
    {"prelu", append<PReLU>},
    {"relu6", append<ReLU6>},
    {"hardtanh", append<Hardtanh>},
    {"elu", append<ELU>},
    {"celu", append<CELU>},
    {"selu", append<SELU>},
    {"gelu", append<GELU>},
    {"gelu_tanh", [](Sequential& model) { model.append(GELU(Approximation::tanh)); }},
    {"silu", append<SiLU>},
    {"mish", append<Mish>},
    {"hardswish", append<Hardswish>},
    {"softplus", append<Softplus>},
    {"softsign", append<Softsign>},
    {"tanh", append<Tanh>},
    {"sigmoid", append<Sigmoid>},
    {"logsigmoid", append<LogSigmoid>},
    {"hardsigmoid", append<Hardsigmoid>},
};

/// Two convolutions, two linear layers; no batch normalisation, which would wake dead units.
Sequential make_model(const Choice& activation, Index classes, Rng& rng) {
    Sequential model{Conv2d(1, 16, {.kernel_size = 3, .padding = 1}, rng)};
    activation.append(model);
    model.append(MaxPool2d({.kernel_size = 2}));
    model.append(Conv2d(16, 32, {.kernel_size = 3, .padding = 1}, rng));
    activation.append(model);
    model.append(MaxPool2d({.kernel_size = 2}))
        .append(Flatten())
        .append(Linear(32 * 7 * 7, 64, rng));
    activation.append(model);
    model.append(Linear(64, classes, rng));
    return model;
}

/// Trains the model and returns its row of the table; `table` holds the rows so far.
std::string train(const std::string& name, Sequential& model, const TrainAndTest& data,
                  const TrainingFlags& flags, Rng& rng, const std::string& table,
                  RunDirectory& directory) {
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

    TrainingRun run(flags, data, {model, optimizer, rng, train_loader, test_loader, table},
                    directory, name);
    DetailedEvaluation test;
    do {
        for (const Batch& batch : train_loader) {
            // It starts small, since the gradient of a whole layer's slope (PReLU) is large at
            // first.
            optimizer.set_lr(
                one_cycle(run.step(), {.max_lr = flags.lr, .total_steps = run.steps()}));

            Tape tape;
            const Tensor logits = model(batch.inputs);
            const Tensor loss = cross_entropy(logits, batch.labels);
            optimizer.zero_grad();  // otherwise gradients add up, and step() throws
            tape.backward(loss);
            optimizer.step();

            if (!std::isfinite(loss.item())) {
                return "diverged at step " + std::to_string(run.step() + 1) +
                       "; try a smaller --lr\n";
            }
            run.after_step(loss, logits, batch.labels);
            if (run.done()) break;
        }
        test = evaluate_in_detail(model, test_loader);
        run.after_epoch(test);
    } while (!run.done());
    run.finish();
    if (!std::isfinite(test.loss)) return "diverged at the last step; try a smaller --lr\n";
    double dead = 0;
    for (const DeadUnits& layer : test.dead_units) dead += layer.share;
    char row[120];
    std::snprintf(row, sizeof row, "%12.2f%%  %10.4f  %10.1f%%  %8.1f\n", 100 * test.accuracy,
                  test.loss, 100 * dead / static_cast<double>(test.dead_units.size()),
                  run.training_seconds());
    std::string text = row;
    for (const Parameter& parameter : model.parameters()) {
        if (parameter.numel() > 1) continue;  // only PReLU's has one element
        text += "  slope learnt: from 0.25 to " + std::to_string(parameter.item()) + '\n';
    }
    return text;
}

void compare(TrainingFlags flags, const std::vector<std::string>& names) {
    const TrainAndTest data = find_digits(flags.data);
    if (!flags.quiet) announce(data);
    std::string table = "activation     test accuracy   test loss   dead units   seconds\n";
    if (!flags.resume.empty()) table = printable_lines(Checkpoint::load(flags.resume).note);
    // Each activation is a run with a folder of its own below the run directory, which holds the
    // checkpoint and, in the end, a report that shows them side by side.
    RunDirectory directory(place_of(flags));
    for (const std::string& name : names) {
        if (table.find('\n' + name + ' ') != std::string::npos) continue;  // done before
        Rng rng(flags.seed);  // the same for each: what differs is the activation alone
        Sequential model =
            make_model(*std::ranges::find(choices, name, &Choice::name), data.train.classes(), rng);
        if (&name == &names.front() && !flags.quiet) std::cout << model << '\n';
        if (!flags.quiet) std::cout << '\n' << name << '\n';
        table += name + std::string(15 - name.size(), ' ') +
                 train(name, model, data, flags, rng, table, directory);
        flags.resume = "";  // only this run was resumed; later ones start afresh
    }
    const std::filesystem::path report = report_side_by_side(directory, names);
    if (!flags.quiet) print_report_path(report);
    std::cout << (flags.quiet ? "" : "\n") << table;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains one network on MNIST with each activation in turn and compares them.");
    TrainingFlags flags;
    flags.epochs = 2;
    flags.lr = 0.02;  // the default of --lr
    add_training_flags(app, flags);
    std::vector<std::string> names;
    for (const Choice& choice : choices) names.emplace_back(choice.name);
    app.add_option("--activations", names, "which ones, separated by commas")
        ->delimiter(',')
        ->check(CLI::IsMember(names).description(""))
        ->type_name("NAME,...");
    return run(app, argc, argv, flags, [&] { compare(flags, names); });
}
// SPDX-License-Identifier: MIT

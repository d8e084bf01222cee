// prelu_study: ReLU against a hand-written ParametricReLU, with two initialisations and three seeds

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "support/data.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace {

/// max(x, 0) + slope min(x, 0) with a learnt slope for each feature. Made of the library's ops, it
/// needs no backward of its own. (The library's PReLU computes the same in one pass.)
class ParametricReLU : public Activation {
  public:
    explicit ParametricReLU(Index features) : slope(full({features}, 0.25)) {
        slope.weight_decay = false;  // which would pull it towards ReLU
    }
    Tensor forward(const Tensor& x) override { return maximum(x, 0) + slope * minimum(x, 0); }
    void visit(Visitor& visitor) override { visitor("slope", slope); }
    void reset_parameters(Rng& /*rng*/) override { constant_(slope, 0.25); }
    std::string describe() const override { return "ParametricReLU()"; }

    Parameter slope;
};

struct Flags {
    std::string data;
    Index epochs = 2;
    Index seeds = 3;
};

Sequential make_model(bool parametric, Index classes, Rng& rng) {
    Sequential model{Flatten()};
    Index in = 784;
    for (const Index out : {128, 64}) {
        model.append(Linear(in, out, rng));
        if (parametric) {
            model.append(ParametricReLU(out));
        } else {
            model.append(ReLU());
        }
        in = out;
    }
    model.append(Linear(in, classes, rng));
    return model;
}

/// The accuracy on the test pictures, in percent.
double train(bool parametric, bool init_of_pytorch, const TrainAndTest& data, Index epochs,
             Rng rng) {
    Sequential model = make_model(parametric, data.train.classes(), rng);
    if (init_of_pytorch) model.reset_parameters(rng);
    const std::vector<Transform> transforms{
        ToTensor(), Normalize(data.statistics.mean, data.statistics.stddev)};
    DataLoader train_loader(data.train, {.shuffle = true, .transforms = transforms}, rng);
    DataLoader test_loader(data.test, {.batch_size = 1000, .transforms = transforms}, rng);
    SGD optimizer(model.parameters(), {.lr = 0.05, .momentum = 0.9});
    for (Index epoch = 0; epoch < epochs; ++epoch) {
        for (const Batch& batch : train_loader) {
            Tape tape;
            const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
            optimizer.zero_grad();
            tape.backward(loss);
            optimizer.step();
        }
    }
    return 100 * evaluate(model, test_loader).accuracy;
}

void study(const Flags& flags) {
    const TrainAndTest data = find_digits(flags.data);
    announce(data);
    std::printf("\n%-16s%-12s%16s\n", "activation", "initial", "test accuracy");
    for (const bool init_of_pytorch : {false, true}) {
        for (const bool parametric : {false, true}) {
            Tensor accuracies = empty({flags.seeds});
            for (Index seed = 1; seed <= flags.seeds; ++seed) {
                accuracies.mutable_data()[seed - 1] =
                    static_cast<Real>(train(parametric, init_of_pytorch, data, flags.epochs,
                                            Rng(static_cast<std::uint64_t>(seed))));
            }
            std::printf("%-16s%-12s%8.2f +- %.2f\n", parametric ? "ParametricReLU" : "ReLU",
                        init_of_pytorch ? "PyTorch's" : "He normal",
                        static_cast<double>(mean(accuracies).item()),
                        flags.seeds > 1 ? static_cast<double>(stddev(accuracies).item()) : 0.0);
            std::fflush(stdout);
        }
    }
    std::printf("\nMean and standard deviation over %lld seeds, %lld epochs each.\n",
                static_cast<long long>(flags.seeds), static_cast<long long>(flags.epochs));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Compares ReLU with a hand-written ParametricReLU on MNIST.");
    Flags flags;
    app.option_defaults()->always_capture_default();
    app.add_option("--data", flags.data, "folder with the data, as for mnist_mlp")
        ->check(not_empty())
        ->type_name("DIR");
    app.add_option("--epochs", flags.epochs, "how long to train each network")
        ->transform(whole_number(1, 1000))
        ->type_name("N");
    app.add_option("--seeds", flags.seeds, "how many seeds, from 1 on")
        ->transform(whole_number(1, 100))
        ->type_name("N");
    return run(app, argc, argv, [&] { study(flags); });
}
// SPDX-License-Identifier: MIT

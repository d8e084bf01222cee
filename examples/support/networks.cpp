#include "networks.h"

#include <filesystem>
#include <iostream>

#include <primer/core/error.h>
#include <primer/datasets/cifar.h>
#include <primer/datasets/mnist.h>
#include <primer/datasets/pictures.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include "output_file.h"

namespace primer::examples {
namespace {

constexpr const char* kNetwork = "network";  // in the metadata

/// Two convolutions at one size, then half of it: [N, in, H, W] -> [N, out, H/2, W/2].
void append_stage(Sequential& model, Index in, Index out, Rng& rng) {
    for (Index channels : {in, out}) {
        model.append(Conv2d(channels, out, {.kernel = 3, .padding = 1, .bias = false}, rng));
        model.append(BatchNorm2d(out, {.relu = true}));  // both in one pass over memory
    }
    model.append(MaxPool2d({.kernel = 2}));
}

/// The size of the file's first convolution, which the others follow.
Index width_of(const SafetensorsFile& file) {
    const Shape shape = file.find("0.weight").shape;
    check(shape.rank() == 4 && shape[0] >= 1 && shape[0] <= 1024, file.source(),
          ": expected the weight of a convolution of 1 to 1024 channels as 0.weight, got ", shape);
    // Nearly all of the network is in this one. It is not made on the word of a file without it.
    const Index width = shape[0];
    const Shape expected{4 * width, 2 * width * 7 * 7}, largest = file.find("7.weight").shape;
    check(largest == expected, file.source(), ": expected 7.weight of shape ", expected,
          ", for 0.weight has ", width, " channels, got ", largest);
    return width;
}

Trained build(const std::string& network, const SafetensorsFile& file) {
    Rng rng(0);  // for initial weights, which the file's replace
    if (network == "cifar_cnn") {
        return {cifar_cnn(rng),
                cifar_picture,
                kCifar10Mean,
                kCifar10Stddev,
                {kCifar10Classes.begin(), kCifar10Classes.end()}};
    }
    std::vector<std::string> digits;
    for (int i = 0; i < 10; ++i) digits.push_back(std::to_string(i));
    if (network == "mnist_mlp") {
        return {mnist_mlp(rng), mnist_picture, {kMnistMean}, {kMnistStddev}, digits};
    }
    if (network == "mnist_cnn") {
        return {
            mnist_cnn(width_of(file), rng), mnist_picture, {kMnistMean}, {kMnistStddev}, digits};
    }
    fail(file.source(),
         ": expected the weights of mnist_mlp, mnist_cnn or cifar_cnn, got those of ",
         network.empty() ? "a network that is not named" : network,
         "; --save-weights of these examples writes such files, and docs/exchange.md says how "
         "PyTorch does");
}

}  // namespace

Sequential mnist_mlp(Rng& rng) {
    return Sequential{Flatten(),  //
                      Linear(784, 256, rng),
                      ReLU(),  //
                      Linear(256, 128, rng),
                      ReLU(),  //
                      Linear(128, 10, rng)};
}

Sequential mnist_cnn(Index width, Rng& rng) {
    // Twice: look for patterns of 3 x 3 pixels, normalise, keep what is positive, halve the
    // picture. The convolutions need no bias, for BatchNorm2d has one, which can be a ReLU as well,
    // in the same pass over memory.
    return Sequential{Conv2d(1, width, {.kernel = 3, .padding = 1, .bias = false}, rng),
                      BatchNorm2d(width, {.relu = true}),
                      MaxPool2d({.kernel = 2}),  // [N, width, 14, 14]
                      Conv2d(width, 2 * width, {.kernel = 3, .padding = 1, .bias = false}, rng),
                      BatchNorm2d(2 * width, {.relu = true}),
                      MaxPool2d({.kernel = 2}),  // [N, 2 width, 7, 7]
                      Flatten(),
                      Linear(2 * width * 7 * 7, 4 * width, rng),
                      ReLU(),
                      Linear(4 * width, 10, rng)};
}

Sequential cifar_cnn(Rng& rng) {
    Sequential model;
    append_stage(model, 3, 32, rng);
    append_stage(model, 32, 64, rng);
    append_stage(model, 64, 128, rng);
    model.append(Flatten())
        .append(Linear(128 * 4 * 4, 128, rng))
        .append(ReLU())
        .append(Linear(128, 10, rng));
    return model;
}

void save_weights(const TrainingFlags& flags, const std::string& network, Module& model) {
    if (flags.save_weights.empty()) return;
    check_replaceable(flags.save_weights, kWeightsFile);
    save_safetensors(flags.save_weights, model.state_dict(),
                     {{"format", "pt"}, {kNetwork, network}});
    if (!flags.quiet) std::cout << "Weights saved to " << printable(flags.save_weights) << '\n';
}

Trained load_trained(const std::string& path) {
    const SafetensorsFile file = SafetensorsFile::load(path);
    const auto network = file.metadata().find(kNetwork);
    Trained trained = build(network == file.metadata().end() ? "" : network->second, file);
    for (const std::string& note : file.load_into(trained.model.state_dict()).notes) {
        std::cerr << "note: " << file.source() << ": " << printable(note) << '\n';
    }
    trained.model.eval();
    return trained;
}

}  // namespace primer::examples

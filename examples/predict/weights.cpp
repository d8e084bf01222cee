#include "weights.h"

#include <iostream>

#include <primer/core/error.h>
#include <primer/core/io/safetensors.h>
#include <primer/datasets/cifar.h>
#include <primer/datasets/mnist.h>
#include <primer/datasets/pictures.h>
#include <primer/layers/fuse.h>
#include "../networks.h"

namespace primer::examples {
namespace {

/// The width of the file's first convolution, from which the other sizes follow.
Index width_of(const SafetensorsFile& file) {
    const Shape shape = file.find("0.weight").shape;
    check(shape.rank() == 4 && shape[0] >= 1 && shape[0] <= 1024, file.source(),
          ": expected the weight of a convolution of 1 to 1024 channels as 0.weight, got ", shape);
    // This is nearly all of the network's memory: do not allocate it unless the file has it.
    const Index width = shape[0];
    const Shape expected{4 * width, 2 * width * 7 * 7}, largest = file.find("7.weight").shape;
    check(largest == expected, file.source(), ": expected 7.weight of shape ", expected,
          ", since 0.weight has ", width, " channels, got ", largest);
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
         network.empty() ? "an unnamed network" : network,
         "; --save-weights of these examples writes such files, and docs/exchange.md says how "
         "PyTorch does");
}

}  // namespace

Trained load_trained(const std::string& path) {
    const SafetensorsFile file = SafetensorsFile::load(path);
    const auto network = file.metadata().find("network");
    Trained trained = build(network == file.metadata().end() ? "" : network->second, file);
    for (const std::string& note : file.load_into(trained.model.state_dict()).notes) {
        std::cerr << "note: " << file.source() << ": " << printable(note) << '\n';
    }
    trained.model.eval();
    fuse_for_prediction(trained.model);
    return trained;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

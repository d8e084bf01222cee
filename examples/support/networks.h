#pragma once

#include <string>
#include <vector>

#include <primer/core/io/image.h>
#include <primer/core/io/safetensors.h>
#include <primer/core/rng.h>
#include <primer/layers/sequential.h>
#include "flags.h"

namespace primer::examples {

// The networks that the examples train, and predict takes up again.

/// 784-256-128-10: pictures [N, 1, 28, 28] -> [N, 10].
Sequential mnist_mlp(Rng& rng);

/// Two convolutions, of `width` and 2 `width` channels, each followed by half the size, and a
/// perceptron: pictures [N, 1, 28, 28] -> [N, 10].
Sequential mnist_cnn(Index width, Rng& rng);

/// Three times two convolutions at one size and then half of it, and a perceptron: pictures
/// [N, 3, 32, 32] -> [N, 10].
Sequential cifar_cnn(Rng& rng);

/// Writes the weights to the file that --save-weights names, if it does, and says so. `network` is
/// the name of the function above.
void save_weights(const TrainingFlags& flags, const std::string& network, Module& model);

/// A network with the weights that save_weights has written.
struct Trained {
    Sequential model;                 ///< in eval mode
    Tensor (*picture)(const Image&);  ///< what the network knows of pictures
    std::vector<Real> mean, stddev;   ///< for Normalize, after ToTensor
    std::vector<std::string> classes;
};

/// Throws Error, naming the file, if it is none of save_weights.
Trained load_trained(const std::string& path);

}  // namespace primer::examples

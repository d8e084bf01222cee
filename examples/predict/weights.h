#pragma once

#include <string>
#include <vector>

#include <primer/core/io/image.h>
#include <primer/core/tensor.h>
#include <primer/layers/sequential.h>

namespace primer::examples {

/// A network of networks.h, with the weights that --save-weights has written.
struct Trained {
    Sequential model;                 ///< in eval mode
    Tensor (*picture)(const Image&);  ///< turns a picture into the network's input
    std::vector<Real> mean, stddev;   ///< for Normalize, after ToTensor
    std::vector<std::string> classes;
};

/// Throws Error, naming the file, if it has no weights of such a network.
Trained load_trained(const std::string& path);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <primer/core/io/image.h>
#include <primer/core/tensor.h>
#include <primer/layers/sequential.h>

// Trained weights on disk, as safetensors: what --save-weights writes and predict reads.

namespace primer::examples {

/// Writes the weights of a network of networks.h, `network` being the name of its function. Throws
/// Error for a file of another kind at `path`, and if it cannot be written.
void save_weights(const std::filesystem::path& path, const std::string& network, Module& model);

/// A network with the weights that save_weights has written.
struct Trained {
    Sequential model;                 ///< in eval mode
    Tensor (*picture)(const Image&);  ///< makes the network's input of a picture
    std::vector<Real> mean, stddev;   ///< for Normalize, after ToTensor
    std::vector<std::string> classes;
};

/// Throws Error, naming the file, if save_weights has not written it.
Trained load_trained(const std::string& path);

}  // namespace primer::examples

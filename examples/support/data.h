#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <primer/datasets/dataset.h>

namespace primer::examples {

struct TrainAndTest {
    ImageDataset train, test;
    std::string source;                ///< what it is, for people to read
    std::filesystem::path folder;      ///< where it was found; empty if it is drawn
    std::vector<std::string> classes;  ///< what the labels mean
    std::string hint;                  ///< where the real data would be, if this is drawn
};

/// MNIST from the folder `flag`; if that is empty, from $PRIMER_DATA/mnist or ./data/mnist,
/// whichever exists first. If none does, draws digits instead.
/// Throws Error if the folder is given, or exists, and is not MNIST, and if PRIMER_DATA names no
/// folder or that of the files themselves: never a silent fallback.
TrainAndTest find_digits(const std::string& flag);

/// The same with CIFAR-10, from $PRIMER_DATA/cifar10 or ./data/cifar10; instead of it, shapes.
TrainAndTest find_pictures(const std::string& flag);

/// "Training on MNIST from ...: 60000 images, 10000 to test, 2 threads.", and the hint.
void announce(const TrainAndTest& data);

}  // namespace primer::examples

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
    ChannelStatistics statistics;      ///< of the training pictures, for Normalize
    std::string hint;                  ///< a line to print first; empty: none
};

/// What `flag` names, as grey pictures of 28 x 28: a folder with the files of MNIST, Fashion-MNIST
/// or KMNIST; one of EMNIST's sets, as in data/emnist/letters, where the files are in data/emnist;
/// or pictures, in a folder for each class or in folders train and test (or val) with such folders
/// in them. Without train and test, a fifth of the pictures, chosen at random but always the same,
/// is for the test. If `flag` is empty, MNIST from $PRIMER_DATA/mnist or ./data/mnist, whichever
/// exists first. If none does, draws digits instead.
/// Throws Error if the folder is given, or exists, and is none of these, and if PRIMER_DATA names
/// something other than a folder, or the folder of the files themselves: never a silent fallback.
TrainAndTest find_digits(const std::string& flag);

/// The same in colour, 32 x 32: CIFAR-10, from $PRIMER_DATA/cifar10 or ./data/cifar10, or a folder
/// of pictures; instead of it, shapes.
TrainAndTest find_pictures(const std::string& flag);

/// "Training on MNIST from ...: 60000 images, 10000 to test, 2 threads.", and the hint.
void announce(const TrainAndTest& data);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <array>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "../core/real.h"
#include "dataset.h"
#include "idx.h"

namespace primer {

/// Mean and standard deviation of MNIST's training pictures: over all 60000 x 28 x 28 pixels x,
/// each divided by 255, the mean is 0.13066 and sqrt(mean of x^2 - mean^2) is 0.30811. They are
/// what Normalize({kMnistMean}, {kMnistStddev}) takes, after ToTensor().
inline constexpr Real kMnistMean = Real(0.1307);
inline constexpr Real kMnistStddev = Real(0.3081);

/// MNIST (LeCun, Cortes and Burges): handwritten digits, white on black, shape [1, 28, 28], in ten
/// classes, published with 60000 for training and 10000 for testing.
///
/// Reads the unpacked IDX files of one split from the folder `dir`: train-images-idx3-ubyte and
/// train-labels-idx1-ubyte, or t10k-... for the test. The spelling train-images.idx3-ubyte is
/// accepted, too. Throws the Errors of idx_dataset (idx.h), and Error for pictures that are not
/// 28 x 28.
ImageDataset mnist(const std::filesystem::path& dir, Split split);
/// The same from seekable streams, from beginning to end.
ImageDataset read_mnist(std::istream& images, std::istream& labels);

/// Whether `dir` holds any of MNIST's files, whole or broken, packed or not. If so, mnist(dir, ...)
/// reads them or reports what is wrong with them. Fashion-MNIST's and KMNIST's have the same names.
/// Throws Error if `dir` must not be read.
bool mnist_found(const std::filesystem::path& dir);

// Sets in MNIST's form, with the same sizes, files and Errors.

/// Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): ten kinds of clothes, kFashionMnistClasses.
ImageDataset fashion_mnist(const std::filesystem::path& dir, Split split);
/// The names of its classes.
inline constexpr std::array<const char*, 10> kFashionMnistClasses{
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/// KMNIST (Clanuwat et al., "Deep Learning for Classical Japanese Literature", 2018): ten hiragana,
/// kKmnistClasses.
ImageDataset kmnist(const std::filesystem::path& dir, Split split);
/// The names of its classes.
inline constexpr std::array<const char*, 10> kKmnistClasses{"o",  "ki", "su", "tsu", "na",
                                                            "ha", "ma", "ya", "re",  "wo"};

/// The six sets of EMNIST, by what they hold: all 62 digits and letters; the same with small
/// letters that look like their capitals merged with them, 47 classes; those, equally many of each;
/// the 26 letters, capital and small merged; digits; and MNIST's size of digits.
enum class EmnistSplit { byclass, bymerge, balanced, letters, digits, mnist };

/// "byclass", "bymerge" and so on, as in the names of the files.
const char* name(EmnistSplit which);
/// What the labels 0, 1, ... mean.
std::vector<std::string> emnist_classes(EmnistSplit which);

/// EMNIST (Cohen, Afshar, Tapson and van Schaik, 2017): handwritten letters and digits, upright as
/// in MNIST, although the files hold them transposed. Reads emnist-letters-train-images-idx3-ubyte
/// and so on. The labels begin at 0, also for letters, whose file numbers them from 1.
ImageDataset emnist(const std::filesystem::path& dir, EmnistSplit which, Split split);
/// As mnist_found.
bool emnist_found(const std::filesystem::path& dir, EmnistSplit which);

}  // namespace primer
// SPDX-License-Identifier: MIT

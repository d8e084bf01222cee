#pragma once

#include <filesystem>
#include <iosfwd>

#include "../core/real.h"
#include "dataset.h"

namespace primer {

/// Mean and standard deviation of MNIST's training pictures: over all 60000 x 28 x 28 pixels x,
/// each divided by 255, the mean is 0.13066 and sqrt(mean of x^2 - mean^2) is 0.30811. For
/// Normalize({kMnistMean}, {kMnistStddev}), after ToTensor().
inline constexpr Real kMnistMean = Real(0.1307);
inline constexpr Real kMnistStddev = Real(0.3081);

/// MNIST (LeCun, Cortes and Burges): handwritten digits, white on black, shape [1, 28, 28], in ten
/// classes, published with 60000 for training and 10000 for testing. Other sets in the same form,
/// such as Fashion-MNIST, work, too.
///
/// Reads the unpacked IDX files of one split from the folder `dir`: train-images-idx3-ubyte and
/// train-labels-idx1-ubyte, or t10k-... for the test. The spelling train-images.idx3-ubyte is
/// accepted, too.
///
/// The files may be hostile. Depth: the format does not nest. Memory: the size of the files, and 1
/// MB. Time: proportional to their size. Throws Error with the absolute path, what was expected,
/// what was found and what to do, if a file is missing, packed, unreadable, of another kind, empty,
/// or not as long as its header says; for pictures that are not 28 x 28; for labels above 9; and if
/// the numbers of labels and pictures differ.
ImageDataset mnist(const std::filesystem::path& dir, Split split);
/// The same from seekable streams, from beginning to end.
ImageDataset read_mnist(std::istream& images, std::istream& labels);

/// Whether `dir` holds any of MNIST's files, whole or broken, packed or not. If so, mnist(dir, ...)
/// reads them or reports what is wrong with them. Throws Error if `dir` must not be read.
bool mnist_found(const std::filesystem::path& dir);

}  // namespace primer

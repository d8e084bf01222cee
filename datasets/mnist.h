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
/// classes; published with 60000 for training and 10000 for testing. Other sets in the same form,
/// such as Fashion-MNIST, do as well.
///
/// Reads the unpacked IDX files of one split from the folder `dir`: train-images-idx3-ubyte and
/// train-labels-idx1-ubyte, or t10k-... for the test. The spelling train-images.idx3-ubyte will do.
///
/// The files are taken for hostile. Depth: the format has none. Memory: the size of the files, and
/// 1 MB. Time: in proportion to their size.
/// Throws Error, naming the absolute path, what was expected, what was found and what to do, for a
/// file that is missing, packed, unreadable, of another kind, shorter or longer than its header
/// says, or holds no picture; for pictures that are not 28 x 28; for labels above 9; and where
/// there are more labels than pictures, or fewer.
ImageDataset mnist(const std::filesystem::path& dir, Split split);
/// The same from streams that can seek, from their beginning to their end.
ImageDataset read_mnist(std::istream& images, std::istream& labels);

/// Whether `dir` holds any of MNIST's files, whole or broken, packed or not. If so, mnist(dir, ...)
/// will read it or say what is wrong with it; if not, there is nothing there to repair.
/// Throws Error if it is not allowed to look.
bool mnist_found(const std::filesystem::path& dir);

}  // namespace primer

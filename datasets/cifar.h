#pragma once

#include <array>
#include <filesystem>
#include <iosfwd>
#include <vector>

#include "../core/real.h"
#include "dataset.h"

namespace primer {

/// Mean and standard deviation of CIFAR-10's training pictures, red, green and blue: over a
/// channel's 50000 x 32 x 32 pixels x, each divided by 255, the mean and sqrt(mean of x^2 -
/// mean^2). (The smaller deviations in circulation, 0.2023, ..., are the averages of each picture's
/// own deviation.) They are what Normalize(kCifar10Mean, kCifar10Stddev) takes, after ToTensor().
/// (Never destroyed, because destructors of static objects may use them.)
inline const std::vector<Real>& kCifar10Mean =
    *new std::vector<Real>{Real(0.4914), Real(0.4822), Real(0.4465)};
/// The standard deviation, likewise.
inline const std::vector<Real>& kCifar10Stddev =
    *new std::vector<Real>{Real(0.2470), Real(0.2435), Real(0.2616)};

/// The same for CIFAR-100's training pictures.
inline const std::vector<Real>& kCifar100Mean =
    *new std::vector<Real>{Real(0.5071), Real(0.4865), Real(0.4409)};
/// The standard deviation, likewise.
inline const std::vector<Real>& kCifar100Stddev =
    *new std::vector<Real>{Real(0.2673), Real(0.2564), Real(0.2762)};

/// The names of CIFAR-10's classes.
inline constexpr std::array<const char*, 10> kCifar10Classes{
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

/// How many pictures a file must hold: as many as the published one, or any number from 1 on, for
/// files derived from it.
enum class CifarLength { published, any };

/// CIFAR-10 (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): small
/// photographs, shape [3, 32, 32], red, green, blue, in ten classes, published with 50000 for
/// training and 10000 for testing.
///
/// Reads the files of the binary version from the folder `dir`: data_batch_1.bin ...
/// data_batch_5.bin, one after another, or test_batch.bin for the test. If some are missing, it
/// reads them from the folder cifar-10-batches-bin in `dir`, to which the published archive
/// unpacks.
///
/// Throws Error with the absolute path, what was expected, what was found and what to do, if files
/// are missing (all are named), packed or from the version for Python; if a file is unreadable or
/// does not hold exactly 10000 pictures; and for labels above 9.
///
/// The files may be hostile, here and for CIFAR-100. Depth: the format does not nest. Memory: the
/// size of the files, and 1 MB. Time: proportional to their size.
ImageDataset cifar10(const std::filesystem::path& dir, Split split,
                     CifarLength length = CifarLength::published);
/// The same from a seekable stream, from its beginning to its end, with any number of pictures.
ImageDataset read_cifar10(std::istream& in);

/// Which of a picture's two labels in CIFAR-100: one of 100 classes, or one of 20 groups of five.
enum class Cifar100Labels { fine, coarse };

/// CIFAR-100, in the same form as CIFAR-10: train.bin with 50000 pictures and test.bin with 10000,
/// in `dir` or in the folder cifar-100-binary in it. Throws the same Errors.
ImageDataset cifar100(const std::filesystem::path& dir, Split split,
                      Cifar100Labels labels = Cifar100Labels::fine,
                      CifarLength length = CifarLength::published);
ImageDataset read_cifar100(std::istream& in, Cifar100Labels labels = Cifar100Labels::fine);

/// Whether `dir` holds any of the dataset's files or its archive, whole or broken, in any version.
/// If so, cifar10(dir, ...) reads them or reports what is wrong with them. Throws Error if `dir`
/// must not be read.
bool cifar10_found(const std::filesystem::path& dir);
bool cifar100_found(const std::filesystem::path& dir);

}  // namespace primer
// SPDX-License-Identifier: MIT

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
/// mean^2). (The smaller deviations that one also meets, 0.2023, ..., are averages over the
/// pictures of each picture's own.) For Normalize(kCifar10Mean, kCifar10Stddev), after ToTensor().
/// (Never destroyed: the destructors of static objects may use them.)
inline const std::vector<Real>& kCifar10Mean =
    *new std::vector<Real>{Real(0.4914), Real(0.4822), Real(0.4465)};
inline const std::vector<Real>& kCifar10Stddev =
    *new std::vector<Real>{Real(0.2470), Real(0.2435), Real(0.2616)};

/// The same of CIFAR-100's training pictures.
inline const std::vector<Real>& kCifar100Mean =
    *new std::vector<Real>{Real(0.5071), Real(0.4865), Real(0.4409)};
inline const std::vector<Real>& kCifar100Stddev =
    *new std::vector<Real>{Real(0.2673), Real(0.2564), Real(0.2762)};

/// What CIFAR-10's labels mean.
inline constexpr std::array<const char*, 10> kCifar10Classes{
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

/// How many pictures a file must hold: as many as the published one, or, for files that somebody
/// has made out of it, any number from 1 on.
enum class CifarLength { published, any };

/// CIFAR-10 (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): small
/// photographs, shape [3, 32, 32], red, green, blue, in ten classes; published with 50000 for
/// training and 10000 for testing.
///
/// Reads the files of the binary version from the folder `dir`: data_batch_1.bin ...
/// data_batch_5.bin, one after another, or test_batch.bin for the test. If they are not all there,
/// the folder cifar-10-batches-bin in it, which the published archive unpacks to, will do.
///
/// Throws Error, naming the absolute path, what was expected, what was found and what to do, if
/// files are missing (naming them all), packed or those of the version for Python; for a file that
/// is unreadable or does not hold 10000 pictures exactly; and for labels above 9.
///
/// The files are taken for hostile, those of CIFAR-100 as well. Depth: the format has none. Memory:
/// the size of the files, and 1 MB. Time: in proportion to their size.
ImageDataset cifar10(const std::filesystem::path& dir, Split split,
                     CifarLength length = CifarLength::published);
/// The same from a stream that can seek, from its beginning to its end, with any number of
/// pictures.
ImageDataset read_cifar10(std::istream& in);

/// Which of a picture's two labels in CIFAR-100: 100 classes, or the 20 that group them by fives.
enum class Cifar100Labels { fine, coarse };

/// CIFAR-100: of the same form as CIFAR-10, from train.bin with 50000 pictures and test.bin with
/// 10000, in `dir` or in the folder cifar-100-binary in it. Errors likewise.
ImageDataset cifar100(const std::filesystem::path& dir, Split split,
                      Cifar100Labels labels = Cifar100Labels::fine,
                      CifarLength length = CifarLength::published);
ImageDataset read_cifar100(std::istream& in, Cifar100Labels labels = Cifar100Labels::fine);

/// Whether `dir` holds any of the dataset's files or its archive, whole or broken, in any version.
/// If so, cifar10(dir, ...) will read it or say what is wrong with it; if not, there is nothing
/// there to repair. Throws Error if it is not allowed to look.
bool cifar10_found(const std::filesystem::path& dir);
bool cifar100_found(const std::filesystem::path& dir);

}  // namespace primer

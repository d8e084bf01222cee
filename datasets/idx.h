#pragma once

#include <filesystem>

#include "../core/only.h"
#include "../core/shape.h"
#include "dataset.h"

// IDX, the format of MNIST and of the sets that followed it: see idx.cpp.

namespace primer {

/// The options of idx_dataset.
struct IdxOptions {
    Only<Index> classes = 10;     ///< how many there are, 1 to 256
    Only<Index> first_label = 0;  ///< how the file numbers the first class; it becomes label 0
    bool transposed = false;      ///< the pictures lie on their side, as EMNIST's do: turn them
};

/// Grey pictures of any one size, and their labels, from two unpacked IDX files of bytes: shape
/// [1, height, width]. The well-known sets have functions that know the names and the options:
/// mnist, fashion_mnist, kmnist and emnist (mnist.h).
///
/// The files may be hostile. Depth: the format does not nest. Memory: the size of the files, and 1
/// MB. Time: proportional to their size. Throws Error with the absolute path, what was expected,
/// what was found and what to do, if a file is missing, packed, unreadable, of another kind, empty,
/// or not as long as its header says; for labels outside of first_label ... first_label + classes -
/// 1; and if the numbers of labels and pictures differ.
ImageDataset idx_dataset(const std::filesystem::path& images, const std::filesystem::path& labels,
                         const IdxOptions& options = {});

namespace files {

struct Source;
class File;

/// The same for the sets with a name: reads pictures that must be `side` pixels high and wide; 0:
/// any size.
ImageDataset read_idx(const Source& source, File images, File labels, const IdxOptions& options,
                      Index side);

}  // namespace files
}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../core/only.h"
#include "../core/size2.h"
#include "dataset.h"

namespace primer {

/// The options of image_folder.
struct ImageFolderOptions {
    Only<Index> channels = 3;  ///< 3 for colour, 1 for grey; every picture is made so
    /// Leaves out pictures that cannot be read and lists them among the skipped files. Otherwise
    /// they throw Error.
    bool skip_unreadable = false;
};

/// What image_folder has read.
struct ImageFolder {
    ImageDataset pictures;             ///< in the order of their classes and paths
    std::vector<std::string> classes;  ///< the folders' names, sorted; class i has label i
    std::vector<std::string> skipped;  ///< files that are no pictures, by their paths in the folder
};

/// Pictures of your own, a folder for each class, as torchvision's ImageFolder:
///
///     flowers/daisy/1.jpg, flowers/daisy/2.png, flowers/tulip/a.jpg, ...
///
/// Reads all PNG, JPEG, BMP, PGM and PPM files (.png .jpg .jpeg .bmp .pgm .ppm .pnm, in capitals or
/// not) in the folders of `root` and in the folders within these. From each it takes the largest
/// part in the middle that has the proportions of `size`, resized to that. Hidden files and folders
/// are passed over, other files are listed in `skipped`. The result is held in memory, channels x
/// height x width bytes a picture; random_split divides it into training and validation.
///
/// The files may be hostile; load_image bounds what each may cost. Throws Error if `root` is no
/// folder or has no folders in it, for a folder without pictures, for more than 256 classes, and
/// for pictures that cannot be read, naming the first five with their reasons.
ImageFolder image_folder(const std::filesystem::path& root, Size2 size,
                         const ImageFolderOptions& options = {});

}  // namespace primer
// SPDX-License-Identifier: MIT

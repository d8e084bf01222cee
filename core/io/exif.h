#pragma once

#include <string_view>

#include "image.h"

namespace primer {

/// The EXIF orientation, 1 to 8, from a JPEG's first APP1 "Exif" segment or a PNG's eXIf chunk; 1,
/// upright, if there is none or it is broken. (Exif 2.32, section 4.6.4, tag 0x0112.)
int exif_orientation(std::string_view file);

/// The picture turned upright. `orientation` is from 1 to 8; from 5 on, width and height are
/// swapped.
Image turned_upright(Image image, int orientation);

/// The number of scans of a JPEG. Each is a pass over the whole picture, and a small file may have
/// thousands.
Index count_scans(std::string_view jpeg);

}  // namespace primer
// SPDX-License-Identifier: MIT

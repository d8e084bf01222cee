#pragma once

#include <string_view>

#include "image.h"

namespace primer {

/// How a camera was held, 1 to 8, as EXIF's orientation in a JPEG's first APP1 "Exif" segment or a
/// PNG's eXIf chunk says; 1, upright, if nothing does or what is there is broken. (Exif 2.32,
/// section 4.6.4, tag 0x0112.)
int exif_orientation(std::string_view file);

/// The picture as it is to be looked at. `orientation` is from 1 to 8; those from 5 on swap width
/// and height.
Image turned_upright(Image image, int orientation);

/// How many scans a JPEG has: each pass over the whole picture costs time, and a small file may
/// have thousands.
Index count_scans(std::string_view jpeg);

}  // namespace primer

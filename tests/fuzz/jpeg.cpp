// jpeg: JPEG pictures
// covers: core/io/image.cpp core/io/jpeg.cpp core/io/exif.cpp
// longest: 700
#include "picture.h"

FUZZ(input) { primer::fuzz::decode(input, "\xff\xd8"); }
// SPDX-License-Identifier: MIT

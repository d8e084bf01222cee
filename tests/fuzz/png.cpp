// png: PNG pictures
// covers: core/io/image.cpp core/io/exif.cpp
// longest: 500
#include "picture.h"

FUZZ(input) { primer::fuzz::decode(input, "\x89PNG"); }
// SPDX-License-Identifier: MIT

// bmp: BMP pictures
// covers: core/io/image.cpp
// longest: 1200
#include "picture.h"

FUZZ(input) { primer::fuzz::decode(input, "BM"); }
// SPDX-License-Identifier: MIT

// pnm: PGM and PPM pictures
// covers: core/io/image.cpp
// longest: 100
#include "picture.h"

FUZZ(input) { primer::fuzz::decode(input, "P"); }
// SPDX-License-Identifier: MIT

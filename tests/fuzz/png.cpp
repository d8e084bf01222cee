// png: PNG pictures
// covers: core/io/image.cpp
// longest: 500
#include "picture.h"

FUZZ(input) { primer::fuzz::decode(input, "\x89PNG"); }

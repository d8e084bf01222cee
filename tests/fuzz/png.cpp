// png: PNG pictures
// covers: core/io/image.cpp
#include "picture.h"

FUZZ(input) { primer::fuzz::decode(input, "\x89PNG"); }

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "image.h"

namespace primer {

/// What a JPEG's header says.
struct JpegHeader {
    Index width = 0, height = 0, components = 0;
    bool several_scans = false;  ///< its coefficients are kept until the last has come
};

/// Decodes a JPEG with libjpeg-turbo, grey or to red, green and blue. check(header) is called
/// before anything of the picture's size is allocated, and may throw. Throws Error with the
/// decoder's reason for a picture that is broken or cut short, and for one of more than
/// `most_scans`.
Image decode_jpeg(std::string_view bytes,
                  const std::function<Index(const JpegHeader&)>& most_scans);

}  // namespace primer

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "image.h"

namespace primer {

/// The header of a JPEG.
struct JpegHeader {
    Index width = 0, height = 0, components = 0;
    bool several_scans = false;  ///< then decoding keeps all coefficients until the last scan
};

/// Decodes a JPEG with libjpeg-turbo, to grey or to red, green and blue. Calls most_scans(header),
/// which may throw, before it allocates anything of the picture's size. Throws Error with the
/// decoder's reason for a picture that is broken or cut short, or has more than that many scans.
Image decode_jpeg(std::string_view bytes,
                  const std::function<Index(const JpegHeader&)>& most_scans);

}  // namespace primer
// SPDX-License-Identifier: MIT

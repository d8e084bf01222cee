#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "../shape.h"

namespace primer {

/// A picture: rows from the top, in each row pixels from the left, in each pixel its channels:
/// grey, or red, green and blue, 0 ... 255.
struct Image {
    Index width = 0, height = 0;       ///< in pixels
    Index channels = 1;                ///< 1 or 3
    std::vector<std::uint8_t> pixels;  ///< width x height x channels bytes

    Image() = default;
    /// Every byte is `value`. Throws Error unless channels is 1 or 3, width and height are from 1
    /// to 16384, and there are at most 2^26 pixels.
    Image(Index width, Index height, Index channels, std::uint8_t value = 0);

    /// A byte, unchecked.
    std::uint8_t& at(Index x, Index y, Index channel = 0) { return pixels[index(x, y, channel)]; }
    std::uint8_t at(Index x, Index y, Index channel = 0) const {
        return pixels[index(x, y, channel)];
    }

    /// Throws Error, beginning with `who`, unless the constructor accepts the sizes and `pixels`
    /// has as many bytes as they require. Functions that read the pixels call this first.
    void check_whole(const char* who) const;

  private:
    std::size_t index(Index x, Index y, Index channel) const {
        return static_cast<std::size_t>((y * width + x) * channels + channel);
    }
};

/// Reads a PNG, JPEG, BMP, PGM or PPM file, recognised by its contents. Grey stays grey; 16 bits
/// become 8; transparent pixels are put on white. A photo is turned upright according to the EXIF
/// data of the JPEG or PNG; broken EXIF data are ignored.
///
/// The file may be hostile. Depth: no format nests. Memory: decoding takes at most 64 MB and 512
/// times the file, otherwise the file is refused as a bomb; with the resulting picture, at most
/// twice as much. Time: proportional to the file and to the pixels; a JPEG may have at most 2^30
/// pixels in all of its scans together, which take some seconds. Throws Error, one line with the
/// absolute path, if `path` is not a file, if the file is larger than 64 MB, if the picture is
/// larger than Image allows or cut short, and, with the decoder's reason, if it cannot be decoded
/// for another cause.
Image load_image(const std::filesystem::path& path);
/// The same from the bytes of such a file. Messages call it `source`.
Image decode_image(std::string_view bytes, const std::string& source);

/// The bytes of a PNG file. Throws the Error of check_whole.
std::string encode_png(const Image& image);

/// Writes encode_png(image) to a file, whole or not at all: see Replacement, also for its Errors.
void save_png(const std::filesystem::path& path, const Image& image);

}  // namespace primer
// SPDX-License-Identifier: MIT

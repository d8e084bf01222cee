#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "../shape.h"

namespace primer {

/// A picture: rows from the top, in each the pixels from the left, in each its channels: grey, or
/// red, green and blue, 0 ... 255.
struct Image {
    Index width = 0, height = 0;
    Index channels = 1;  ///< 1 or 3
    std::vector<std::uint8_t> pixels;

    Image() = default;
    /// All pixels `value`. Throws Error unless channels is 1 or 3, width and height are from 1 to
    /// 16384, and there are at most 2^26 pixels.
    Image(Index width, Index height, Index channels, std::uint8_t value = 0);

    /// A byte, unchecked.
    std::uint8_t& at(Index x, Index y, Index channel = 0) { return pixels[index(x, y, channel)]; }
    std::uint8_t at(Index x, Index y, Index channel = 0) const {
        return pixels[index(x, y, channel)];
    }

    /// Throws Error, beginning with `who`, unless the sizes are ones that the constructor takes and
    /// `pixels` has as many bytes as they say: what reads the pixels of an Image asks this first.
    void check_whole(const char* who) const;

  private:
    std::size_t index(Index x, Index y, Index channel) const {
        return static_cast<std::size_t>((y * width + x) * channels + channel);
    }
};

/// Reads a PNG, JPEG, BMP, PGM or PPM file, told apart by what is in it. Grey stays grey; 16 bits
/// become 8; what is transparent is laid on white. A photo that was taken with the camera on its
/// side is turned upright, as the EXIF data of a JPEG or PNG say; where these are broken it stays.
///
/// The file is taken for hostile. Depth: no format has any. Memory: to decode it takes at most 64
/// MB and 512 times the file, or it is refused as a bomb; with the picture that is made of that, at
/// most twice as much. Time: in proportion to the file and to the pixels; a JPEG may have at most
/// 2^30 pixels in all of its scans together, which take some seconds. Throws Error, one line with
/// the absolute path, for what is no file, for one beyond 64 MB, for a picture beyond what Image
/// takes, for one that is cut short, and, with the decoder's reason, for any other that can not be
/// decoded.
Image load_image(const std::filesystem::path& path);
/// The same from the bytes of such a file. `source` is what messages call it.
Image decode_image(std::string_view bytes, const std::string& source);

/// The bytes of a PNG file. Throws Error for an Image with sizes that it does not take or that its
/// pixels are not of.
std::string encode_png(const Image& image);

/// Writes encode_png(image) to a file, which is there whole or not at all: see Replacement, whose
/// Errors come from here, too.
void save_png(const std::filesystem::path& path, const Image& image);

}  // namespace primer

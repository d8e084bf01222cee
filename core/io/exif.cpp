#include "exif.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace primer {
namespace {

// The number of `count` bytes at `at`; 0 beyond the end.
std::uint32_t number(std::string_view bytes, std::size_t at, int count, bool big_endian) {
    const auto size = static_cast<std::size_t>(count);
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t next = big_endian ? i : size - 1 - i;
        value = value << 8 | static_cast<unsigned char>(bytes[at + next]);
    }
    return value;
}

// The orientation in a TIFF structure: "II" or "MM", 42, the offset of the first directory. A
// directory is a count and entries of 12 bytes: tag, type, number of values, value.
int tiff_orientation(std::string_view tiff) {
    const bool big = tiff.starts_with("MM");
    if ((!big && !tiff.starts_with("II")) || number(tiff, 2, 2, big) != 42) return 1;
    const std::size_t directory = number(tiff, 4, 4, big);
    const std::uint32_t entries = number(tiff, directory, 2, big);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + 12 * i;
        if (entry + 12 > tiff.size()) return 1;
        if (number(tiff, entry, 2, big) != 0x0112) continue;
        constexpr std::uint32_t kShort = 3;
        const bool one =
            number(tiff, entry + 2, 2, big) == kShort && number(tiff, entry + 4, 4, big) == 1;
        const std::uint32_t value = number(tiff, entry + 8, 2, big);
        return one && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

/// A segment of a JPEG: FF, a marker and, usually, a length and contents.
struct Segment {
    int marker = 0;
    std::string_view contents;
};

/// Goes through a JPEG's segments and skips the compressed data between them.
class Segments {
  public:
    explicit Segments(std::string_view jpeg) : rest_(jpeg) {}

    /// Returns false at the end, or where the file is broken.
    bool next(Segment& segment) {
        constexpr int kEnd = 0xd9;
        for (;;) {
            rest_.remove_prefix(std::min(rest_.find('\xff'), rest_.size()));
            rest_.remove_prefix(std::min(rest_.find_first_not_of('\xff'), rest_.size()));
            if (rest_.empty()) return false;
            segment.marker = static_cast<unsigned char>(rest_[0]);
            rest_.remove_prefix(1);
            // 00 stands for a data byte FF; 01 and d0 to d8 have no contents.
            if (segment.marker > 1 && (segment.marker < 0xd0 || segment.marker > 0xd8)) break;
        }
        if (segment.marker == kEnd) return false;
        const std::size_t length = number(rest_, 0, 2, true);
        if (length < 2 || length > rest_.size()) return false;
        segment.contents = rest_.substr(2, length - 2);
        rest_.remove_prefix(length);
        return true;
    }

  private:
    std::string_view rest_;
};

constexpr int kScan = 0xda, kApp1 = 0xe1;

int jpeg_orientation(std::string_view jpeg) {
    constexpr std::string_view kExif("Exif\0\0", 6);
    Segment segment;
    for (Segments segments(jpeg); segments.next(segment) && segment.marker != kScan;) {
        if (segment.marker == kApp1 && segment.contents.starts_with(kExif)) {
            return tiff_orientation(segment.contents.substr(kExif.size()));
        }
    }
    return 1;
}

int png_orientation(std::string_view png) {
    for (std::size_t at = 8; at + 12 <= png.size();) {
        const std::size_t length = number(png, at, 4, true);
        if (length > png.size() - at - 12) return 1;
        if (png.substr(at + 4, 4) == "eXIf") return tiff_orientation(png.substr(at + 8, length));
        at += 12 + length;
    }
    return 1;
}

}  // namespace

int exif_orientation(std::string_view file) {
    if (file.starts_with("\xff\xd8")) return jpeg_orientation(file);
    return file.starts_with("\x89PNG\r\n\x1a\n") ? png_orientation(file) : 1;
}

Image turned_upright(Image image, int orientation) {
    if (orientation <= 1) return image;
    const Index w = image.width, h = image.height;
    const bool across = orientation >= 5;
    Image turned(across ? h : w, across ? w : h, image.channels);
    const bool right = orientation == 2 || orientation == 3 || orientation >= 7;
    const bool below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    for (Index y = 0; y < turned.height; ++y) {
        for (Index x = 0; x < turned.width; ++x) {
            const Index along = across ? y : x, down = across ? x : y;
            const Index from_x = right ? w - 1 - along : along,
                        from_y = below ? h - 1 - down : down;
            for (Index c = 0; c < image.channels; ++c) {
                turned.at(x, y, c) = image.at(from_x, from_y, c);
            }
        }
    }
    return turned;
}

Index count_scans(std::string_view jpeg) {
    Index scans = 0;
    Segment segment;
    for (Segments segments(jpeg); segments.next(segment);) scans += segment.marker == kScan;
    return scans;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

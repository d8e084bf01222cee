#include "image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include "../error.h"
#include "../full_name.h"
#include "exif.h"
#ifdef PRIMER_LIBJPEG
#include "jpeg.h"
#endif
#include "replacement.h"

namespace {

// If a PNG's compressed data do not end when the picture is full, the decoder goes on, and a small
// file could become 4 GB. So the picture's size limits how far its memory may grow.
thread_local std::size_t most_grown = 0;

void* grow(void* memory, std::size_t size) {
    return size <= most_grown ? std::realloc(memory, size) : nullptr;
}

}  // namespace

#ifdef PRIMER_ZLIB
#include <zlib.h>

namespace {

// Packs better than the encoder's own routine, which knows only fixed codes. Its callers free the
// memory with std::free; null if there is not enough.
unsigned char* pack(const unsigned char* data, int size, int* packed_size, int level) {
    uLongf packed = compressBound(static_cast<uLong>(size));
    auto* const memory = static_cast<unsigned char*>(std::malloc(packed));
    if (memory == nullptr) return nullptr;
    if (compress2(memory, &packed, data, static_cast<uLong>(size), level) != Z_OK) {
        std::free(memory);
        return nullptr;
    }
    *packed_size = static_cast<int>(packed);
    return memory;
}

}  // namespace

#define STBIW_ZLIB_COMPRESS pack
#endif

// Settings of the decoder: no other formats, no access to files, error messages in words. Memory is
// zeroed, so that bytes that it forgets to write are not someone else's data.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#ifndef PRIMER_LIBJPEG
#define STBI_ONLY_JPEG
#endif
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_FAILURE_USERMSG
#define STBI_MAX_DIMENSIONS 16384
#define STBI_MALLOC(size) std::calloc(1, size)
#define STBI_REALLOC(memory, size) grow(memory, size)
#define STBI_FREE(memory) std::free(memory)
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb_image.h>
#include <stb_image_write.h>

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr Index kMaxSide = STBI_MAX_DIMENSIONS, kMaxPixels = Index{1} << 26;
constexpr std::uintmax_t kMaxFile = 64 << 20;

void check_size(Index width, Index height, const std::string& who) {
    check(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide &&
              width * height <= kMaxPixels,
          who, ": expected a picture of 1 to ", kMaxSide, " pixels a side and at most ", kMaxPixels,
          " in all, got ", width, " x ", height);
}

std::string read_file(const fs::path& path, const std::string& source) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    check(fs::is_regular_file(status), source, ": expected a picture, got ",
          fs::is_directory(status)                    ? "a folder"
          : fs::exists(status)                        ? "something that is no file"
          : status.type() == fs::file_type::not_found ? "nothing there"
                                                      : error.message());
    std::ifstream in(path, std::ios::binary);
    check(in.good(), source, ": expected a file that can be read, got a failure to open it");
    const std::uintmax_t size = fs::file_size(path, error);
    check(!error && size <= kMaxFile, source, ": expected a picture of at most ", kMaxFile,
          " bytes, got ", size);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(size));
    check(static_cast<std::uintmax_t>(in.gcount()) == size, source, ": expected ", size,
          " bytes, got ", in.gcount(), "; did the file change while it was read?");
    return bytes;
}

/// The decoder's source of bytes. Beyond the end of a file the decoder reads zeros, and some cut
/// pictures would pass for whole ones; this class notices.
class Source {
  public:
    explicit Source(std::string_view bytes) : bytes_(bytes) {}

    static int read(void* self, char* out, int count) {
        return static_cast<Source*>(self)->take(out, static_cast<std::size_t>(count));
    }
    static void skip(void* self, int count) { static_cast<Source*>(self)->move(count); }
    static int at_end(void* self) { return static_cast<Source*>(self)->bytes_.empty(); }

    /// Whether the decoder has asked for bytes beyond the end.
    bool passed_end() const { return passed_end_; }

  private:
    int take(char* out, std::size_t count) {
        // The first call fills the decoder's buffer; it asks for more bytes than it needs.
        if (buffer_ == nullptr) buffer_ = out;
        const std::size_t there = std::min(count, bytes_.size());
        passed_end_ = passed_end_ || (out == buffer_ ? there == 0 : there < count);
        std::memcpy(out, bytes_.data(), there);
        bytes_.remove_prefix(there);
        return static_cast<int>(there);
    }

    void move(int count) {
        const std::size_t wanted = count < 0 ? bytes_.size() + 1 : static_cast<std::size_t>(count);
        passed_end_ = passed_end_ || wanted > bytes_.size();
        bytes_.remove_prefix(std::min(wanted, bytes_.size()));
    }

    std::string_view bytes_;
    const char* buffer_ = nullptr;
    bool passed_end_ = false;
};

constexpr stbi_io_callbacks kCallbacks{Source::read, Source::skip, Source::at_end};

struct Free {
    void operator()(stbi_uc* memory) const { stbi_image_free(memory); }
};

std::string reason() {
    const char* const text = stbi_failure_reason();
    return text == nullptr ? "it cannot be decoded" : text;
}

// --- how much memory a picture takes -----------------------------------------------------------

struct Need {
    Index unpacked = 0;  // the decompressed data of a PNG
    Index all = 0;       // the most at the same time
};

// The decoder's memory for a PNG: its filtered rows, each with a byte in front; its pixels; and,
// for a palette or 16 bits, the converted pixels. An interlaced PNG takes the first two twice.
Need png_need(std::string_view png, Index width, Index height) {
    const auto byte = [&](std::size_t at) {
        return at < png.size() ? Index{static_cast<unsigned char>(png[at])} : 0;
    };
    Index depth = 16, channels = 4, twice = 2;  // the most, if the header is not in its place
    bool palette = false;
    if (png.substr(12, 4) == "IHDR") {
        const Index colours = byte(25);
        depth = byte(24);
        palette = colours == 3;
        channels = colours == 2 ? 3 : colours == 4 ? 2 : colours == 6 ? 4 : 1;
        twice = byte(28) == 0 ? 1 : 2;
    }
    const bool clear = png.find("tRNS") != png.npos;
    const Index pixels = width * height, made = palette ? 4 : channels + (clear ? 1 : 0);
    Need need;
    need.unpacked = twice * ((width * channels * depth + 7) / 8 + 2) * height;
    const Index decoded = twice * pixels * (palette ? 1 : made) * (depth == 16 ? 2 : 1);
    need.all =
        std::max(need.unpacked + decoded + (palette ? 4 * pixels : 0), decoded + 2 * made * pixels);
    return need;
}

void check_memory(Index need, Index width, Index height, std::size_t file_bytes,
                  const std::string& source) {
    constexpr Index kAlways = Index{64} << 20, kTimes = 512;
    check(need <= kAlways + kTimes * static_cast<Index>(file_bytes), source,
          ": expected a picture that takes at most ", kAlways, " bytes of memory and ", kTimes,
          " times its file, got ", width, " x ", height, " pixels, ", need, " bytes, in a file of ",
          file_bytes);
}

// The most scans that a JPEG of this size may have.
Index most_scans(Index width, Index height) {
    constexpr Index kMostDecoded = Index{1} << 30;
    return std::max<Index>(1, kMostDecoded / (width * height));
}

// The smallest possible file for a picture of this size: PGM, PPM and BMP are not compressed, and a
// PNG's data expand at most 1032 times. Checked before memory is allocated and cleared for all the
// pixels that a few bytes claim to have.
Index least_bytes(std::string_view file, Index width, Index height, Index channels) {
    const auto byte = [&](std::size_t at) {
        return at < file.size() ? Index{static_cast<unsigned char>(file[at])} : 0;
    };
    if (file.starts_with("BM")) {
        const Index bits = std::max<Index>(1, byte(byte(14) == 12 ? 24 : 28));
        return (width * bits + 31) / 32 * 4 * height;
    }
    if (file.starts_with("P5") || file.starts_with("P6")) return width * height * channels;
    if (file.starts_with("\x89PNG") && file.substr(12, 4) == "IHDR") {
        return width * height * byte(24) / 8 / 1032;
    }
    return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether the numbers in the header of a PGM or PPM file have few enough digits for the decoder,
// which does not check for overflow and would read 4294967297 as 1.
bool numbers_fit(std::string_view file) {
    std::size_t at = 2, digits = 0;
    for (int number = 0; number < 3; ++number) {
        while (at < file.size() && !is_digit(file[at])) {
            at = file[at] == '#' ? file.find_first_of("\r\n", at) : at + 1;
        }
        for (digits = 0; at < file.size() && is_digit(file[at]); ++at) ++digits;
        if (digits > 9) return false;
    }
    return true;
}

// Scales the values of a PGM or PPM file to 0 ... 255. Its header ends with the value of white and
// one space; the decoder ignores it, and swaps the bytes of two-byte values. Returns false if the
// value of white is not valid.
bool scale_to_white(std::string_view file, std::span<stbi_uc> decoded) {
    std::size_t at = 2;
    std::size_t white = 0;
    for (int number = 0; number < 3; ++number) {  // the first two are width and height
        while (at < file.size() && !is_digit(file[at])) {
            at = file[at] == '#' ? file.find_first_of("\r\n", at) : at + 1;
        }
        for (white = 0; at < file.size() && is_digit(file[at]) && white < 65536; ++at) {
            white = 10 * white + static_cast<std::size_t>(file[at] - '0');
        }
    }
    const std::size_t width = white > 255 ? 2 : 1;
    if (white < 1 || white > 65535 || at >= file.size()) return false;
    const std::string_view numbers = file.substr(at + 1);
    if (numbers.size() < decoded.size() * width) return false;
    for (std::size_t i = 0; i < decoded.size(); ++i) {
        std::size_t value = static_cast<stbi_uc>(numbers[i * width]);
        if (width == 2) value = 256 * value + static_cast<stbi_uc>(numbers[i * width + 1]);
        decoded[i] = static_cast<stbi_uc>((255 * std::min(value, white) + white / 2) / white);
    }
    return true;
}

// An alpha channel after the colours, if there is one, gives the opacity of each pixel.
Image on_white(const stbi_uc* decoded, Index width, Index height, Index channels) {
    Image image(width, height, channels >= 3 ? 3 : 1);
    const Index colours = image.channels;
    for (Index i = 0; i < width * height; ++i) {
        const stbi_uc* const pixel = decoded + i * channels;
        const int alpha = colours < channels ? pixel[colours] : 255;
        for (Index c = 0; c < colours; ++c) {
            const int value = (pixel[c] * alpha + 255 * (255 - alpha) + 127) / 255;
            image.pixels[static_cast<std::size_t>(i * colours + c)] =
                static_cast<std::uint8_t>(value);
        }
    }
    return image;
}

}  // namespace

Image::Image(Index w, Index h, Index c, std::uint8_t value) : width(w), height(h), channels(c) {
    check(c == 1 || c == 3, "Image: expected 1 or 3 channels, got ", c);
    check_size(w, h, "Image");
    pixels.assign(static_cast<std::size_t>(w * h * c), value);
}

void Image::check_whole(const char* who) const {
    check(channels == 1 || channels == 3, who, ": expected 1 or 3 channels, got ", channels);
    check_size(width, height, who);
    const Index bytes = width * height * channels;
    check(std::ssize(pixels) == bytes, who, ": expected ", bytes, " bytes for ", width, " x ",
          height, " pixels of ", channels, " channels, got ", pixels.size());
}

namespace {

#ifdef PRIMER_LIBJPEG
Image load_jpeg(std::string_view bytes, const std::string& source) {
    const auto check_header = [&](const JpegHeader& header) {
        check_size(header.width, header.height, source);
        const Index scans = most_scans(header.width, header.height);
        check_memory(
            header.width * header.height * (3 + (header.several_scans ? 2 * header.components : 0)),
            header.width, header.height, bytes.size(), source);
        check(count_scans(bytes) <= scans, source, ": expected a JPEG of at most ", scans,
              " scans at this size, got more");
        return scans;
    };
    std::string reason;
    try {
        return decode_jpeg(bytes, check_header);
    } catch (const Error& error) {
        if (std::string_view(error.what()).starts_with(source)) throw;
        reason = error.what();
    }
    fail(source, ": expected a picture, got a broken one or one that is cut short: ", reason);
}
#endif

Image decode(std::string_view bytes, const std::string& source) {
#ifdef PRIMER_LIBJPEG
    if (bytes.starts_with("\xff\xd8")) return load_jpeg(bytes, source);
#endif

    int width = 0, height = 0, channels = 0;
    Source header(bytes);
    const bool known = stbi_info_from_callbacks(&kCallbacks, &header, &width, &height, &channels);
    if (!known) {
        fail(source,
             ": expected a PNG, JPEG, BMP, PGM or PPM picture, got something else: ", reason());
    }
    // A BMP with a negative height has its rows from the top down.
    if (bytes.starts_with("BM") && height < 0 && height >= -kMaxSide) height = -height;
    check_size(width, height, source);  // before anything of that size is allocated

    const bool png = bytes.starts_with("\x89PNG"), jpeg = bytes.starts_with("\xff\xd8");
    const Index pixels = Index{width} * height;
    Need need = png ? png_need(bytes, width, height) : Need{0, (jpeg ? 20 : 7) * pixels};
    check_memory(need.all, width, height, bytes.size(), source);
    check(std::ssize(bytes) >= least_bytes(bytes, width, height, channels), source,
          ": expected a whole picture, got one that is cut short");
    check(!jpeg || count_scans(bytes) <= most_scans(width, height), source,
          ": expected a JPEG of at most ", most_scans(width, height),
          " scans at this size, got more");
    // The file holds a PNG's compressed data, and the decoder doubles its copy when it grows.
    most_grown = std::max(static_cast<std::size_t>(need.unpacked), 2 * (bytes.size() + 4096));
    Source file(bytes);
    const std::unique_ptr<stbi_uc, Free> decoded(
        stbi_load_from_callbacks(&kCallbacks, &file, &width, &height, &channels, 0));
    if (file.passed_end()) fail(source, ": expected a whole picture, got one that is cut short");
    // From 2.29 on the decoder returns an incomplete picture, perhaps all black, for a JPEG with a
    // broken segment, and only notes the reason. For a whole JPEG its last note is from trying the
    // formats in turn.
    const bool broken = !decoded || (jpeg && reason() != "Not a PNG");
    if (broken) fail(source, ": expected a picture, got a broken one: ", reason());
    if (bytes.starts_with("P5") || bytes.starts_with("P6")) {
        const auto count = static_cast<std::size_t>(Index{width} * height * channels);
        check(scale_to_white(bytes, {decoded.get(), count}), source,
              ": expected a picture, got a broken one: its white is not from 1 to 65535");
    }
    return on_white(decoded.get(), width, height, channels);
}

}  // namespace

Image load_image(const fs::path& path) {
    const std::string source = full_name(path);
    return decode_image(read_file(path, source), source);
}

Image decode_image(std::string_view bytes, const std::string& source) {
    check(!bytes.empty(), source, ": expected a picture, got an empty file");
    check(bytes.size() <= kMaxFile, source, ": expected a picture of at most ", kMaxFile,
          " bytes, got ", bytes.size());
    const bool plain = bytes.starts_with("P5") || bytes.starts_with("P6");
    check(!plain || numbers_fit(bytes), source,
          ": expected a picture, got a broken one: a number in its header has more than 9 digits");
    return turned_upright(decode(bytes, source), exif_orientation(bytes));
}

std::string encode_png(const Image& image) {
    image.check_whole("encode_png");
    const Index bytes = image.width * image.height * image.channels;
    std::string png;
    const auto append = [](void* to, void* data, int count) {
        static_cast<std::string*>(to)->append(static_cast<const char*>(data),
                                              static_cast<std::size_t>(count));
    };
    const auto size = [](Index n) { return static_cast<int>(n); };
    const int made = stbi_write_png_to_func(append, &png, size(image.width), size(image.height),
                                            size(image.channels), image.pixels.data(),
                                            size(image.width * image.channels));
    check(made != 0, "encode_png: expected enough memory to pack ", bytes, " bytes, got none");
    return png;
}

void save_png(const fs::path& path, const Image& image) {
    const std::string png = encode_png(image);
    Replacement file(path, "a picture", [](std::string_view beginning) {
        return beginning.starts_with("\x89PNG\r\n\x1a\n");
    });
    file.write(png);
    file.commit();
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/core/io/image.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

using Bytes = std::vector<std::uint8_t>;

Image load(const Folder& folder, const std::string& bytes) {
    folder.write("picture", bytes);
    return load_image(folder.path() / "picture");
}

void check_image(const Image& image, Index width, Index height, Index channels,
                 const Bytes& pixels) {
    CHECK(image.width == width);
    CHECK(image.height == height);
    CHECK(image.channels == channels);
    CHECK(image.pixels == pixels);
}

// 2 x 2, with colours and half-covered pixels: from the top left red, green of alpha 128, blue,
// and nothing. Made by Python's zlib, not by the library that is tested.
const std::string kRgba =
    bytes_of({0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
              0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x06, 0x00, 0x00,
              0x00, 0x72, 0xb6, 0x0d, 0x24, 0x00, 0x00, 0x00, 0x17, 0x49, 0x44, 0x41, 0x54, 0x78,
              0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0x08, 0x1b, 0x18, 0x80, 0xf4, 0x7f, 0x4e,
              0x4e, 0x4e, 0x06, 0x00, 0x3b, 0x2d, 0x05, 0x97, 0x7c, 0xc9, 0x52, 0x90, 0x00, 0x00,
              0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82});

// 8 x 8, grey: one block with nothing but its mean, 40, in units of 8 / 8 and above 128. The
// quantisation table is all 8; each Huffman table has one code, of one bit.
const std::string kJpeg = bytes_of(
    {0xff, 0xd8, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08,
     0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08,
     0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08,
     0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08,
     0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x08, 0x00, 0x08,
     0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00, 0x14, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0xff, 0xc4, 0x00, 0x14, 0x10, 0x01,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3f, 0x00, 0x50, 0xff, 0xd9});

TEST_CASE("image: the formats") {
    const Folder folder;
    check_image(load(folder, "P5 3 2 255\n" + bytes_of({0, 1, 2, 127, 254, 255})), 3, 2, 1,
                {0, 1, 2, 127, 254, 255});
    check_image(load(folder, "P6\n# a comment\n1 2\n255\n" + bytes_of({1, 2, 3, 4, 5, 6})), 1, 2, 3,
                {1, 2, 3, 4, 5, 6});
    // 24 bits, blue first, rows from below and padded to 4 bytes: green and blue above red and
    // white.
    const std::string header =
        bytes_of({'B', 'M', 70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0,  //
                  40,  0,   0,  0, 2, 0, 0, 0, 2, 0, 0,  0, 1, 0, 24, 0, 0, 0, 0, 0,
                  16,  0,   0,  0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 0});
    const std::string rows = bytes_of({0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 255, 0, 0, 0, 0});
    check_image(load(folder, header + rows), 2, 2, 3,
                {0, 255, 0, 0, 0, 255, 255, 0, 0, 255, 255, 255});
}

TEST_CASE("image: PGM and PPM state which number is white") {
    const Folder folder;
    // 255 * 7 / 15 = 119; values beyond white are white.
    check_image(load(folder, "P5 4 1 15\n" + bytes_of({0, 7, 15, 16})), 4, 1, 1,
                {0, 119, 255, 255});
    // The higher byte comes first: 32769 / 65535 * 255 = 127.5, rounded up, and 384 gives 1.49.
    check_image(load(folder, "P5 # 7\n2 1 65535\n" + bytes_of({0x80, 1, 1, 0x80})), 2, 1, 1,
                {128, 1});
    check_image(load(folder, "P6 1 1 1000\n" + bytes_of({3, 0xe8, 1, 0xf4, 0, 4})), 1, 1, 3,
                {255, 128, 1});
    check_error([&] { load(folder, "P5 1 1 0\n1"); },
                {"/picture: expected a picture, got a broken one: its white is not from 1 to"});
}

TEST_CASE("image: transparent pixels are laid on white") {
    const Folder folder;
    // Green covers 128/255 of the second pixel: 0 + 255 * 127 / 255 = 127 of red and of blue, and
    // 255 of green stay 255.
    check_image(load(folder, kRgba), 2, 2, 3, {255, 0, 0, 127, 255, 127, 0, 0, 255, 255, 255, 255});
}

TEST_CASE("image: a JPEG of one colour") {
    const Folder folder;
    const Image image = load(folder, kJpeg);
    CHECK(image.width == 8);
    CHECK(image.height == 8);
    CHECK(image.channels == 1);
    for (std::uint8_t value : image.pixels) CHECK(value == 168);
}

TEST_CASE("image: a PNG that is written is read again") {
    const Folder folder;
    const fs::path path = folder.path() / "a.png";
    std::mt19937 random(1);
    for (Index channels : {1, 3}) {
        for (Index width : {1, 2, 31, 300}) {
            Image image(width, 17, channels);
            for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(random());
            save_png(path, image);
            check_image(load_image(path), width, 17, channels, image.pixels);
        }
    }
    CHECK(contents(path).starts_with("\x89PNG\r\n\x1a\n"));
}

TEST_CASE("image: at() is x, y, channel") {
    Image image(3, 2, 3, 9);
    CHECK(image.pixels == Bytes(18, 9));
    image.at(2, 0, 1) = 7;
    CHECK(image.pixels[2 * 3 + 1] == 7);
    image.at(1, 1) = 5;
    CHECK(image.pixels[(3 + 1) * 3] == 5);
    CHECK(std::as_const(image).at(1, 1) == 5);
}

TEST_CASE("image: sizes that cannot be") {
    check_error([] { Image(2, 2, 2); }, {"Image: expected 1 or 3 channels, got 2"});
    check_error([] { Image(0, 2, 1); }, {"Image: expected a picture of 1 to 16384 pixels a side"});
    check_error([] { Image(16385, 1, 1); }, {"got 16385 x 1"});
    check_error([] { Image(16384, 16384, 1); }, {"at most 67108864 in all, got 16384 x 16384"});
    const Folder folder;
    const fs::path path = folder.path() / "a.png";
    Image image(4, 4, 1);
    image.pixels.pop_back();
    check_error([&] { save_png(path, image); },
                {"encode_png: expected 16 bytes for 4 x 4 pixels of 1 channels, got 15"});
    image.channels = 4;
    check_error([&] { save_png(path, image); }, {"encode_png: expected 1 or 3 channels, got 4"});
    check_error([&] { save_png(path, Image()); }, {"encode_png: expected a picture of 1 to"});
    CHECK_FALSE(fs::exists(path));
    check_error([&] { save_png(folder.path(), Image(1, 1, 1)); },
                {"to save a picture to, got a folder"});
}

// Loads, or throws an Error of one line that names the file.
bool loads(const Folder& folder, const std::string& bytes) {
    try {
        const Image image = load(folder, bytes);
        CHECK(std::ssize(image.pixels) == image.width * image.height * image.channels);
        return true;
    } catch (const Error& error) {
        const std::string message = error.what();
        CHECK(message.starts_with((folder.path() / "picture").string() + ": expected "));
        CHECK(message.find('\n') == std::string::npos);
        return false;
    }
}

TEST_CASE("image: files that are no picture, or broken, are refused with the reason" *
          needs_posix()) {
    const Folder folder;
    const std::string path = (folder.path() / "picture").string();
    const auto rejected = [&](const std::string& bytes, const std::string& message) {
        check_error([&] { load(folder, bytes); }, {(path + ": " + message).c_str()});
    };
    rejected("", "expected a picture, got an empty file");
    rejected("hello",
             "expected a PNG, JPEG, BMP, PGM or PPM picture, got something else: Image not of any "
             "known type, or corrupt");
    rejected("GIF89a" + std::string(100, '\0'), "expected a PNG, JPEG, BMP, PGM or PPM");
    rejected("P5 20000 2 255\n",
             "expected a picture of 1 to 16384 pixels a side and at most "
             "67108864 in all, got 20000 x 2");
    // A header whose checksum is not checked, followed by nothing that could be unpacked.
    std::string broken = kRgba;
    broken[41] = 'X';  // IDAT's zlib header
    rejected(broken, "expected a picture, got a broken one: Corrupt PNG");
    // Within both sides' limits, but 256 MB.
    rejected("P5 16384 16384 255\n",
             "expected a picture of 1 to 16384 pixels a side and at most "
             "67108864 in all, got 16384 x 16384");
    rejected("P5 3 2 255\n12345", "expected a whole picture, got one that is cut short");
    check_error([&] { load_image(folder.path()); },
                {folder.path().string().c_str(), ": expected a picture, got a folder"});
    check_error([&] { load_image(folder.path() / "none"); },
                {"/none: expected a picture, got nothing there"});
    check_error([&] { load_image("/dev/null"); }, {"got something that is no file"});
    fs::resize_file(folder.path() / "picture", (64 << 20) + 1);  // all holes: takes no room
    check_error([&] { load_image(path); },
                {"expected a picture of at most 67108864 bytes, got 67108865"});
    fs::permissions(path, fs::perms::none);
    const AsNobody nobody;
    check_error([&] { load_image(path); }, {"expected a file that can be read"});
}

// `data` in a PNG's chunk. Its checksum is not checked.
std::string chunk(const std::string& type, const std::string& data) {
    const std::size_t n = data.size();
    std::string length;
    for (int shift = 24; shift >= 0; shift -= 8) length += static_cast<char>(n >> shift & 255);
    return length + type + data + "    ";
}

std::string big_endian(Index n) {
    const auto byte = [n](int shift) { return static_cast<int>(n >> shift & 255); };
    return bytes_of({byte(24), byte(16), byte(8), byte(0)});
}

// A grey PNG, of 1 x 1 pixel if not said otherwise, that unpacks to 1 + 258 `count` zeros, in one
// block of fixed codes.
std::string bomb(Index count, Index width = 1, Index height = 1) {
    std::string bits = "11000110000";                           // the block's type; a zero
    for (Index i = 0; i < count; ++i) bits += "1100010100000";  // the last byte, 258 times more
    bits += "0000000";                                          // the end
    bits.resize((bits.size() + 7) / 8 * 8, '0');
    std::string packed = bytes_of({0x78, 0x9c});
    for (std::size_t at = 0; at < bits.size(); at += 8) {
        int byte = 0;
        for (std::size_t bit = 0; bit < 8; ++bit) byte |= (bits[at + bit] - '0') << bit;
        packed += static_cast<char>(byte);
    }
    return bytes_of({0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a}) +
           chunk("IHDR", big_endian(width) + big_endian(height) + bytes_of({8, 0, 0, 0, 0})) +
           chunk("IDAT", packed + "    ") + chunk("IEND", "");
}

TEST_CASE("image: a PNG that unpacks to much more than its size") {
    const Folder folder;
    check_image(load(folder, bomb(1)), 1, 1, 1, {0});
    check_error([&] { load(folder, bomb(100'000)); },  // 26 MB in 160 kB
                {"/picture: expected a picture, got a broken one: Out of memory"});
}

TEST_CASE("image: a small file that says it is huge is refused before memory is taken") {
    const Folder folder;
    std::string png = kRgba;  // 16384 x 4096 pixels of 16 bits: 1 GB
    png.replace(16, 10, big_endian(16384) + big_endian(4096) + bytes_of({16, 6}));
    check_error([&] { load(folder, png); }, {"expected a picture that takes at most 67108864"});
    check_error([&] { load(folder, "P6 16384 4096 255\n12"); }, {"takes at most 67108864"});
}

TEST_CASE("image: no more memory than twice 64 MB and 512 times the file" * needs_posix()) {
    // The largest allowed picture that packs this well.
    const std::string large = bomb(5449 * 5701 / 258, 5448, 5701);  // 1 + 258 n bytes, exactly
    const std::size_t bound = (128 << 20) + 1024 * large.size();
    CHECK(large.size() < 210'000);
    CHECK(within_memory(bound, [&] { decode_image(large, "it"); }) == "");
    // Half a megabyte that would become 16384 x 4096 pixels of 8 bytes, and is refused.
    std::string huge = bomb(300'000, 16384, 4096);
    huge.replace(24, 2, bytes_of({16, 6}));
    CHECK(within_memory(8 << 20, [&] {
              decode_image(huge, "it");
          }).starts_with("it: expected a picture that takes at most 67108864"));
    // Pixels that are not packed are all in the file: no memory is taken for missing ones.
    for (std::string file : {std::string("P6 4000 2000 255\n"), std::string("P5 8000 1000 255\n"),
                             "BM" + bytes_of({0, 0, 0,   0,  0, 0, 0,   0, 54, 0, 0, 0, 40, 0,
                                              0, 0, 160, 15, 0, 0, 208, 7, 0,  0, 1, 0, 24, 0}) +
                                 std::string(24, '\0')}) {
        file.append(100'000, '\x55');
        CHECK(within_memory(2 << 20, [&] { decode_image(file, "it"); }) ==
              "it: expected a whole picture, got one that is cut short");
    }
    // Nor for a PNG with more pixels than the file could hold, however well they pack.
    CHECK(within_memory(2 << 20, [&] { decode_image(bomb(100, 4000, 4000), "it"); }) ==
          "it: expected a whole picture, got one that is cut short");
}

// A grey JPEG of 16 x 16 pixels with a Huffman table that announces 8 * 255 codes, though at most
// 256 exist. An stb_image before 2.30 writes them all, far beyond its table.
TEST_CASE("image: a JPEG with more Huffman codes than there can be is broken, for any decoder") {
    const std::string counts = std::string(8, '\0') + std::string(8, '\xff');
    for (const char symbol : {'\0', '\x70'}) {
        std::string jpeg = bytes_of({0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}) + std::string(64, '\1');
        jpeg += bytes_of({0xff, 0xc0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0});
        jpeg += bytes_of({0xff, 0xc4, 2059 / 256, 2059 % 256, 0});
        jpeg += counts + std::string(8 * 255, symbol);
        jpeg += bytes_of({0xff, 0xc4, 0, 20, 0x10, 1}) + std::string(16, '\0');
        jpeg += bytes_of({0xff, 0xda, 0, 8, 1, 1, 0, 0, 0x3f, 0});
        for (int i = 0; i < 40; ++i) jpeg += bytes_of({0xff, 0});
        jpeg += bytes_of({0xff, 0xd9});
        check_error([&] { decode_image(jpeg, "it"); },
                    {"it: expected a picture, got a broken one"});
    }
}

TEST_CASE("image: a JPEG of thousands of scans is refused") {
    const Folder folder;
    std::string jpeg = kJpeg;
    jpeg.replace(jpeg.find("\xff\xc0") + 5, 4, bytes_of({4, 0, 4, 0}));  // 1024 x 1024
    const std::string scan = jpeg.substr(jpeg.find("\xff\xda"), 11);
    for (int i = 0; i < 2000; ++i) jpeg.insert(jpeg.size() - 2, scan);
    check_error([&] { load(folder, jpeg); }, {"expected a JPEG of at most 1024 scans"});
}

// The smallest picture of each format.
std::vector<std::string> samples(const Folder& folder) {
    save_png(folder.path() / "a.png", Image(5, 4, 3, 77));
    return {kRgba, kJpeg, contents(folder.path() / "a.png"), "P5 3 2 255\n123456",
            "P6 1 2 255\n123456"};
}

TEST_CASE("image: a file cut short at any length is rejected") {
    const Folder folder;
    for (const std::string& bytes : samples(folder)) {
        REQUIRE(loads(folder, bytes));
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            CAPTURE(length);
            CHECK_FALSE(loads(folder, bytes.substr(0, length)));
        }
    }
}

TEST_CASE("image: any byte changed: rejected, or a picture all the same") {
    const Folder folder;
    std::mt19937 random(1);
    for (const std::string& bytes : samples(folder)) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(1 + random() % 255));
            loads(folder, changed);
        }
    }
}

TEST_CASE("image: a number in a PGM's header does not wrap around to a small one") {
    for (const char* sizes : {"4294967297 1 255", "1 4294967297 255", "1 1 4294967551",
                              "9999999999999999999999 1 255", "1 1 # a comment\n 4294967551"}) {
        check_error([&] { decode_image(std::string("P5\n") + sizes + "\nx", "it"); },
                    {"it: expected a picture, got a broken one: a number in its header has more "
                     "than 9 digits"});
    }
    CHECK(decode_image("P5\n# 4294967297\n1 1\n255\nx", "it").pixels.at(0) == 'x');
}

TEST_CASE("image: a BMP whose rows go from the top down") {
    // 2 x 2 pixels of 24 bits, a row of 8 bytes each; the height is negative.
    const auto bmp = [](std::array<int, 4> height) {
        std::string file =
            "BM" + bytes_of({70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0});
        for (const int byte : height) file += static_cast<char>(byte);
        file += bytes_of({1, 0, 24, 0}) + std::string(24, '\0');
        return file + bytes_of({1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0});
    };
    const Image down = decode_image(bmp({254, 255, 255, 255}), "it");
    const Image up = decode_image(bmp({2, 0, 0, 0}), "it");
    REQUIRE(down.height == 2);
    for (Index c = 0; c < 3; ++c) {
        CHECK(down.at(0, 0, c) == 3 - c);  // blue comes first in the file
        CHECK(down.at(1, 1, c) == 12 - c);
        CHECK(up.at(0, 1, c) == 3 - c);
    }
    check_error(
        [&] {
            decode_image(bmp({0, 0, 0, 128}), "it");
        },
        {"it: expected a picture of 1 to "});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

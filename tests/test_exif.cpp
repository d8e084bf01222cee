#include <primer/core/io/exif.h>

#include <string>
#include <vector>

#include <primer/datasets/pictures.h>
#include "folder.h"
#include "support.h"

namespace primer {
namespace {

// A TIFF structure with the orientation, in either byte order.
std::string tiff(bool big, int orientation, int type = 3, int count = 1) {
    const auto two = [&](int n) { return big ? bytes_of({0, n}) : bytes_of({n, 0}); };
    const auto four = [&](int n) { return big ? bytes_of({0, 0, 0, n}) : bytes_of({n, 0, 0, 0}); };
    const std::string tag = big ? bytes_of({0x01, 0x12}) : bytes_of({0x12, 0x01});
    return (big ? "MM" : "II") + two(42) + four(8) + two(1) + tag + two(type) + four(count) +
           two(orientation) + two(0);
}

std::string jpeg_with(const std::string& tiff_bytes) {
    const int length = 2 + 6 + static_cast<int>(tiff_bytes.size());
    return bytes_of({0xff, 0xd8, 0xff, 0xe1, length / 256, length % 256}) + "Exif" +
           bytes_of({0, 0}) + tiff_bytes + bytes_of({0xff, 0xd9});
}

TEST_CASE("exif: orientation in either byte order; what is broken is upright") {
    for (const bool big : {false, true}) {
        for (int orientation = 1; orientation <= 8; ++orientation) {
            CHECK(exif_orientation(jpeg_with(tiff(big, orientation))) == orientation);
        }
        CHECK(exif_orientation(jpeg_with(tiff(big, 0))) == 1);
        CHECK(exif_orientation(jpeg_with(tiff(big, 9))) == 1);
        CHECK(exif_orientation(jpeg_with(tiff(big, 6, 4))) == 1);
        CHECK(exif_orientation(jpeg_with(tiff(big, 6, 3, 2))) == 1);
        const std::string whole = jpeg_with(tiff(big, 6));
        for (std::size_t i = 0; i < whole.size(); ++i) {
            exif_orientation(whole.substr(0, i));
            for (const char byte : {'\0', '\x7f', '\xff'}) {
                std::string changed = whole;
                changed[i] = byte;
                exif_orientation(changed);
            }
        }
    }
    CHECK(exif_orientation("") == 1);
}

TEST_CASE("exif: a picture is turned the eight ways") {
    Image image(2, 3, 1);
    image.pixels = {1, 2, 3, 4, 5, 6};  // rows 12, 34, 56
    const std::vector<std::vector<std::uint8_t>> turned{
        {1, 2, 3, 4, 5, 6}, {2, 1, 4, 3, 6, 5}, {6, 5, 4, 3, 2, 1}, {5, 6, 3, 4, 1, 2},
        {1, 3, 5, 2, 4, 6}, {5, 3, 1, 6, 4, 2}, {6, 4, 2, 5, 3, 1}, {2, 4, 6, 1, 3, 5}};
    for (int orientation = 1; orientation <= 8; ++orientation) {
        CAPTURE(orientation);
        const Image upright = turned_upright(image, orientation);
        CHECK(upright.width == (orientation < 5 ? 2 : 3));
        CHECK(upright.pixels == turned[static_cast<std::size_t>(orientation - 1)]);
    }
}

TEST_CASE("exif: a PNG's eXIf chunk turns it") {
    const Folder folder;
    Image image(2, 3, 1);
    image.pixels = {1, 2, 3, 4, 5, 6};
    std::string png = encode_png(image);
    const std::string data = tiff(true, 6);
    png.insert(33, bytes_of({0, 0, 0, static_cast<int>(data.size())}) + "eXIf" + data +
                       bytes_of({0, 0, 0, 0}));
    folder.write("a.png", png);
    const Image upright = load_image(folder.path() / "a.png");
    CHECK(upright.width == 3);
    CHECK(upright.pixels == std::vector<std::uint8_t>{5, 3, 1, 6, 4, 2});
}

TEST_CASE("image: one whose sizes lie is an Error wherever it is read") {
    Image image(20, 20, 1);
    image.width = 2000;
    const char* const said = ": expected 40000 bytes for 2000 x 20 pixels of 1 channels, got 400";
    check_error([&] { encode_png(image); }, {"encode_png", said});
    check_error([&] { mnist_picture(image); }, {"mnist_picture", said});
    check_error([&] { cifar_picture(image); }, {"cifar_picture", said});
    image.width = -20;
    check_error([&] { mnist_picture(image); }, {"mnist_picture: expected a picture of 1 to"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

// digits: cutting the digit out of a picture, and the square for CIFAR
// covers: datasets/pictures.cpp
// longest: 120
#include <primer/datasets/pictures.h>

#include <cmath>

#include "target.h"

using namespace primer;

namespace {

// A picture of up to 10 x 10 pixels or, seldom, with one side of more than 112, which is shrunk
// first, and the other of 1 or 2. The first three bytes are the sizes and the channels; the rest is
// repeated until it fills that.
Image picture_of(std::string_view input) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    Index width = 1 + byte(0) % 10, height = 1 + byte(1) % 10;
    if (byte(0) >= 250) width = 113 + byte(0) % 8, height = 1 + byte(1) % 2;
    if (byte(1) >= 250) height = 113 + byte(1) % 8, width = 1 + byte(0) % 2;
    Image image(width, height, byte(2) % 2 == 0 ? 1 : 3);
    const std::string_view pixels = input.substr(3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        image.pixels[i] = static_cast<std::uint8_t>(pixels[i % pixels.size()]);
    }
    return image;
}

}  // namespace

FUZZ(input) {
    if (input.size() < 4) return;
    const Image image = picture_of(input);
    fuzz::expect_error_at_most([&] {
        const Tensor x = (input[2] & 2) == 0 ? mnist_picture(image) : cifar_picture(image);
        // In one pass, which ends for NaN too.
        for (const Real value : x.values()) {
            if (!(value > Real(-0.01) && value < Real(255.01))) __builtin_trap();
        }
    });
}
// SPDX-License-Identifier: MIT

// digits: cutting the digit out of a picture, and the square for CIFAR
// covers: datasets/pictures.cpp
#include "primer/datasets/pictures.h"

#include <cmath>

#include "target.h"

using namespace primer;

FUZZ(input) {
    if (input.size() < 4) return;
    // The first three bytes are the size and the channels; the rest is repeated until it fills
    // that. Sides up to 40 pixels, and seldom larger ones, which take longer.
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    const auto side = [&](std::size_t i) { return byte(i) < 240 ? 1 + byte(i) % 40 : byte(i); };
    Image image(side(0), side(1), byte(2) % 2 == 0 ? 1 : 3);
    const std::string_view pixels = input.substr(3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        image.pixels[i] = static_cast<std::uint8_t>(pixels[i % pixels.size()]);
    }
    fuzz::expect_error_at_most([&] {
        for (const Tensor& x : {cifar_picture(image), mnist_picture(image)}) {
            for (const Real value : x.values()) {
                if (!(value > Real(-0.01) && value < Real(255.01))) __builtin_trap();
            }
        }
    });
}

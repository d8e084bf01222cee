// For predict_test.sh: ten variations of each picture, such as people and cameras make.
//
//     vary FOLDER PICTURE...      writes FOLDER/NAME-VARIATION.png
//     vary --same PICTURE OTHER   succeeds if both have the same pixels, however they are packed

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include <primer/core/io/image.h>
#include <primer/core/rng.h>

using namespace primer;

namespace {

namespace fs = std::filesystem;

std::uint8_t byte(double value) {
    return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5);
}

// The image with f(x, y, channel) in place of each value.
template <class F>
Image made(Index width, Index height, F f) {
    Image image(width, height, 3);
    for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < width; ++x) {
            for (Index c = 0; c < 3; ++c) image.at(x, y, c) = byte(f(x, y, c));
        }
    }
    return image;
}

// Each pixel is the mean of those that it covers.
Image smaller(const Image& image, Index times) {
    return made(image.width / times, image.height / times, [&](Index x, Index y, Index c) {
        double sum = 0;
        for (Index i = 0; i < times * times; ++i) {
            sum += image.at(x * times + i % times, y * times + i / times, c);
        }
        return sum / static_cast<double>(times * times);
    });
}

// Repeats each pixel, which makes edges jagged.
Image larger(const Image& image, Index times) {
    return made(image.width * times, image.height * times,
                [&](Index x, Index y, Index c) { return image.at(x / times, y / times, c); });
}

Image inverted(const Image& image) {
    return made(image.width, image.height,
                [&](Index x, Index y, Index c) { return 255 - image.at(x, y, c); });
}

// How far each pixel is from the paper, which its corner shows, 0 ... 1, between two colours.
Image coloured(const Image& image, const std::array<double, 3>& paper,
               const std::array<double, 3>& pen) {
    const auto distance = [&](Index x, Index y) {
        double sum = 0;
        for (Index c = 0; c < 3; ++c) sum += std::abs(image.at(x, y, c) - image.at(0, 0, c));
        return sum;
    };
    double farthest = 1;
    for (Index i = 0; i < image.width * image.height; ++i) {
        farthest = std::max(farthest, distance(i % image.width, i / image.width));
    }
    return made(image.width, image.height, [&](Index x, Index y, Index c) {
        const auto at = static_cast<std::size_t>(c);
        return paper[at] + (pen[at] - paper[at]) * distance(x, y) / farthest;
    });
}

Image noisy(const Image& image, double most, Rng& rng) {
    return made(image.width, image.height, [&](Index x, Index y, Index c) {
        return image.at(x, y, c) + most * (2 * rng.uniform() - 1);
    });
}

// On a larger sheet of the same paper, with this margin on each side.
Image on_sheet(const Image& image, Index left, Index top, Index right, Index bottom) {
    return made(left + image.width + right, top + image.height + bottom,
                [&](Index x, Index y, Index c) {
                    return image.at(std::clamp<Index>(x - left, 0, image.width - 1),
                                    std::clamp<Index>(y - top, 0, image.height - 1), c);
                });
}

// Light that fades from left to right, down to `least` of it.
Image lit_from_the_left(const Image& image, double least) {
    return made(image.width, image.height, [&](Index x, Index y, Index c) {
        const double place = static_cast<double>(x) / static_cast<double>(image.width);
        return image.at(x, y, c) * (1 - (1 - least) * place);
    });
}

// Each pixel is the mean of a square with sides of 2 reach + 1 pixels.
Image blurred(const Image& image, Index reach) {
    return made(image.width, image.height, [&](Index x, Index y, Index c) {
        double sum = 0;
        for (Index j = -reach; j <= reach; ++j) {
            for (Index i = -reach; i <= reach; ++i) {
                sum += image.at(std::clamp<Index>(x + i, 0, image.width - 1),
                                std::clamp<Index>(y + j, 0, image.height - 1), c);
            }
        }
        return sum / static_cast<double>((2 * reach + 1) * (2 * reach + 1));
    });
}

void vary(const fs::path& folder, const fs::path& picture) {
    const Image image = load_image(picture);
    const Index w = image.width, h = image.height;
    Rng rng(static_cast<std::uint64_t>(w * 10000 + h));
    const auto save = [&](const std::string& variation, const Image& varied) {
        save_png(folder / (picture.stem().string() + '-' + variation + ".png"), varied);
    };
    save("smaller", smaller(image, 2));
    save("larger", larger(image, 4));
    save("inverted", inverted(image));
    save("pencil", coloured(image, {240, 238, 230}, {190, 190, 195}));
    save("coloured", coloured(image, {30, 120, 40}, {255, 200, 0}));
    save("noisy", noisy(image, 40, rng));
    save("corner", on_sheet(image, 0, h, 2 * w, 0));
    save("blurred", blurred(image, 3));
    save("shadow", lit_from_the_left(image, 0.6));
    const Image ballpoint = coloured(larger(image, 3), {225, 220, 205}, {40, 50, 120});
    save("photo",
         noisy(lit_from_the_left(on_sheet(blurred(ballpoint, 2), w, 0, 2 * w, 3 * h), 0.75), 25,
               rng));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 4 && std::string(argv[1]) == "--same") {
            return load_image(argv[2]).pixels == load_image(argv[3]).pixels ? 0 : 1;
        }
        for (int i = 2; i < argc; ++i) vary(argv[1], argv[i]);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
// SPDX-License-Identifier: MIT

// draw_digits: draws the ten digits into PNG files, to try predict on

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <iostream>
#include <string>

#include <primer/core/full_name.h>
#include "support/output.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace {

struct Flags {
    std::string out = ".";
    Index size = 0;
    std::uint64_t seed = 1;
};

using Colour = std::array<Index, 3>;

Colour colour(Index low, Index high, Rng& rng) {
    Colour c;
    for (Index& value : c) value = low + rng.below(high - low + 1);
    return c;
}

/// `ink` says how much of each pixel is covered: 0 ... 255.
Image painted(std::span<const std::uint8_t> ink, Index side, const Colour& paper,
              const Colour& pen) {
    Image image(side, side, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        const Index cover = ink[i / 3];
        image.pixels[i] =
            static_cast<std::uint8_t>((paper[i % 3] * (255 - cover) + pen[i % 3] * cover) / 255);
    }
    return image;
}

std::filesystem::path file_of(const Flags& flags, Index digit) {
    return std::filesystem::path(flags.out) / (std::to_string(digit) + ".png");
}

void draw(const Flags& flags) {
    std::error_code ignored;
    check_usage(std::filesystem::is_directory(flags.out, ignored),
                "--out: expected a folder that is there, got ", full_name(flags.out));
    for (Index digit = 0; digit < 10; ++digit) {
        check_can_save("--out", file_of(flags, digit), kPngFile);
    }
    Rng rng(flags.seed);
    for (Index digit = 0; digit < 10; ++digit) {
        const Index size = flags.size > 0 ? flags.size : 64 + rng.below(128);
        const ImageDataset digits = synthetic_digits(10, rng.next(), {.side = size, .noise = 0});
        const Colour light = colour(190, 255, rng), dark = colour(0, 90, rng);
        const bool chalk = rng.below(3) == 0;  // on a blackboard
        const std::filesystem::path path = file_of(flags, digit);
        save_png(path,
                 painted(digits.pixels(digit), size, chalk ? dark : light, chalk ? light : dark));
        std::cout << printable(path.string()) << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Draws the ten digits, each in colours of its own, into 0.png ... 9.png.");
    Flags flags;
    app.option_defaults()->always_capture_default();
    app.add_option("--out", flags.out, "folder to write to")->check(not_empty())->type_name("DIR");
    app.add_option("--size", flags.size, "pixels a side; 0: each of another size")
        ->transform(whole_number(0, 4096))
        ->type_name("N");
    app.add_option("--seed", flags.seed, "the same seed draws the same pictures")
        ->transform(whole_number(0, std::numeric_limits<std::uint64_t>::max()))
        ->type_name("N");
    return run(app, argc, argv, [&] { draw(flags); });
}
// SPDX-License-Identifier: MIT

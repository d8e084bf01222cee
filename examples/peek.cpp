// peek: shows samples of a dataset, as loaded and as augmented, in a PNG file

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <primer/core/full_name.h>
#include "peek/font.h"
#include "support/data.h"
#include "support/output.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace {

struct Flags {
    std::string data, drawn, out = "peek.png";
    Index rows = 8;
    std::uint64_t seed = 1;
};

struct Source {
    ImageDataset dataset;
    std::string title;
    std::vector<std::string> names;        ///< of the classes
    std::vector<Transform> augmentations;  ///< of the training examples
};

template <class Names>
std::vector<std::string> texts(const Names& names) {
    return {names.begin(), names.end()};
}

const std::array<const char*, 10> kDigits{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

Source open(const Flags& flags) {
    const std::vector<Transform> digits{RandomCrop(28, 2)};
    const std::vector<Transform> pictures{RandomCrop(32, 4), RandomHorizontalFlip()};
    const Index enough = 1000;
    if (flags.drawn == "shapes") {
        return {synthetic_shapes(enough, flags.seed), "synthetic shapes", texts(kShapeClasses),
                pictures};
    }
    if (!flags.data.empty()) {
        const bool colour = cifar10_found(flags.data);
        TrainAndTest found = colour ? find_pictures(flags.data) : find_digits(flags.data);
        const std::string title = found.source.substr(0, found.source.find(" from "));
        return {std::move(found.train), title, found.classes, colour ? pictures : digits};
    }
    return {synthetic_digits(enough, flags.seed), "synthetic digits", texts(kDigits), digits};
}

// --- the layout, in pixels ---------------------------------------------------------------------

constexpr Index kColumns = 6;                        // of samples, and as many of augmented ones
constexpr Index kZoom = 3, kDot = 2, kGap = 8;       // of a pixel, of a letter's dot, between cells
constexpr Index kLine = (kLetterHeight + 2) * kDot;  // of text
constexpr std::uint8_t kPaper = 24;
constexpr std::array<std::uint8_t, 3> kText{230, 230, 230}, kPale{150, 170, 190};

/// Where sample (row, column) is drawn; the augmented ones follow after a wider gap.
struct Layout {
    Index cell_width, cell_height;

    Index x(Index column) const {
        return kGap + column * (cell_width + kGap) + (column < kColumns ? 0 : 2 * kGap);
    }
    Index y(Index row) const { return kGap + 2 * kLine + row * (cell_height + kLine + kGap); }
};

void draw(Image& image, Index left, Index top, std::span<const Real> values, const Shape& shape) {
    const Index height = shape[1], width = shape[2];
    for (Index y = 0; y < height * kZoom; ++y) {
        for (Index x = 0; x < width * kZoom; ++x) {
            for (Index c = 0; c < 3; ++c) {
                const Index plane = shape[0] == 3 ? c : 0;
                const Index from = (plane * height + y / kZoom) * width + x / kZoom;
                image.at(left + x, top + y, c) =
                    static_cast<std::uint8_t>(values[static_cast<std::size_t>(from)]);
            }
        }
    }
}

void check_data(const std::string& folder) {
    std::error_code ignored;
    const FileKind* const kind = kind_of(folder);
    check_usage(!std::filesystem::is_regular_file(folder, ignored),
                "--data: expected a folder with the files of MNIST or CIFAR-10, got ",
                full_name(folder), ", which is ", kind == nullptr ? "a file" : kind->what,
                "; name the folder that the data are in");
}

void peek(const Flags& flags) {
    check_can_save("--out", flags.out, kPngFile);
    check_data(flags.data);
    const Source source = open(flags);
    const Shape shape = source.dataset.shape();
    const Layout layout{shape[2] * kZoom, shape[1] * kZoom};
    Image image(layout.x(2 * kColumns), layout.y(flags.rows), 3, kPaper);
    write_text(image, layout.x(0), kGap, source.title + ": as loaded", kDot, kText);
    write_text(image, layout.x(kColumns), kGap, "as augmented", kDot, kText);

    Rng rng(flags.seed);
    std::vector<Real> values(static_cast<std::size_t>(shape.numel()));
    for (Index i = 0; i < flags.rows * kColumns; ++i) {
        const Index row = i / kColumns, column = i % kColumns;
        const Index sample = rng.below(source.dataset.size());
        source.dataset.load(sample, values);
        const Index top = layout.y(row) - kGap;
        const std::string& name =
            source.names[static_cast<std::size_t>(source.dataset.label(sample))];
        for (const bool augmented : {false, true}) {
            const Index left = layout.x(column + (augmented ? kColumns : 0));
            if (augmented) {
                for (const Transform& transform : source.augmentations) {
                    transform(values, shape, rng);
                }
            }
            draw(image, left, top, values, shape);
            write_text(image, left, top + layout.cell_height + kDot, name, kDot, kPale);
        }
    }
    save_png(flags.out, image);
    std::cout << flags.rows * kColumns << " samples of " << printable(source.title) << ": "
              << full_name(flags.out) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows samples of a dataset, as loaded and as augmented, in a PNG file.");
    Flags flags;
    app.option_defaults()->always_capture_default();
    auto* const data =
        app.add_option("--data", flags.data, "folder with the files of CIFAR-10, MNIST or its kin")
            ->check(not_empty())
            ->type_name("DIR");
    app.add_option("--drawn", flags.drawn,
                   "what the library draws itself, instead: digits (the default) or shapes")
        ->check(CLI::IsMember({"digits", "shapes"}).description(""))
        ->excludes(data)
        ->type_name("WHAT");
    app.add_option("--out", flags.out, "file to write")->check(not_empty())->type_name("FILE");
    app.add_option("--rows", flags.rows, "rows of samples")
        ->transform(whole_number(1, 100))
        ->type_name("N");
    app.add_option("--seed", flags.seed, "the same seed takes the same samples")
        ->transform(whole_number(0, std::numeric_limits<std::uint64_t>::max()))
        ->type_name("N");
    return run(app, argc, argv, [&] { peek(flags); });
}
// SPDX-License-Identifier: MIT

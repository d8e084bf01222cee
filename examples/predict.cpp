// predict: says what is in pictures, with a trained network

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <primer/core/full_name.h>
#include <primer/core/io/json.h>
#include "predict/weights.h"
#include "support/output.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace {

struct Flags {
    std::vector<std::string> pictures;
    std::string model = PRIMER_MODELS "/digits.safetensors";
    std::size_t top = 3;
    bool json = false;
};

struct Guess {
    std::string name;
    double probability;
};

constexpr const char* kFolder =
    ": expected a picture, got a folder; name the pictures in it, as FOLDER/*.png";

bool is_folder(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored);
}

/// The network's guesses for the picture, the most probable first.
std::vector<Guess> classify(Trained& trained, const std::string& path) {
    check(!is_folder(path), full_name(path), kFolder);
    const Image image = load_image(path);
    Tensor x;
    try {
        x = trained.picture(image);
    } catch (const Error& error) {
        fail(path, ": ", error.what());  // the error does not know the path
    }
    Rng unused(0);
    const std::span<Real> values(x.mutable_data(), x.values().size());
    ToTensor()(values, x.shape(), unused);
    Normalize(trained.mean, trained.stddev)(values, x.shape(), unused);
    const Tensor p = softmax(trained.model(reshape(x, Shape{1}.concat(x.shape()).dims())), 1);
    check(std::ranges::all_of(p.values(), [](Real each) { return std::isfinite(each); }), path,
          ": expected probabilities, got numbers that are not finite; has the training of the "
          "network diverged?");

    std::vector<std::size_t> order(trained.classes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [values = p.values()](std::size_t a, std::size_t b) {
        return values[a] != values[b] ? values[a] > values[b] : a < b;
    });
    std::vector<Guess> guesses;
    for (const std::size_t i : order) {
        guesses.push_back({trained.classes[i], static_cast<double>(p.values()[i])});
    }
    return guesses;
}

/// Draws each probability as a bar, in the room that the line has left.
void print_bars(const std::string& path, const std::vector<Guess>& guesses) {
    std::size_t widest = 0;
    for (const Guess& guess : guesses) widest = std::max(widest, guess.name.size());
    const std::size_t used = widest + 12, width = std::min<std::size_t>(terminal_width(), 80);
    const double longest = width > used ? static_cast<double>(width - used) : 0;
    std::cout << printable(path) << ": " << guesses[0].name << '\n';
    for (const auto& [name, probability] : guesses) {
        const auto bar = static_cast<std::size_t>(longest * probability + 0.5);
        std::printf("  %-*s  %5.1f%%%s%s\n", static_cast<int>(widest), name.c_str(),
                    100 * probability, bar > 0 ? "  " : "", std::string(bar, '#').c_str());
    }
    std::fflush(stdout);
}

/// `text` as JSON that is safe to show in a terminal: control characters are escaped, as JSON
/// allows.
std::string shown_json(const std::string& text) {
    std::string json;
    for (const char c : json_string(text)) c == '\x7f' ? json += "\\u007f" : json += c;
    return printable(json);  // which writes U+009B as \u009b
}

std::string json_of(const std::vector<Guess>& guesses) {
    std::vector<std::string> classes;
    for (const auto& [name, probability] : guesses) {
        TextStream number;
        number << std::fixed << std::setprecision(6) << probability;
        classes.push_back(JsonObject().text("name", name).value("probability", number.str()).str());
    }
    return json_array(classes);
}

/// Names the kind of a file that is one of ours but not weights, before it is read as weights.
void check_model(const std::string& path) {
    const FileKind* const kind = kind_of(path);
    check_usage(kind == nullptr || kind == &kWeightsFile,
                "--model: expected weights (safetensors), ", "got ", full_name(path), ", which is ",
                kind == nullptr ? "" : kind->what,
                "; --save-weights of mnist_mlp, mnist_cnn or cifar_cnn writes weights");
}

/// Returns main's exit code. Goes on after a picture that cannot be read.
int predict(const Flags& flags) {
    // Nothing but folders. A folder among pictures, which * may match, is an error of its own
    // below.
    check_usage(!std::ranges::all_of(flags.pictures, is_folder), full_name(flags.pictures[0]),
                kFolder);
    check_model(flags.model);
    Trained trained = load_trained(flags.model);
    const std::size_t top = std::min(flags.top, trained.classes.size());
    std::string pictures;
    int code = 0;
    for (const std::string& path : flags.pictures) {
        JsonObject picture;
        picture.value("file", shown_json(path));
        try {
            std::vector<Guess> guesses = classify(trained, path);
            guesses.resize(top);
            if (!flags.json) print_bars(path, guesses);
            picture.value("classes", json_of(guesses));
        } catch (const std::exception& error) {
            std::cerr << "error: " << printable(error.what()) << '\n';
            picture.value("error", shown_json(error.what()));
            code = 1;
        }
        pictures += (pictures.empty() ? "\n  " : ",\n  ") + picture.str();
    }
    if (flags.json) {
        std::cout << JsonObject()
                         .value("model", shown_json(flags.model))
                         .value("pictures", '[' + pictures + "\n]")
                         .str()
                  << '\n';
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Says what is in pictures (PNG, JPEG, BMP, PGM, PPM): by default, which digit.\n"
        "Digits may be of any size and colour, dark on light or light on dark, one in a picture.");
    Flags flags;
    app.add_option("IMAGE", flags.pictures, "the pictures")->required()->check(not_empty());
    app.add_option("--model", flags.model,
                   "weights from --save-weights of mnist_mlp, mnist_cnn or cifar_cnn; without it "
                   "those in examples/models/digits.safetensors")
        ->check(not_empty())
        ->type_name("FILE");
    app.add_option("--top", flags.top, "how many classes to show")
        ->capture_default_str()
        ->transform(whole_number(1, 1000))
        ->type_name("N");
    app.add_flag("--json", flags.json, "print JSON");
    int code = 0;
    const int ran = run(app, argc, argv, [&] { code = predict(flags); });
    return ran != 0 ? ran : code;
}
// SPDX-License-Identifier: MIT

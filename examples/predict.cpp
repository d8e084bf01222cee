// predict: says what is in pictures, with a network that has been trained

#include <primer/primer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "primer/core/io/json.h"
#include "support/flags.h"
#include "support/networks.h"
#include "support/terminal.h"

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

/// What the network makes of the picture, the most probable first.
std::vector<Guess> classify(Trained& trained, const std::string& path) {
    const Image image = load_image(path);
    Tensor x;
    try {
        x = trained.picture(image);
    } catch (const Error& error) {
        fail(path, ": ", error.what());  // which does not know where the picture comes from
    }
    Rng unused(0);
    const std::span<Real> values(x.mutable_data(), x.values().size());
    ToTensor()(values, x.shape(), unused);
    Normalize(trained.mean, trained.stddev)(values, x.shape(), unused);
    const Tensor p = softmax(trained.model(reshape(x, Shape{1}.concat(x.shape()).dims())), 1);
    check(std::ranges::all_of(p.values(), [](Real each) { return std::isfinite(each); }), path,
          ": expected probabilities, got numbers that are none; has the training of the network "
          "diverged?");

    std::vector<Guess> guesses;
    for (std::size_t i = 0; i < trained.classes.size(); ++i) {
        guesses.push_back({trained.classes[i], static_cast<double>(p.values()[i])});
    }
    std::ranges::stable_sort(guesses, std::greater(), &Guess::probability);
    return guesses;
}

/// A bar as long as the probability, in what the line has left for it.
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

std::string json_of(const std::vector<Guess>& guesses) {
    std::string text = "\"classes\": [";
    for (const auto& [name, probability] : guesses) {
        TextStream number;
        number << std::fixed << std::setprecision(6) << probability;
        text += (text.back() == '[' ? "{\"name\": " : ", {\"name\": ") + json_string(name) +
                ", \"probability\": " + number.str() + '}';
    }
    return text + ']';
}

/// Returns main's exit code. A picture that can not be read does not keep the others back.
int predict(const Flags& flags) {
    Trained trained = load_trained(flags.model);
    const std::size_t top = std::min(flags.top, trained.classes.size());
    std::string entries;
    int code = 0;
    for (const std::string& path : flags.pictures) {
        std::string entry;
        try {
            std::vector<Guess> guesses = classify(trained, path);
            guesses.resize(top);
            if (!flags.json) print_bars(path, guesses);
            entry = json_of(guesses);
        } catch (const std::exception& error) {
            std::cerr << "error: " << error.what() << '\n';
            entry = "\"error\": " + json_string(error.what());
            code = 1;
        }
        entries += (entries.empty() ? "\n  {\"file\": " : ",\n  {\"file\": ") + json_string(path) +
                   ", " + entry + '}';
    }
    if (flags.json) {
        std::cout << "{\"model\": " << json_string(flags.model) << ", \"pictures\": [" << entries
                  << "\n]}\n";
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Says what is in pictures (PNG, JPEG, BMP, PGM, PPM): by default, which digit.\n"
        "Digits may be of any size and colour, dark on light or light on dark, one in a picture.");
    Flags flags;
    app.add_option("IMAGE", flags.pictures, "the pictures")->required();
    app.add_option("--model", flags.model,
                   "weights from --save-weights of mnist_mlp, mnist_cnn or cifar_cnn; without it "
                   "those in examples/models/digits.safetensors")
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

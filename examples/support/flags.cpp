#include "flags.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <system_error>

namespace primer::examples {

namespace {

// CLI11's own range checks print their bounds into every line of --help, and it takes -1 for a
// large number that has no sign.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
    return CLI::Validator(
        [least, most](const std::string& text) {
            std::uint64_t value = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            const bool read = error == std::errc() && stop == end;
            if (read && value >= least && value <= most) return std::string();
            return "expected a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most) + ", got " + text;
        },
        "");
}

constexpr std::uint64_t kMaxInt = std::numeric_limits<int>::max();
constexpr std::uint64_t kMaxSeed = std::numeric_limits<std::uint64_t>::max();

CLI::Validator not_negative() {
    return CLI::Validator(
        [](const std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= 0 && std::isfinite(value)) {
                return std::string();
            }
            return "expected a number of at least 0, got " + text;
        },
        "");
}

// Reads the command line. If that is all there is to do, returns main's exit code.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    app.name(std::filesystem::path(argv[0]).filename().string());
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::Success&) {
        std::cout << app.help();
        return 0;
    } catch (const CLI::ParseError& error) {
        std::cerr << "error: " << error.what() << "\nRun with --help for the flags.\n";
        return 2;
    }
}

}  // namespace

void add_training_flags(CLI::App& app, TrainingFlags& flags) {
    app.option_defaults()->always_capture_default();
    app.add_option("--data", flags.data,
                   "folder with the data files; without it $PRIMER_DATA, then ./data is searched")
        ->type_name("DIR");
    app.add_option("--epochs", flags.epochs, "passes over the training data")
        ->check(whole_number(1, kMaxInt))
        ->type_name("N");
    app.add_option("--batch-size", flags.batch_size, "examples in a training step")
        ->check(whole_number(1, kMaxInt))
        ->type_name("N");
    app.add_option("--test-batch-size", flags.test_batch_size, "examples at a time in evaluation")
        ->check(whole_number(1, kMaxInt))
        ->type_name("N");
    app.add_option("--lr", flags.lr, "learning rate, the largest of the run")
        ->check(not_negative())
        ->type_name("X");
    app.add_option("--momentum", flags.momentum, "share of the last step that the next one keeps")
        ->check(not_negative())
        ->type_name("X");
    app.add_option("--weight-decay", flags.weight_decay, "pull of each weight towards 0 (L2)")
        ->check(not_negative())
        ->type_name("X");
    app.add_option("--seed", flags.seed, "the same seed gives the same bits")
        ->check(whole_number(0, kMaxSeed))
        ->type_name("N");
    app.add_option("--threads", flags.threads,
                   "threads to compute on; 0: $PRIMER_NUM_THREADS, else all cores")
        ->check(whole_number(0, kMaxInt))
        ->type_name("N");
    app.add_flag("--dry-run", flags.dry_run, "one training step only, to see that all works");
}

void no_flags(int argc, char** argv, const char* about) {
    CLI::App app(about);
    if (const std::optional<int> code = parse(app, argc, argv)) std::exit(*code);
}

int run(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
    if (const std::optional<int> code = parse(app, argc, argv)) return *code;
    try {
        body();
        return 0;
    } catch (const std::exception& error) {
        // The progress line may be standing there unfinished.
        std::cout << std::flush;
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}

}  // namespace primer::examples

#include "flags.h"

#include <cmath>
#include <exception>
#include <filesystem>
#include <iostream>

namespace primer::examples {

namespace {

// CLI11's own range checks print their bounds into every line of --help.
CLI::Validator at_least(int least) {
    return CLI::Validator(
        [least](const std::string& text) {
            int value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= least) return std::string();
            return "expected a whole number of at least " + std::to_string(least) + ", got " + text;
        },
        "");
}

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

}  // namespace

void add_training_flags(CLI::App& app, TrainingFlags& flags) {
    app.option_defaults()->always_capture_default();
    app.add_option("--data", flags.data,
                   "folder with the data files; without it $PRIMER_DATA, then ./data is searched")
        ->type_name("DIR");
    app.add_option("--epochs", flags.epochs, "passes over the training data")
        ->check(at_least(1))
        ->type_name("N");
    app.add_option("--batch-size", flags.batch_size, "examples in a training step")
        ->check(at_least(1))
        ->type_name("N");
    app.add_option("--test-batch-size", flags.test_batch_size, "examples at a time in evaluation")
        ->check(at_least(1))
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
    app.add_option("--seed", flags.seed, "the same seed gives the same bits")->type_name("N");
    app.add_option("--threads", flags.threads,
                   "threads to compute on; 0: $PRIMER_NUM_THREADS, else all cores")
        ->check(at_least(0))
        ->type_name("N");
    app.add_flag("--dry-run", flags.dry_run, "one training step only, to see that all works");
}

int run(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
    app.name(std::filesystem::path(argv[0]).filename().string());
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success&) {
        std::cout << app.help();
        return 0;
    } catch (const CLI::ParseError& error) {
        std::cerr << "error: " << error.what() << "\nRun with --help for the flags.\n";
        return 2;
    }
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

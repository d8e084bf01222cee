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

#include "interrupt.h"
#include "primer/core/error.h"
#include "primer/core/io/checkpoint.h"
#include "primer/core/kernels/parallel.h"
#include "run_directory.h"

namespace primer::examples {

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

std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}

namespace {

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

// A slip of the pen should not be found out when training is over.
CLI::Validator in_a_folder() {
    return CLI::Validator(
        [](const std::string& text) {
            const auto path = std::filesystem::absolute(text);
            const bool good = std::filesystem::is_directory(path.parent_path()) &&
                              !std::filesystem::is_directory(path);
            return good ? std::string() : "expected a file in a folder that is there, got " + text;
        },
        "");
}

std::string program_name(char** argv) { return std::filesystem::path(argv[0]).filename().string(); }

// Reads the command line. If that is all there is to do, returns main's exit code.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    app.name(program_name(argv));
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

std::vector<std::pair<std::string, std::string>> settings_of(const CLI::App& app) {
    std::vector<std::pair<std::string, std::string>> settings;
    for (const CLI::Option* option : app.get_options()) {
        const std::string name = option->get_single_name();
        if (name == "help") continue;
        const bool is_switch = option->get_items_expected_max() == 0;
        std::string value = is_switch ? "false" : option->get_default_str();
        if (option->count() > 0) value = CLI::detail::join(option->reduced_results(), ",");
        settings.emplace_back(name, value);
    }
    return settings;
}

// With --run-dir and --resume: latest is what the directory has, and another run in it, which would
// be written over, is an Error.
void check_resumed_there(TrainingFlags& flags) {
    if (flags.resume.empty() || flags.run_dir.empty()) return;
    const std::filesystem::path there = std::filesystem::path(flags.run_dir) / kCheckpointName;
    if (flags.resume == "latest") flags.resume = there.string();
    std::error_code ignored;
    check(!std::filesystem::exists(there, ignored) ||
              std::filesystem::equivalent(there, flags.resume, ignored),
          "--run-dir: expected the folder of the run that is resumed, or one without a run in it, "
          "got ",
          std::filesystem::absolute(flags.run_dir).lexically_normal().string(), " with another ",
          kCheckpointName);
}

// After parse: sets flags.command and, where a run is resumed, the flags that are not given.
void complete(CLI::App& app, int argc, char** argv, TrainingFlags& flags) {
    std::vector<std::string> given;
    bool directory_given = false;
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        if (flag == "--resume") ++i;  // and its value
        if (!flag.starts_with("--resume")) given.push_back(flag);
        directory_given = directory_given || flag.starts_with("--run-dir");
    }
    flags.command = {program_name(argv)};
    check(app.count("--resume") == 0 || !flags.resume.empty(),
          "--resume: expected a file, or latest, got nothing");
    if (directory_given) check_resumed_there(flags);
    if (flags.resume == "latest") flags.resume = latest_checkpoint(flags.command[0]).string();
    if (!flags.resume.empty()) {
        std::vector<std::string> saved = Checkpoint::load(flags.resume).command;
        check(!saved.empty() && saved[0] == flags.command[0],
              std::filesystem::absolute(flags.resume).string(), ": expected a checkpoint of ",
              flags.command[0], ", got one of ",
              saved.empty() || saved[0].empty() ? "another program" : saved[0]);
        if (directory_given) std::erase(saved, "--no-run-dir");
        flags.command = std::move(saved);
    }
    flags.command.insert(flags.command.end(), given.begin(), given.end());
    // The last word on a flag is the one that counts; CLI11 wants the list backwards.
    app.parse(std::vector<std::string>(flags.command.rbegin(), flags.command.rend() - 1));
    // A run directory may have been moved, or be seen from another folder, since.
    const std::filesystem::path resumed = flags.resume;
    if (!directory_given && flags.checkpoint.empty() && resumed.filename() == kCheckpointName) {
        flags.run_dir = resumed.has_parent_path() ? resumed.parent_path().string() : ".";
    }
    flags.settings = settings_of(app);
}

}  // namespace

void add_training_flags(CLI::App& app, TrainingFlags& flags) {
    app.option_defaults()->always_capture_default()->take_last();
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
    app.add_option("--checkpoint", flags.checkpoint,
                   "file to save the run to, at the end of each epoch, on Ctrl-C and on SIGTERM; "
                   "without it checkpoint.ckpt in the run directory")
        ->type_name("FILE");
    app.add_option("--save-every", flags.save_every, "save after every N training steps, too")
        ->check(whole_number(0, kMaxInt))
        ->type_name("N");
    app.add_flag("--save-required", flags.save_required,
                 "stop when a save fails, instead of a warning");
    app.add_option(
           "--resume", flags.resume,
           "go on from a saved run, with its flags except for those given here; latest: from "
           "that in --run-dir or, without it, the newest one in runs/")
        ->type_name("FILE");
    app.add_option("--run-dir", flags.run_dir,
                   "folder for metrics, checkpoint, pictures and report; without it a new one in "
                   "runs/")
        ->type_name("DIR");
    app.add_flag("--no-run-dir", flags.no_run_dir, "write none of that");
    app.add_flag("--quiet", flags.quiet, "print nothing but the result");
}

void add_weights_flag(CLI::App& app, TrainingFlags& flags) {
    app.add_option("--save-weights", flags.save_weights,
                   "safetensors file for the trained weights: for ./primer predict, or PyTorch")
        ->check(in_a_folder())
        ->type_name("FILE");
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
    } catch (const Interrupted& interrupted) {
        std::cerr << interrupted.what() << '\n';
        return 128 + interrupted.signal;
    } catch (const std::exception& error) {
        // The progress line may be standing there unfinished.
        std::cout << std::flush;
        std::cerr << "error: " << one_line(error.what()) << '\n';
        return 1;
    }
}

int run(CLI::App& app, int argc, char** argv, TrainingFlags& flags,
        const std::function<void()>& body) {
    return run(app, argc, argv, [&] {
        complete(app, argc, argv, flags);
        if (flags.threads > 0) set_num_threads(flags.threads);
        body();
    });
}

}  // namespace primer::examples

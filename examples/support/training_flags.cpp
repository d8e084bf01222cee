#include "training_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/core/io/checkpoint.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/text.h>
#include "output.h"

namespace primer::examples {
namespace {

constexpr std::uint64_t kMaxInt = std::numeric_limits<int>::max();
constexpr std::uint64_t kMaxSeed = std::numeric_limits<std::uint64_t>::max();

CLI::Validator not_negative() {
    return CLI::Validator(
        [](const std::string& text) {
            const std::optional<double> value = read_number(text);
            if (value.has_value() && *value >= 0) return std::string();
            return "expected a number of at least 0, got " + text;
        },
        "");
}

// A mistyped folder is reported before the training, not after it.
CLI::Validator in_a_folder() {
    return CLI::Validator(
        [](const std::string& text) -> std::string {
            std::error_code error;
            const auto path = std::filesystem::absolute(text, error);
            if (text.empty()) return "expected a file in a folder that is there, got an empty name";
            if (std::filesystem::is_directory(path, error)) {
                return "expected a file in a folder that is there, got the folder " + text;
            }
            if (std::filesystem::is_directory(path.parent_path(), error)) return "";
            return "expected a file in a folder that is there, got " + text;
        },
        "");
}

std::vector<Setting> settings_of(const CLI::App& app) {
    std::vector<Setting> settings;
    for (const CLI::Option* option : app.get_options()) {
        const std::string name = option->get_single_name();
        if (name == "help") continue;
        const bool is_switch = option->get_items_expected_max() == 0;
        std::string value = is_switch ? "false" : option->get_default_str();
        if (option->count() > 0) value = CLI::detail::join(option->reduced_results(), ",");
        const std::string type = option->get_type_name();
        const auto kind = is_switch     ? Setting::Kind::toggle
                          : type == "N" ? Setting::Kind::whole
                          : type == "X" ? Setting::Kind::real
                                        : Setting::Kind::text;
        settings.push_back({name, value, kind});
    }
    return settings;
}

// With --run-dir and --resume, latest is the run in that directory. Another run in it is an Error:
// it would be overwritten.
void check_resumed_there(TrainingFlags& flags) {
    if (flags.resume.empty() || flags.run_dir.empty()) return;
    const std::filesystem::path there = std::filesystem::path(flags.run_dir) / kCheckpointName;
    if (flags.resume == "latest") flags.resume = there.string();
    std::error_code ignored;
    check(!std::filesystem::exists(there, ignored) ||
              std::filesystem::equivalent(there, flags.resume, ignored),
          "--run-dir: expected the folder of the run that is resumed, or one without a run in it, "
          "got ",
          full_name(flags.run_dir), " with another ", kCheckpointName);
}

// The flags that belong to the training itself and write nothing: a checkpoint keeps these.
constexpr const char* kKept[] = {
    "--data",     "--epochs",       "--batch-size", "--test-batch-size", "--lr",
    "--momentum", "--weight-decay", "--seed",       "--width",           "--activations",
    "--dry-run",  "--save-every",   "--no-run-dir", "--save-required"};

// The flags of a checkpoint that apply when it is resumed; the flags given now come after them.
// Flags that name what to write are left out, whatever their source.
std::vector<std::string> kept_of(const CLI::App& app, const std::vector<std::string>& saved) {
    std::vector<std::string> kept;
    for (std::size_t i = 1; i < saved.size(); ++i) {
        const std::size_t equals = saved[i].find('=');
        const std::string name = saved[i].substr(0, equals);
        const CLI::Option* option =
            name.starts_with("--") ? app.get_option_no_throw(name) : nullptr;
        if (option == nullptr) continue;
        const bool value_follows = option->get_items_expected_max() > 0 && equals == name.npos;
        const bool wanted = std::ranges::find(kKept, name) != std::end(kKept) &&
                            misread_by_cli11(app, saved[i]).empty();
        if (wanted) kept.push_back(saved[i]);
        if (value_follows && ++i < saved.size() && wanted) kept.push_back(saved[i]);
    }
    return kept;
}

// The flags given now that a checkpoint keeps. Not --data: a checkpoint names the folder in which
// the data was found, whether by this flag or not.
std::vector<std::string> flags_to_keep(const CLI::App& app) {
    std::vector<std::string> kept;
    for (const char* const name : kKept) {
        const CLI::Option* const option = app.get_option_no_throw(name);
        if (option == nullptr || option->count() == 0 ||
            option == app.get_option_no_throw("--data")) {
            continue;
        }
        kept.push_back(std::string(name) + '=' + CLI::detail::join(option->reduced_results(), ","));
    }
    return kept;
}

// A run directory stands for the checkpoint in it.
void find_resumed(TrainingFlags& flags) {
    if (flags.resume == "latest") flags.resume = latest_checkpoint(flags.command[0]).string();
    std::error_code ignored;
    const std::filesystem::path inside = std::filesystem::path(flags.resume) / kCheckpointName;
    if (!flags.resume.empty() && std::filesystem::exists(inside, ignored)) {
        flags.resume = inside.string();
    }
}

// Training cannot be resumed from a report, or from weights.
void check_resumed_kind(const std::string& resume) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    check_usage(
        !fs::is_directory(resume, ignored),
        "--resume: expected a checkpoint, or a run directory with one in it, got the folder ",
        full_name(resume), " without a ", kCheckpointName);
    const FileKind* const kind = kind_of(resume);
    if (kind == nullptr || kind == &kCheckpointFile) return;
    const fs::path beside = fs::path(resume).parent_path() / kCheckpointName;
    const std::string advice =
        fs::exists(beside, ignored)
            ? full_name(beside) + " beside it is one"
            : std::string("a training run saves one in its run directory, as ") + kCheckpointName +
                  ", or where --checkpoint says";
    check_usage(false, "--resume: expected a checkpoint, got ", full_name(resume), ", which is ",
                kind->what, "; ", advice);
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::equivalent(a, b, error)) return true;
    // Not there yet.
    const fs::path first = fs::weakly_canonical(fs::absolute(a, error), error);
    return !error && first == fs::weakly_canonical(fs::absolute(b, error), error) && !error;
}

// A run directory is a folder, and two outputs cannot go to one file.
void check_places(const TrainingFlags& flags) {
    const auto check_not = [](const char* flag, const std::string& file, const std::string& other,
                              const std::string& what) {
        check_usage(file.empty() || other.empty() || !same_file(file, other), flag,
                    ": expected a file of its own, got ", full_name(file), ", which is ", what,
                    "; name another one");
    };
    check_not("--save-weights", flags.save_weights, flags.checkpoint, "also the --checkpoint");
    if (flags.no_run_dir || flags.run_dir.empty()) return;
    std::error_code ignored;
    check_usage(!std::filesystem::exists(flags.run_dir, ignored) ||
                    std::filesystem::is_directory(flags.run_dir, ignored),
                "--run-dir: expected a folder, or nothing yet, got ", full_name(flags.run_dir),
                ", which is a file");
    for (const char* const name : kRunFiles) {
        const std::string file = (std::filesystem::path(flags.run_dir) / name).string();
        const std::string what = std::string("the run directory's own ") + name;
        check_not("--save-weights", flags.save_weights, file, what);
        if (name != std::string_view(kCheckpointName)) {
            check_not("--checkpoint", flags.checkpoint, file, what);
        }
    }
}

// After parse: sets flags.command and, for a resumed run, the flags that are not given.
void complete(CLI::App& app, int argc, char** argv, TrainingFlags& flags) {
    std::vector<std::string> given;
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        if (flag == "--resume") ++i;  // and its value
        if (flag != "--resume" && !flag.starts_with("--resume=")) given.push_back(flag);
    }
    const bool directory_given = app.count("--run-dir") > 0;
    flags.command = {app.get_name()};
    if (flags.resume != "latest") find_resumed(flags);
    if (directory_given) check_resumed_there(flags);
    find_resumed(flags);
    if (!flags.resume.empty()) {
        check_resumed_kind(flags.resume);
        const std::vector<std::string> saved = Checkpoint::load(flags.resume).command;
        check(!saved.empty() && saved[0] == flags.command[0], full_name(flags.resume),
              ": expected a checkpoint of ", flags.command[0], ", got one of ",
              saved.empty() || saved[0].empty() ? "another program" : saved[0]);
        std::vector<std::string> kept = kept_of(app, saved);
        if (directory_given) {
            std::erase_if(kept,
                          [](const std::string& flag) { return flag.starts_with("--no-run-dir"); });
        }
        flags.command.insert(flags.command.end(), kept.begin(), kept.end());
    }
    const std::string resume = flags.resume;
    flags.command.insert(flags.command.end(), given.begin(), given.end());
    try {
        // The last value of a flag counts; CLI11 wants the list backwards.
        app.parse(std::vector<std::string>(flags.command.rbegin(), flags.command.rend() - 1));
    } catch (const CLI::ParseError& error) {
        fail(full_name(resume),
             ": expected flags that make sense in a checkpoint, got: ", error.what());
    }
    flags.resume = resume;
    flags.kept = flags_to_keep(app);
    flags.settings = settings_of(app);
    if (resume.empty() || !flags.checkpoint.empty() || directory_given) return;
    const std::filesystem::path resumed = resume;
    if (resumed.filename() == kCheckpointName && !flags.no_run_dir) {
        flags.run_dir = resumed.has_parent_path() ? resumed.parent_path().string() : ".";
    } else {
        flags.checkpoint = resume;
    }
}

}  // namespace

RunPlace place_of(const TrainingFlags& flags) {
    return {.example = flags.command[0],
            .folder = flags.run_dir,
            .wanted = !flags.no_run_dir,
            .resumed = !flags.resume.empty(),
            .required = flags.save_required && flags.checkpoint.empty()};
}

Saving saving_of(const TrainingFlags& flags) {
    std::vector<std::string> command{flags.command[0]};
    command.insert(command.end(), flags.kept.begin(), flags.kept.end());
    return {.file = flags.checkpoint,
            .every = flags.save_every,
            .required = flags.save_required,
            .resume = flags.resume,
            .command = std::move(command),
            .dry_run = flags.dry_run,
            .quiet = flags.quiet};
}

void add_training_flags(CLI::App& app, TrainingFlags& flags) {
    app.option_defaults()->always_capture_default()->take_last();
    app.add_option("--data", flags.data,
                   "folder with the data files; without it $PRIMER_DATA, then ./data is searched")
        ->check(not_empty())
        ->type_name("DIR");
    app.add_option("--epochs", flags.epochs, "passes over the training data")
        ->transform(whole_number(1, kMaxInt))
        ->type_name("N");
    app.add_option("--batch-size", flags.batch_size, "examples in a training step")
        ->transform(whole_number(1, kMaxInt))
        ->type_name("N");
    app.add_option("--test-batch-size", flags.test_batch_size, "examples at a time in evaluation")
        ->transform(whole_number(1, kMaxInt))
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
        ->transform(whole_number(0, kMaxSeed))
        ->type_name("N");
    app.add_option("--threads", flags.threads,
                   "threads to compute on; 0: $PRIMER_NUM_THREADS, else all cores")
        ->transform(whole_number(0, 1024))
        ->type_name("N");
    app.add_flag("--dry-run", flags.dry_run, "one training step only, to see that all works");
    app.add_option(
           "--checkpoint", flags.checkpoint,
           "file to save the run to, at the end of each epoch, on Ctrl-C, SIGTERM and the like; "
           "without it checkpoint.ckpt in the run directory")
        ->check(not_empty())
        ->type_name("FILE");
    app.add_option("--save-every", flags.save_every, "save after every N training steps, too")
        ->transform(whole_number(0, kMaxInt))
        ->type_name("N");
    app.add_flag("--save-required", flags.save_required,
                 "stop when a save fails, instead of a warning");
    app.add_option(
           "--resume", flags.resume,
           "go on from a saved run, with its flags except for those given here; latest: from "
           "that in --run-dir or, without it, the newest one in runs/")
        ->check(not_empty())
        ->type_name("FILE");
    app.add_option("--run-dir", flags.run_dir,
                   "folder for metrics, checkpoint, pictures and report; without it a new one in "
                   "runs/")
        ->check(not_empty())
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

int run(CLI::App& app, int argc, char** argv, TrainingFlags& flags,
        const std::function<void()>& body) {
    return run(app, argc, argv, [&] {
        complete(app, argc, argv, flags);
        check_places(flags);
        if (flags.threads > 0) set_num_threads(flags.threads);
        body();
    });
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#include "run_directory.h"

#include <csignal>
#include <ctime>
#include <iostream>
#include <regex>

#include "primer/core/error.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRuns = "runs";

// runs/mnist_cnn-20260131-120000 or, if there was a run in the same second, ...-2, and so on.
// Making the folder decides whose it is: another run may be looking for a name as well.
fs::path make_new(const std::string& example) {
    fs::create_directories(kRuns);
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    char date[32];
    std::strftime(date, sizeof date, "-%Y%m%d-%H%M%S", &local);
    const fs::path first = fs::path(kRuns) / (example + date);
    fs::path path = first;
    for (int i = 2; !fs::create_directory(path); ++i) {
        path = first.string() + "-" + std::to_string(i);
    }
    return path;
}

}  // namespace

RunDirectory::RunDirectory(const TrainingFlags& flags)
    : working_(!flags.no_run_dir), example_(flags.command[0]), wanted_(flags.run_dir) {
    if (!working_) return;
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is then an error of the write
    if (wanted_.empty() || !flags.resume.empty()) return;
    for (const char* const name : {"run.json", kCheckpointName}) {
        std::error_code ignored;  // a folder that can not be looked into is not written to either
        check(!fs::exists(wanted_ / name, ignored),
              "--run-dir: expected a folder without a run in it, got ",
              fs::absolute(wanted_).lexically_normal().string(), " with ", name,
              "; to go on with that run, --resume its ", kCheckpointName);
    }
}

void RunDirectory::make() {
    if (!path_.empty()) return;
    if (wanted_.empty()) {
        path_ = make_new(example_);
    } else {
        fs::create_directories(wanted_);
        path_ = wanted_;
    }
}

void RunDirectory::stop(const std::string& reason) {
    if (!working_) return;
    working_ = false;
    std::cerr << "warning: " << reason << "; the run is no longer logged, training goes on\n";
}

fs::path latest_checkpoint(const std::string& example) {
    const std::regex of_example(example + "-[0-9]{8}-[0-9]{6}(-[0-9]+)?");
    fs::path latest;
    std::error_code ignored;  // no folder has no runs
    for (const fs::directory_entry& entry : fs::directory_iterator(kRuns, ignored)) {
        const std::string name = entry.path().filename().string();
        const bool fits = std::regex_match(name, of_example) && name > latest.filename().string();
        if (fits && fs::exists(entry.path() / kCheckpointName)) latest = entry.path();
    }
    check(!latest.empty(), "--resume latest: expected a run of ", example,
          " with a checkpoint, got none in ", fs::absolute(kRuns).string());
    return latest / kCheckpointName;
}

}  // namespace primer::examples

#include "run_directory.h"

#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <system_error>
#include <utility>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/core/io/system.h>
#include "program.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRuns = "runs";
constexpr const char* kOrder = "runs/.order";  // the names of the runs, in the order they began

// A run that could not be noted counts as older than those that are. One write appends the whole
// line, so two runs can do it at the same time.
void note_order(const fs::path& run) {
    const std::string line = run.filename().string() + '\n';
    SystemFile file = SystemFile::to_append(kOrder);
    if (file.is_open()) file.write(line);
}

// runs/mnist_cnn-20260131-120000 or, if there was a run in the same second, ...-2, and so on.
// Making the folder decides whose it is: another run may be looking for a name as well.
fs::path make_new(const std::string& example) {
    fs::create_directories(kRuns);
    const std::time_t now = std::time(nullptr);
    char date[32];
    std::strftime(date, sizeof date, "-%Y%m%d-%H%M%S", std::localtime(&now));
    const fs::path first = fs::path(kRuns) / (example + date);
    fs::path path = first;
    for (int i = 2; !fs::create_directory(path); ++i) {
        path = first.string() + "-" + std::to_string(i);
    }
    note_order(path);
    return path;
}

}  // namespace

// --- locks ---------------------------------------------------------------------------------------

Lock& Lock::operator=(Lock&& other) noexcept {
    if (this == &other) return *this;
    release();
    path_ = std::move(other.path_);
    file_ = std::exchange(other.file_, -1);
    holder_ = std::exchange(other.holder_, 0);
    return *this;
}

Lock::~Lock() { release(); }

Lock lock_file(const fs::path& path) {
    std::error_code error;
    fs::path target = fs::weakly_canonical(fs::absolute(path, error), error);
    if (error) target = path;
    target += ".lock";
    Lock lock(target);
    check(lock.holder() == 0, full_name(path), ": expected a file that nobody else writes, but ",
          holder_text(lock), " is writing it; wait for its end, or name another file");
    return lock;
}

std::string holder_text(const Lock& lock) {
    return lock.holder() > 0 ? "another run, process " + std::to_string(lock.holder()) + ","
                             : "another run";
}

// --- the directory -------------------------------------------------------------------------------

RunDirectory::RunDirectory(const RunPlace& place)
    : wanted_(place.wanted),
      resumed_(place.resumed),
      required_(place.required),
      example_(place.example),
      given_(place.folder) {
    check_no_other_run();
}

void RunDirectory::check_no_other_run(const std::string& part) const {
    if (!wanted_ || given_.empty() || resumed_) return;
    const fs::path folder = part.empty() ? given_ : given_ / part;
    std::error_code ignored;  // a folder that cannot be looked into is not written to either
    const bool saved = fs::exists(folder / kCheckpointName, ignored);
    for (const char* const name : kRunFiles) {
        check_usage(
            !fs::exists(folder / name, ignored),
            "--run-dir: expected a folder without a run in it, got ", full_name(folder), " with ",
            name, "; name another folder",
            saved ? std::string(", or go on with that run: --resume its ") + kCheckpointName : "");
    }
}

void RunDirectory::make() {
    if (!path_.empty()) return;
    fs::path folder = given_;
    if (given_.empty()) {
        folder = make_new(example_);
    } else {
        fs::create_directories(given_);
    }
    lock_ = Lock(folder / ".lock");
    check(lock_.holder() == 0, full_name(folder),
          ": expected a run directory that nobody else writes to, but ", holder_text(lock_),
          " is writing there; wait for its end, or give another --run-dir");
    path_ = folder;
}

void RunDirectory::claim() {
    if (!wanted_ || !path_.empty()) return;  // the first of several runs has claimed it
    try {
        make();
        check_no_other_run();  // that has begun and ended meanwhile
    } catch (const std::exception& error) {
        if (required_ || !path_.empty() || lock_.holder() != 0) throw;
        failing_.insert("");
        print_warning(
            std::string(error.what()) +
            "; nothing is logged or saved there until that can be done, training goes on");
    }
}

std::string RunDirectory::attempt(const std::string& what, const std::function<void()>& write) {
    if (!wanted_) return "";
    std::string key;  // of what fails: the folder itself, or what is in it
    try {
        make();
        key = what;
        write();
        failing_.erase("");
        failing_.erase(what);
        return "";
    } catch (const std::exception& error) {
        if (!failing_.insert(key).second) return "";
        return std::string(error.what()) + "; " + what +
               " will be tried again, training and all other logging and saving go on";
    }
}

void print_warning(const std::string& warning) {
    if (!warning.empty()) std::cerr << "warning: " << printable(warning) << '\n';
}

fs::path latest_checkpoint(const std::string& example) {
    std::map<std::string, int> order;
    std::error_code none_noted;
    // Not a pipe, which would block, and not a link.
    if (fs::is_regular_file(fs::symlink_status(kOrder, none_noted))) {
        std::ifstream noted(kOrder);
        for (std::string name; std::getline(noted, name);) {
            order[name] = static_cast<int>(order.size()) + 1;
        }
    }
    const std::string prefix = example + '-';
    const std::regex of_a_run("[0-9]{8}-[0-9]{6}(-[0-9]+)?");
    fs::path latest;
    // Runs from elsewhere are not noted: they come before all others, ordered by when they were
    // saved.
    std::pair<int, fs::file_time_type> best;
    std::error_code ignored;  // without the folder there are no runs
    for (const fs::directory_entry& entry : fs::directory_iterator(kRuns, ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        if (!std::regex_match(name.substr(prefix.size()), of_a_run)) continue;
        std::error_code none;
        const fs::file_time_type saved = fs::last_write_time(entry.path() / kCheckpointName, none);
        if (none) continue;
        const auto found = order.find(name);
        const std::pair when(found == order.end() ? 0 : found->second, saved);
        if (!latest.empty() && when <= best) continue;
        latest = entry.path();
        best = when;
    }
    check(!latest.empty(), "--resume latest: expected a run of ", example,
          " with a checkpoint, got none in ", full_name(kRuns));
    return latest / kCheckpointName;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

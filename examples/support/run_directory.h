#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace primer::examples {

/// Keeps other processes from writing to the same place, for as long as this object lives. The lock
/// is the system's, on an empty file of this name: it ends with the process, however that ends. On
/// a file system without locks, there is none.
class Lock {
  public:
    Lock() = default;
    /// Tries to take it, without waiting. Throws Error if the file cannot be made.
    explicit Lock(const std::filesystem::path& path);
    Lock(Lock&& other) noexcept { *this = std::move(other); }
    Lock& operator=(Lock&& other) noexcept;
    /// Gives it back and removes the file.
    ~Lock();

    /// The process that holds the lock, if it is another one; this object then holds nothing. 0:
    /// none; -1: one whose number the system does not tell, on another machine, say.
    long holder() const { return holder_; }

  private:
    void release();

    std::filesystem::path path_;
    int file_ = -1;
    long holder_ = 0;
};

/// A lock on writing to `path`: on PATH.lock, with links followed. Throws Error if another process
/// has it, with its number, and if the lock file cannot be made.
Lock lock_file(const std::filesystem::path& path);

/// "another run, process 1234,", for a message about such a lock.
std::string holder_text(const Lock& lock);

/// The name of a run's checkpoint in its run directory.
inline constexpr const char* kCheckpointName = "checkpoint.ckpt";
/// The files that mark a run directory.
inline constexpr const char* kRunFiles[] = {"run.json", kCheckpointName, "metrics.jsonl",
                                            "evaluation.json", "report.html"};

/// Where a run writes, as its flags say.
struct RunPlace {
    std::string example;    ///< the program; new folders have its name
    std::string folder;     ///< of --run-dir; empty: a new one in runs/
    bool wanted = true;     ///< false with --no-run-dir
    bool resumed = false;   ///< the run that is in the folder goes on
    bool required = false;  ///< without the folder the run must not start
};

/// The folder that a training run writes to: what was run, metrics, pictures, checkpoint, report.
/// One process at a time writes there.
///
/// A write that fails causes a warning on standard error and is tried again; the training and the
/// other writes go on.
class RunDirectory {
  public:
    /// The folder is that of --run-dir; without it runs/EXAMPLE-DATE-TIME; with --no-run-dir there
    /// is none. Makes nothing yet. Throws WrongUsage for a folder with another run in it, unless
    /// that is resumed.
    explicit RunDirectory(const RunPlace& place);

    /// False with --no-run-dir.
    bool wanted() const { return wanted_; }
    /// Makes the folder and locks it, before the first step. Throws Error if another process writes
    /// there. If it cannot be made, warns, or throws Error too if --save-required needs it.
    void claim();
    /// Makes and locks it, if that has not been done. Throws Error or filesystem_error.
    void make();
    /// Where it is; "" until it could be made.
    const std::filesystem::path& path() const { return path_; }
    /// Runs `write`, which writes `what` there. Returns a warning if that fails; "" if all is well,
    /// or if the user has been warned of this failure before.
    std::string attempt(const std::string& what, const std::function<void()>& write);
    /// For outputs elsewhere: whether to warn of a failure, because it worked before.
    bool fails_anew(const std::string& what) { return failing_.insert(what).second; }
    void works(const std::string& what) { failing_.erase(what); }

    /// Throws WrongUsage if --run-dir, or its folder `part`, has a run in it that is not resumed.
    void check_no_other_run(const std::string& part = "") const;

  private:
    const bool wanted_, resumed_, required_;
    std::string example_;          // names the folder if none is given
    std::filesystem::path given_;  // --run-dir
    std::filesystem::path path_;
    Lock lock_;
    std::set<std::string> failing_;
};

/// Prints the warning, if there is one, in a line of its own.
void print_warning(const std::string& warning);

/// The checkpoint of the newest of the example's runs in ./runs that has one: the run that began
/// last, in the order of ./runs/.order, whatever the clock or the names say. Throws Error if there
/// is none.
std::filesystem::path latest_checkpoint(const std::string& example);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

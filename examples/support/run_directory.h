#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "flags.h"
#include "lock.h"

namespace primer::examples {

/// What a run's checkpoint is called in its run directory.
inline constexpr const char* kCheckpointName = "checkpoint.ckpt";
/// The files by which a run directory is known.
inline constexpr const char* kRunFiles[] = {"run.json", kCheckpointName, "metrics.jsonl",
                                            "evaluation.json", "report.html"};

/// The folder that a training run writes to: what was run, metrics, pictures, checkpoint, report.
/// One process at a time writes there.
///
/// What can not be written is a warning on standard error, and is tried again: the training goes
/// on, and so does the rest of what is written.
class RunDirectory {
  public:
    /// That of --run-dir; without it runs/EXAMPLE-DATE-TIME; none at all with --no-run-dir. Makes
    /// nothing yet. Throws WrongUsage for a folder that has another run in it, unless this is
    /// resumed.
    explicit RunDirectory(const TrainingFlags& flags);

    /// False with --no-run-dir.
    bool wanted() const { return wanted_; }
    /// Makes the folder and locks it, before the first step. Throws Error if another process writes
    /// there. If it can not be made, warns, or throws Error too if --save-required needs it.
    void claim();
    /// Makes and locks it, if that has not been done. Throws Error or filesystem_error.
    void make();
    /// Where it is; "" until it could be made.
    const std::filesystem::path& path() const { return path_; }
    /// Runs `write`, which writes `what` there, and returns the warning if that fails: "" if all is
    /// well, and if the same has failed before and has been warned of.
    std::string attempt(const std::string& what, const std::function<void()>& write);
    /// For what is written elsewhere: whether its failure is to be told, as it worked before.
    bool fails_anew(const std::string& what) { return failing_.insert(what).second; }
    void works(const std::string& what) { failing_.erase(what); }

    /// Throws WrongUsage where --run-dir, or its folder `part`, has a run in it that is not
    /// resumed.
    void check_no_other_run(const std::string& part = "") const;

  private:
    const bool wanted_, resumed_, required_;
    std::string example_;          // of whose runs this is one, if the folder is to be named here
    std::filesystem::path given_;  // otherwise
    std::filesystem::path path_;
    Lock lock_;
    std::set<std::string> failing_;
};

/// Shows the warning, if there is one, in a line of its own.
void print_warning(const std::string& warning);

/// The checkpoint of the newest of the example's runs in ./runs that has one: the one that began
/// last, in the order that ./runs/.order has them, whatever the clock or the names say. Throws
/// Error if there is none.
std::filesystem::path latest_checkpoint(const std::string& example);

}  // namespace primer::examples

#pragma once

#include <filesystem>
#include <string>

#include "flags.h"

namespace primer::examples {

/// What a run's checkpoint is called in its run directory.
inline constexpr const char* kCheckpointName = "checkpoint.ckpt";

/// The folder that a training run writes to: what was run, metrics, pictures, checkpoint, report.
///
/// If it can not be written to, a warning on standard error says so, once, and from then on nothing
/// is: training goes on.
class RunDirectory {
  public:
    /// That of --run-dir; without it runs/EXAMPLE-DATE-TIME; none at all with --no-run-dir. Makes
    /// nothing yet. Throws Error for a folder that has another run in it, unless this is resumed.
    explicit RunDirectory(const TrainingFlags& flags);

    /// False with --no-run-dir, and after stop().
    bool working() const { return working_; }
    /// Makes the folder, if it is not there. Throws Error or std::filesystem::filesystem_error.
    void make();
    /// Where it is; "" before make().
    const std::filesystem::path& path() const { return path_; }
    /// To be called for an error in writing to it.
    void stop(const std::string& reason);

  private:
    bool working_;
    std::string example_;           // of whose runs this is one, if the folder is to be named here
    std::filesystem::path wanted_;  // otherwise
    std::filesystem::path path_;
};

/// The checkpoint of the newest of the example's runs in ./runs that has one. Throws Error if there
/// is none.
std::filesystem::path latest_checkpoint(const std::string& example);

}  // namespace primer::examples

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <utility>

namespace primer::examples {

/// Keeps other processes from writing to the same place, for as long as this object lives. The lock
/// is the system's, on an empty file of this name: it is gone with the process, however that ends.
/// Where the file system knows no locks, there is none.
class Lock {
  public:
    Lock() = default;
    /// Tries to take it, without waiting. Throws Error if the file cannot be made.
    explicit Lock(const std::filesystem::path& path);
    Lock(Lock&& other) noexcept { *this = std::move(other); }
    Lock& operator=(Lock&& other) noexcept;
    /// Gives it back and removes the file.
    ~Lock();

    /// The process that has it, if that is another one: then this object has nothing. 0: none; -1:
    /// one whose number the system does not tell, on another machine, say.
    pid_t holder() const { return holder_; }

  private:
    void release();

    std::filesystem::path path_;
    int file_ = -1;
    pid_t holder_ = 0;
};

/// A lock on what is written to `path`: on PATH.lock, behind links. Throws Error if another process
/// has it, with its number, and if the lock file cannot be made.
Lock lock_file(const std::filesystem::path& path);

/// "another run, process 1234,", for a message about such a lock.
std::string holder_text(const Lock& lock);

}  // namespace primer::examples

#pragma once

#include <atomic>

#include "../real.h"
#include "../shape.h"

namespace primer {

/// A block of Reals, aligned to 64 bytes (a cache line, and the widest vector register), not
/// initialised. Blocks are recycled: a released one waits in a cache for the next request of its
/// size, so a training loop, which asks for the same sizes again and again, stops asking the
/// system for memory after its first steps. Safe to use from several threads.
class Storage {
  public:
    /// Throws Error if count < 0, or if the system has no block of that size left.
    explicit Storage(Index count);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    Real* data() { return data_; }
    Index size() const { return count_; }

    /// Counts the writes, so that a reader can tell whether the values are still the ones it saw.
    Index version() const { return version_.load(std::memory_order_relaxed); }
    /// Name of the last one who wrote in place.
    const char* writer() const { return writer_.load(std::memory_order_relaxed); }
    void written_by(const char* who) {
        version_.store(version() + 1, std::memory_order_relaxed);
        writer_.store(who, std::memory_order_relaxed);
    }

  private:
    Real* data_ = nullptr;
    Index count_ = 0;
    // Atomic, for another thread's tape may look at a parameter that is being changed.
    std::atomic<Index> version_ = 0;
    std::atomic<const char*> writer_ = "";
};

/// What Storage has taken from the system, in the whole process.
struct StorageStats {
    Index system_allocations = 0;  ///< how often the system was asked, since the program started
    Index bytes_in_use = 0;        ///< in living blocks, rounded up to their size class
    Index bytes_cached = 0;        ///< in blocks that wait to be used again
};

StorageStats storage_stats();

/// Sees to it that the cache holds this many blocks of this size. For scratch memory that several
/// threads are about to ask for: otherwise it would depend on how they happen to overlap whether
/// the system is asked.
void reserve_storage(Index blocks, Index count);

/// Bounds what the cache keeps: `share` times the most that was in use at once lately, or 16 MB if
/// that is more. What is beyond it goes back to the system, the blocks that have waited longest
/// first. "Lately" is the last 16 384 requests for a block, up to twice as many. A share of 0 keeps
/// nothing, infinity everything. At the start it is the environment variable PRIMER_CACHE_SHARE or,
/// without it, 2: enough for a training that evaluates now and then to ask the system for nothing
/// after its first steps. Throws Error if share < 0 or is NaN; the first Storage throws if that
/// variable is not such a number.
void set_storage_cache(double share);

/// Gives the cached blocks back to the system.
void release_cached_storage();

}  // namespace primer

#pragma once

#include <atomic>

#include "../real.h"
#include "../shape.h"

namespace primer {

/// A block of uninitialised Reals, aligned to 64 bytes (a cache line, and the widest vector
/// register). Blocks are recycled: a released block waits in a cache for the next request of its
/// size. A training loop requests the same sizes again and again, so after its first steps it asks
/// the system for no more memory. Safe to use from several threads.
class Storage {
  public:
    /// Throws Error if count < 0, or if the system is out of memory.
    explicit Storage(Index count);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    Real* data() { return data_; }
    const Real* data() const { return data_; }
    Index size() const { return count_; }

    /// Counts the writes, so that a reader can check whether the values are still the ones it saw.
    Index version() const { return version_.load(std::memory_order_relaxed); }
    /// The name of the last function that wrote in place.
    const char* writer() const { return writer_.load(std::memory_order_relaxed); }
    void written_by(const char* who) {
        version_.store(version() + 1, std::memory_order_relaxed);
        writer_.store(who, std::memory_order_relaxed);
    }

  private:
    Real* data_ = nullptr;
    Index count_ = 0;
    // Atomic, because another thread's tape may read them while a parameter changes.
    std::atomic<Index> version_ = 0;
    std::atomic<const char*> writer_ = "";
};

/// The memory that Storage has taken from the system, in the whole process.
struct StorageStats {
    Index system_allocations = 0;  ///< requests to the system since the program started
    Index bytes_in_use = 0;        ///< in living blocks, rounded up to their size class
    Index bytes_cached = 0;        ///< in released blocks that wait for reuse
};

StorageStats storage_stats();

/// Fills the cache with this many blocks of this size. Call it for scratch memory that several
/// threads are about to request. Otherwise the number of requests to the system would depend on how
/// the threads happen to overlap.
void reserve_storage(Index blocks, Index count);

/// Limits the cache to `share` times the most memory that was recently in use at once, or 16 MB if
/// that is more. Blocks beyond the limit go back to the system, those that have waited longest
/// first. "Recently" means the last 16 384 to 32 768 requests for a block. A share of 0 keeps
/// nothing, infinity keeps everything. The initial share is the environment variable
/// PRIMER_CACHE_SHARE or, if it is not set, 2: enough for a training run with evaluations to need
/// nothing from the system after its first steps. Throws Error if share < 0 or is NaN; the first
/// Storage throws if the variable is not a valid share.
void set_storage_cache(double share);

/// Gives the cached blocks back to the system.
void release_cached_storage();

}  // namespace primer
// SPDX-License-Identifier: MIT

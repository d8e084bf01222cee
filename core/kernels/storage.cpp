// Only speed: recycles memory. Who owns a block does not depend on it: the last Tensor that names a
// Storage destroys it (tensor.h), and ~Storage, below, puts its block into the cache.

#include "storage.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <list>
#include <mutex>
#include <new>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../error.h"
#include "../text.h"
#include "system.h"

#if defined(__SANITIZE_ADDRESS__)
#define PRIMER_POISON_CACHED_BLOCKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PRIMER_POISON_CACHED_BLOCKS
#endif
#endif

#ifdef PRIMER_POISON_CACHED_BLOCKS
#include <sanitizer/asan_interface.h>
#endif

namespace primer {
namespace {

constexpr std::size_t kAlignment = 64;              // of a small block: a cache line
constexpr std::size_t kHugePage = 2 * 1024 * 1024;  // of a block that is at least as large

std::align_val_t alignment_of(std::size_t bytes) {
    return std::align_val_t{bytes >= kHugePage ? kHugePage : kAlignment};
}

// Memory from the system, or nullptr.
void* allocate(std::size_t bytes) {
    void* const block = ::operator new(bytes, alignment_of(bytes), std::nothrow);
    // A processor caches the addresses of some thousand pages. At the usual 4 KB each they cover a
    // few MB, and a walk down the columns of a large matrix looks nearly every page up again.
    if (block != nullptr && bytes >= kHugePage) prefer_large_pages(block, bytes, kHugePage);
    return block;
}

// Recycling would hide a use after free from AddressSanitizer; these two reveal it.
void poison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#ifdef PRIMER_POISON_CACHED_BLOCKS
    __asan_poison_memory_region(block, bytes);
#endif
}
void unpoison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#ifdef PRIMER_POISON_CACHED_BLOCKS
    __asan_unpoison_memory_region(block, bytes);
#endif
}

// Rounds sizes up to one of eight steps between two powers of two. At most an eighth is wasted, and
// sizes that differ a little (the last batch of an epoch) share blocks.
std::size_t size_class(Index count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(Real);
    const std::size_t step = std::max(kAlignment, std::bit_floor(bytes) / 8);
    return std::max(kAlignment, (bytes + step - 1) / step * step);
}

// Larger sizes are refused, so that their number of bytes, rounded up, cannot overflow.
constexpr Index kMostReals = std::numeric_limits<std::ptrdiff_t>::max() / 4 / Index{sizeof(Real)};

// The default share of set_storage_cache. Sizes that are never in use together all wait in the
// cache: those of different parts of a step, and those of training and evaluation. Together they
// exceed the memory in use at any one time.
constexpr double kDefaultShare = 2;
// This many bytes may always wait, because they are not worth repeated requests to the system.
constexpr double kAlwaysCached = 16.0 * 1024 * 1024;
// "Recently" is this many requests, up to twice as many: many training steps.
constexpr int kRequests = 1 << 14;

double share_from_environment() {
    const char* text = std::getenv("PRIMER_CACHE_SHARE");
    if (text == nullptr || *text == '\0') return kDefaultShare;
    const std::optional<double> share = read_number(text);
    check(share.has_value() && *share >= 0,
          "PRIMER_CACHE_SHARE: expected a number of 0 or more, such as 1.5, got '", text, "'");
    return *share;
}

// Held during every use of the cache and around fork(), so that the child does not get lists in the
// middle of a change. Registered before main, because a fork may come while another thread makes
// its first tensor.
constinit std::mutex mutex;
[[maybe_unused]] const int forks_handled =
    around_fork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });

class BlockCache {
  public:
    void* take(std::size_t bytes) {
        std::vector<Waiting>& blocks = free_[bytes];
        void* block = nullptr;
        if (blocks.empty()) {
            block = ask_system(bytes);
        } else {
            block = blocks.back().block;
            blocks.pop_back();
            stats_.bytes_cached -= static_cast<Index>(bytes);
            unpoison(block, bytes);
        }
        stats_.bytes_in_use += static_cast<Index>(bytes);
        most_now_ = std::max(most_now_, stats_.bytes_in_use);
        if (++requests_ == kRequests) {
            requests_ = 0;
            most_before_ = std::exchange(most_now_, stats_.bytes_in_use);
        }
        return block;
    }

    void give_back(void* block, std::size_t bytes) noexcept {
        stats_.bytes_in_use -= static_cast<Index>(bytes);
        try {
            free_[bytes].push_back({block, ++returns_});
        } catch (const std::bad_alloc&) {  // no memory even for the list entry
            return ::operator delete(block, alignment_of(bytes));
        }
        poison(block, bytes);
        stats_.bytes_cached += static_cast<Index>(bytes);
        trim();
    }

    void set_share(double share) {
        share_ = share;
        trim();
    }

    void release() {
        for (auto& [bytes, blocks] : free_) {
            for (const Waiting& waiting : blocks) give_to_system(waiting.block, bytes);
            blocks.clear();
        }
    }

    const StorageStats& stats() const { return stats_; }

  private:
    struct Waiting {
        void* block;
        Index since;  // the number of blocks given back until then
    };

    void* ask_system(std::size_t bytes) {
        ++stats_.system_allocations;
        if (void* block = allocate(bytes)) return block;
        release();  // blocks of other sizes may hold the missing memory
        if (void* block = allocate(bytes)) return block;
        fail("out of memory: the system has no block of ", bytes, " bytes for a tensor (",
             stats_.bytes_in_use, " bytes are in use); try a smaller batch");
    }

    void give_to_system(void* block, std::size_t bytes) {
        unpoison(block, bytes);
        ::operator delete(block, alignment_of(bytes));
        stats_.bytes_cached -= static_cast<Index>(bytes);
    }

    // Gives the blocks that have waited longest back to the system until the rest is within the
    // limit. In each list the oldest are at the front.
    void trim() {
        const auto in_use = static_cast<double>(std::max(most_before_, most_now_));
        const double limit = share_ > 0 ? std::max(kAlwaysCached, share_ * in_use) : 0;
        while (static_cast<double>(stats_.bytes_cached) > limit) {
            auto oldest = free_.end();
            for (auto list = free_.begin(); list != free_.end(); ++list) {
                if (list->second.empty()) continue;
                if (oldest == free_.end() ||
                    list->second.front().since < oldest->second.front().since) {
                    oldest = list;
                }
            }
            give_to_system(oldest->second.front().block, oldest->first);
            oldest->second.erase(oldest->second.begin());
        }
    }

    std::unordered_map<std::size_t, std::vector<Waiting>> free_;  // by size class
    StorageStats stats_;
    double share_ = share_from_environment();
    Index returns_ = 0;
    Index most_now_ = 0, most_before_ = 0;  // peak of bytes in use: this period's, the last one's
    int requests_ = 0;
};

// The caller must hold the mutex. Never destroyed, because a static tensor may give its block back
// after main has ended.
BlockCache& cache() {
    static BlockCache* made = nullptr;
    if (made == nullptr) made = new BlockCache;
    return *made;
}

void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex);
    return cache().take(bytes);
}

Index checked(Index count) {
    check(count >= 0, "Storage: expected a size of 0 or more, got ", count);
    check(count <= kMostReals, "out of memory: no system has a block of ", count,
          " numbers for a tensor; try a smaller batch");
    return count;
}

}  // namespace

Storage::Storage(Index count)
    : data_(static_cast<Real*>(take(size_class(checked(count))))), count_(count) {}

Storage::~Storage() {
    const std::lock_guard lock(mutex);
    cache().give_back(data_, size_class(count_));
}

StorageStats storage_stats() {
    const std::lock_guard lock(mutex);
    return cache().stats();
}

void reserve_storage(Index blocks, Index count) {
    std::list<Storage> reserved;
    while (std::ssize(reserved) < blocks) reserved.emplace_back(count);
}

void set_storage_cache(double share) {
    check(share >= 0,
          "set_storage_cache: expected a share of 0 or more (of the memory that was in use), got ",
          share);
    const std::lock_guard lock(mutex);
    cache().set_share(share);
}

void release_cached_storage() {
    const std::lock_guard lock(mutex);
    cache().release();
}

}  // namespace primer
// SPDX-License-Identifier: MIT

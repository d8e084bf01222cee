#include "primer/core/kernels/storage.h"

#include <algorithm>
#include <bit>
#include <list>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "primer/core/error.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

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

constexpr std::size_t kAlignment = 64;              // of a block: a cache line ...
constexpr std::size_t kHugePage = 2 * 1024 * 1024;  // ... or, if it has that size, this

std::align_val_t alignment_of(std::size_t bytes) {
    return std::align_val_t{bytes >= kHugePage ? kHugePage : kAlignment};
}

// Memory from the system, or nullptr.
void* allocate(std::size_t bytes) {
    void* const block = ::operator new(bytes, alignment_of(bytes), std::nothrow);
#if defined(__linux__)
    // A processor remembers the places of some thousand pages. With the usual 4 KB each, that is a
    // few MB; and whoever walks down the columns of a large matrix looks nearly every one up again.
    if (block != nullptr && bytes >= kHugePage) {
        madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish; it may fail
    }
#endif
    return block;
}

// Recycling would hide a use after free from AddressSanitizer; these two tell it.
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

// Sizes are rounded up to one of eight steps between two powers of two. At most an eighth is
// wasted, and sizes that vary a little (the last batch of an epoch) share their blocks.
std::size_t size_class(Index count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(Real);
    const std::size_t step = std::max(kAlignment, std::bit_floor(bytes) / 8);
    return std::max(kAlignment, (bytes + step - 1) / step * step);
}

class BlockCache {
  public:
    void* take(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        std::vector<void*>& blocks = free_[bytes];
        void* block = nullptr;
        if (blocks.empty()) {
            block = ask_system(bytes);
        } else {
            block = blocks.back();
            blocks.pop_back();
            stats_.bytes_cached -= static_cast<Index>(bytes);
            unpoison(block, bytes);
        }
        stats_.bytes_in_use += static_cast<Index>(bytes);
        return block;
    }

    void give_back(void* block, std::size_t bytes) noexcept {
        const std::lock_guard lock(mutex_);
        poison(block, bytes);
        free_[bytes].push_back(block);
        stats_.bytes_in_use -= static_cast<Index>(bytes);
        stats_.bytes_cached += static_cast<Index>(bytes);
    }

    void release() {
        const std::lock_guard lock(mutex_);
        release_locked();
    }

    StorageStats stats() {
        const std::lock_guard lock(mutex_);
        return stats_;
    }

  private:
    void* ask_system(std::size_t bytes) {
        ++stats_.system_allocations;
        if (void* block = allocate(bytes)) return block;
        release_locked();  // what waits in other sizes may be just what is missing
        if (void* block = allocate(bytes)) return block;
        fail("out of memory: the system has no block of ", bytes, " bytes for a tensor (",
             stats_.bytes_in_use, " bytes are in use); try a smaller batch");
    }

    void release_locked() {
        for (auto& [bytes, blocks] : free_) {
            for (void* block : blocks) {
                unpoison(block, bytes);
                ::operator delete(block, alignment_of(bytes));
            }
            blocks.clear();
        }
        stats_.bytes_cached = 0;
    }

    std::mutex mutex_;
    std::unordered_map<std::size_t, std::vector<void*>> free_;  // by size class
    StorageStats stats_;
};

// Never destroyed: a tensor with static lifetime may give its block back after main has ended.
BlockCache& cache() {
    static auto* const cache = new BlockCache;
    return *cache;
}

}  // namespace

Storage::Storage(Index count)
    : data_(static_cast<Real*>(cache().take(size_class(count)))), count_(count) {}

Storage::~Storage() { cache().give_back(data_, size_class(count_)); }

StorageStats storage_stats() { return cache().stats(); }

void reserve_storage(Index blocks, Index count) {
    std::list<Storage> reserved;
    while (std::ssize(reserved) < blocks) reserved.emplace_back(count);
}

void release_cached_storage() { cache().release(); }

}  // namespace primer

// Only speed: hints to the operating system, and what it says. All that differs between systems in
// the kernels is here.

#include "system.h"

#include <vector>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif
#if defined(_WIN32)
#include <process.h>
#else
#include <pthread.h>
#include <unistd.h>
#endif

namespace primer {

#if defined(_WIN32)

long process_number() { return _getpid(); }

int around_fork(void (*)(), void (*)(), void (*)()) { return 0; }

#else

long process_number() { return getpid(); }

int around_fork(void (*before)(), void (*parent)(), void (*child)()) {
    pthread_atfork(before, parent, child);  // fails only if there is no memory for three pointers
    return 0;
}

#endif

#if defined(__linux__)

int processors_of_mask() {
    // The kernel refuses a mask that is too small for the machine, so try larger ones.
    for (std::size_t count = CPU_SETSIZE; count <= std::size_t{1} << 20; count *= 2) {
        std::vector<cpu_set_t> mask(count / CPU_SETSIZE);
        const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
        if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
    }
    return 0;
}

void prefer_large_pages(void* begin, std::size_t bytes, std::size_t page) {
    madvise(begin, bytes / page * page, MADV_HUGEPAGE);
}

#else

int processors_of_mask() { return 0; }

void prefer_large_pages(void*, std::size_t, std::size_t) {}

#endif

}  // namespace primer
// SPDX-License-Identifier: MIT

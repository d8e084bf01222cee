// Only speed: what stands in for parallel.cpp, processors.cpp and system.cpp in a build without
// PRIMER_SYSTEM. There is one thread on one processor, and nobody is asked for anything.

#include <algorithm>

#include "../error.h"
#include "parallel.h"
#include "processors.h"
#include "system.h"

namespace primer {

int num_threads() { return 1; }

void set_num_threads(int count) {
    check(count >= 1 && count <= kMaxThreads, "set_num_threads: expected 1 to ", kMaxThreads,
          ", got ", count);
}

void detail::run_chunks(Index n, Index grain, const std::function<void(Index, Index)>& body) {
    check(grain >= 1, "parallel_for: expected a grain of 1 or more, got ", grain);
    for (Index begin = 0; begin < n; begin += grain) body(begin, std::min(n, begin + grain));
}

int available_processors() { return 1; }
int processors_of_quota(const std::filesystem::path&) { return 0; }
int processors_of_mask() { return 0; }
std::string processor_name() { return ""; }

long process_number() { return 0; }
int around_fork(void (*)(), void (*)(), void (*)()) { return 0; }
void prefer_large_pages(void*, std::size_t, std::size_t) {}

}  // namespace primer
// SPDX-License-Identifier: MIT

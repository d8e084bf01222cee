#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/datasets/dataset.h>
#include "support.h"

// What the tests of the drawn datasets share. draw(count, seed) makes the dataset.

namespace primer {

inline std::vector<std::uint8_t> bytes(const ImageDataset& set, Index first, Index last) {
    std::vector<std::uint8_t> all;
    for (Index i = first; i < last; ++i) {
        const std::span<const std::uint8_t> picture = set.pixels(i);
        all.insert(all.end(), picture.begin(), picture.end());
    }
    return all;
}

// FNV-1a, 64 bits.
inline std::uint64_t hash(const std::vector<std::uint8_t>& all) {
    std::uint64_t h = 0xcbf29ce484222325;
    for (std::uint8_t byte : all) h = (h ^ byte) * 0x100000001b3;
    return h;
}

/// Checks that no picture comes twice, within a seed or in two.
template <class Draw>
void check_all_differ(const Draw& draw) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed : {0u, 1u, 10u}) {
        const ImageDataset set = draw(200, seed);
        for (Index i = 0; i < 200; ++i) seen.insert(hash(bytes(set, i, i + 1)));
    }
    CHECK(seen.size() == 600);
}

/// Checks that the number of threads does not matter.
template <class Draw>
void check_any_threads(Index count, const Draw& draw) {
    const int before = num_threads();
    set_num_threads(1);
    const std::vector<std::uint8_t> one = bytes(draw(count, 3), 0, count);
    set_num_threads(4);
    const std::vector<std::uint8_t> four = bytes(draw(count, 3), 0, count);
    set_num_threads(before);
    CHECK(one == four);
}

/// Checks the errors for impossible counts; they begin with `name`.
template <class Draw>
void check_counts(const char* name, const Draw& draw) {
    check_error([&] { draw(0, 1); }, {name, "expected a count of 1 or more, got 0"});
    check_error([&] { draw(-1, 1); }, {"got -1"});
    check_error([&] { draw(std::numeric_limits<Index>::max(), 1); }, {"more elements than memory"});
}

}  // namespace primer
// SPDX-License-Identifier: MIT

// Only speed: core/ops/index.cpp defines what is gathered.

#include "gather.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "parallel.h"

namespace primer::kernels {

void gather(const Axis& axis, std::span<const Index> index, const Real* x, Real* y) {
    const Index count = std::ssize(index), inner = axis.inner;
    rows(axis.outer * count, inner, kGrain, [=](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            const Index o = row / count, r = index[static_cast<std::size_t>(row % count)];
            std::copy_n(x + (o * axis.n + r) * inner, inner, y + row * inner);
        }
    });
}

// A thread owns rows of x, not of y; otherwise two of them might add to the same row.
void scatter_sum(const Axis& axis, std::span<const Index> index, const Real* y, Real* x) {
    const Index count = std::ssize(index), inner = axis.inner;
    // order[first[r]], ..., order[first[r + 1] - 1] are the j with index[j] = r, in their order.
    std::vector<Index> first(static_cast<std::size_t>(axis.n + 1)), order(index.size());
    for (const Index r : index) ++first[static_cast<std::size_t>(r + 1)];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<Index> next = first;
    for (Index j = 0; j < count; ++j) {
        Index& place = next[static_cast<std::size_t>(index[static_cast<std::size_t>(j)])];
        order[static_cast<std::size_t>(place++)] = j;
    }
    rows(axis.outer * axis.n, inner, kGrain, [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            Real* const to = x + row * inner;
            std::fill_n(to, inner, Real(0));
            const auto r = static_cast<std::size_t>(row % axis.n);
            for (Index p = first[r]; p < first[r + 1]; ++p) {
                const Index j = order[static_cast<std::size_t>(p)];
                const Real* const from = y + (row / axis.n * count + j) * inner;
                for (Index i = 0; i < inner; ++i) to[i] += from[i];
            }
        }
    });
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

#pragma once

#include <array>
#include <span>
#include <tuple>

#include "../creation.h"
#include "../tape.h"

namespace primer::internal {

/// Adds the gradients of all inputs, which have these `shapes` and which compute(Real* dx, ...)
/// writes. It gets null for one that is not wanted.
template <std::size_t N, class Compute>
void add_gradients(std::span<Grad> d, const Shape (&shapes)[N], const Compute& compute) {
    std::array<Tensor, N> grads;
    std::array<Real*, N> to{};
    for (std::size_t i = 0; i < N; ++i) {
        if (!d[i].wanted()) continue;
        grads[i] = empty(shapes[i]);
        to[i] = grads[i].mutable_data();
    }
    std::apply(compute, to);
    for (std::size_t i = 0; i < N; ++i) d[i].add(grads[i]);
}

}  // namespace primer::internal
// SPDX-License-Identifier: MIT

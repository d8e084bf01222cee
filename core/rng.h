#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "only.h"
#include "real.h"
#include "shape.h"

namespace primer {

/// A seeded random number generator: xoshiro256++ (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), its state filled from the seed by SplitMix64. The
/// distributions are our own too, made of exactly rounded operations only, so a seed gives the same
/// numbers on every platform and compiler. (The standard library's distributions do not.)
/// Not for secrets. Not thread-safe; give each thread its own, by split().
class Rng {
  public:
    /// The state of a generator.
    using State = std::array<std::uint64_t, 4>;

    /// A generator whose numbers `seed` determines.
    explicit Rng(Only<std::uint64_t> seed);

    /// 64 random bits.
    std::uint64_t next();
    /// Uniform over 0, 1, ..., count - 1, without bias. Throws Error unless count >= 1.
    Index below(Only<Index> count);
    /// Uniform from [0, 1): a multiple of 2^-24 in float, of 2^-53 in double.
    Real uniform();
    /// Uniform from low to high; rounding may reach high itself. Throws Error unless low <= high
    /// and high - low is finite.
    Real uniform(Only<Real> low, Only<Real> high);
    /// Normal, by Marsaglia's polar method (SIAM Review 6, 1964). Throws Error unless both are
    /// finite and stddev >= 0.
    Real normal(Only<Real> mean = 0, Only<Real> stddev = 1);
    /// Puts `values` in random order, every order equally likely (Fisher-Yates).
    void shuffle(std::vector<Index>& values);
    /// 0, 1, ..., count - 1 in random order.
    std::vector<Index> permutation(Only<Index> count);
    /// A generator seeded from this one's next number: an independent stream.
    Rng split() { return Rng(next()); }

    /// The whole state: a generator with the same state continues with the same numbers.
    State state() const { return state_; }
    /// Throws Error for four zeros, the one state that xoshiro never leaves.
    void set_state(const State& state);

  private:
    State state_;
};

/// The generator of whoever passes none: layers, randn, a DataLoader. Each thread has one of its
/// own, and every one starts from the seed 0, so a program gives the same numbers on every run
/// until it asks for others. Two threads that draw from theirs get the same numbers, so let each
/// call manual_seed with a seed of its own.
///
/// Library code takes an Rng& instead, because it then says what it draws from, and is independent
/// of what a program has drawn before.
///
/// No checkpoint holds its state unless it is given. A Dropout and a DataLoader need none; they
/// take one number when they are made, and a checkpoint holds the generators that they make of it.
/// A loop that draws from it at every step names it, as it would any other: TrainingState{.rng =
/// &default_rng()}.
Rng& default_rng();
/// Sets this thread's default generator to Rng(seed).
void manual_seed(Only<std::uint64_t> seed);

}  // namespace primer
// SPDX-License-Identifier: MIT

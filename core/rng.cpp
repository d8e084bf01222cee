#include "rng.h"

#include <bit>
#include <cmath>
#include <exception>
#include <numeric>
#include <type_traits>
#include <utility>

#include "error.h"

namespace primer {
namespace {

// ln(x) for x > 0 from additions, multiplications and divisions alone, which IEEE 754 rounds alike
// everywhere; std::log may differ in the last bit between two C libraries. With x = m 2^e and
// t = (m - 1) / (m + 1), ln m = 2 (t + t^3/3 + t^5/5 + ...); |t| <= 0.172 makes twelve terms
// enough.
double portable_log(double x) {
    int exponent = 0;
    double m = std::frexp(x, &exponent);  // m from [1/2, 1)
    if (m < 0.70710678118654752) {
        m *= 2;
        --exponent;
    }
    const double t = (m - 1) / (m + 1);
    double sum = 0;
    for (int k = 23; k >= 1; k -= 2) sum = sum * t * t + 1.0 / k;
    return 2 * t * sum + exponent * 0.69314718055994531;
}

}  // namespace

Rng::Rng(Only<std::uint64_t> seed) {
    std::uint64_t sum = seed;
    for (std::uint64_t& word : state_) {  // SplitMix64
        sum += 0x9e3779b97f4a7c15;
        std::uint64_t z = sum;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        word = z ^ (z >> 31);
    }
}

std::uint64_t Rng::next() {
    auto& s = state_;
    const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 45);
    return result;
}

Index Rng::below(Only<Index> count) {
    check(count >= 1, "Rng::below: expected a count of 1 or more, got ", count);
    // The first 2^64 mod count of the 2^64 numbers are dropped; what is left falls evenly.
    const auto n = static_cast<std::uint64_t>(count);
    const std::uint64_t dropped = (0 - n) % n;
    std::uint64_t bits = next();
    while (bits < dropped) bits = next();
    return static_cast<Index>(bits % n);
}

Real Rng::uniform() {
    // As many of the high bits as the number has, because one more could round up to 1.
    if constexpr (std::is_same_v<Real, float>) {
        return static_cast<Real>(next() >> 40) * Real(0x1p-24);
    } else {
        return static_cast<Real>(next() >> 11) * Real(0x1p-53);
    }
}

Real Rng::uniform(Only<Real> from, Only<Real> to) {
    const Real low = from, high = to;
    check(low <= high && std::isfinite(high - low),
          "Rng::uniform: expected finite bounds with low <= high, got ", low, " and ", high);
    return low + (high - low) * uniform();
}

Real Rng::normal(Only<Real> mean, Only<Real> deviation) {
    const Real stddev = deviation;
    check(std::isfinite(Real{mean}) && stddev >= 0 && std::isfinite(stddev),
          "Rng::normal: expected a finite mean and a finite stddev of 0 or more, got ", Real{mean},
          " and ", stddev);
    // A point in the unit disc, (u, v), has a radius and an angle that are independent; its second
    // normal number is thrown away so that the state is all that there is to save.
    double u = 0, r2 = 0;
    do {
        u = static_cast<double>(next() >> 11) * 0x1p-52 - 1;
        const double v = static_cast<double>(next() >> 11) * 0x1p-52 - 1;
        r2 = u * u + v * v;
    } while (r2 >= 1 || r2 == 0);
    const double z = u * std::sqrt(-2 * portable_log(r2) / r2);
    return mean + stddev * static_cast<Real>(z);
}

void Rng::shuffle(std::vector<Index>& values) {
    for (std::size_t i = values.size(); i > 1; --i) {
        std::swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<Index>(i)))]);
    }
}

std::vector<Index> Rng::permutation(Only<Index> count) {
    check(count >= 0, "Rng::permutation: expected a count of 0 or more, got ", count);
    std::vector<Index> values;
    try {
        values.resize(static_cast<std::size_t>(count));
    } catch (const std::exception&) {  // bad_alloc or length_error
        fail("Rng::permutation: there is not enough memory for ", count, " numbers");
    }
    std::iota(values.begin(), values.end(), Index{0});
    shuffle(values);
    return values;
}

void Rng::set_state(const State& state) {
    check(state != State{}, "Rng::set_state: the state of four zeros yields nothing but zeros");
    state_ = state;
}

Rng& default_rng() {
    thread_local Rng rng(0);
    return rng;
}

void manual_seed(Only<std::uint64_t> seed) { default_rng() = Rng(seed); }

}  // namespace primer
// SPDX-License-Identifier: MIT

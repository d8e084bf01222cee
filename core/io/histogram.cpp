#include "histogram.h"

#include <algorithm>
#include <cmath>

namespace primer {
namespace {

constexpr double kSmallest = 1e-12, kGrowth = 1.1, kLargest = 1e20;

/// The limits in rising order: those below 0, 0, and those above.
std::vector<double> make_limits() {
    std::vector<double> limits{0};
    for (double limit = kSmallest; limit < kLargest; limit *= kGrowth) limits.push_back(limit);
    std::vector<double> all(limits.rbegin(), limits.rend());
    for (double& limit : all) limit = -limit;
    all.pop_back();  // one of the two zeros
    all.insert(all.end(), limits.begin(), limits.end());
    return all;
}

/// The i with limits[i] <= x < limits[i + 1]; the first or last such i for x beyond the limits. A
/// logarithm finds it up to rounding, faster than a search.
std::size_t bucket_of(double x, const std::vector<double>& limits) {
    const auto zero = std::ssize(limits) / 2;
    const double power = std::floor(std::log(std::abs(x) / kSmallest) / std::log(kGrowth));
    const auto steps = static_cast<std::ptrdiff_t>(
        std::clamp(power, -1.0, static_cast<double>(zero) - 2));  // -1: between 0 and kSmallest
    auto i = static_cast<std::size_t>(x < 0 ? zero - 2 - steps : zero + 1 + steps);
    while (i > 0 && x < limits[i]) --i;
    while (i + 2 < limits.size() && x >= limits[i + 1]) ++i;
    return i;
}

}  // namespace

Histogram make_histogram(const Tensor& values) {
    // Never destroyed, because destructors of static objects may still use it.
    static const std::vector<double>& limits = *new std::vector<double>(make_limits());
    std::vector<Index> counts(limits.size() - 1, 0);
    Histogram result;
    for (Real value : values.values()) {
        const auto x = static_cast<double>(value);
        if (!std::isfinite(x)) {
            ++result.non_finite;
            continue;
        }
        ++counts[bucket_of(x, limits)];
        result.min = result.count == 0 ? x : std::min(result.min, x);
        result.max = result.count == 0 ? x : std::max(result.max, x);
        result.sum += x;
        result.sum_of_squares += x * x;
        ++result.count;
    }
    if (result.count == 0) {
        result.limits = {0};
        result.buckets = {0};
        return result;
    }
    const auto first = static_cast<std::ptrdiff_t>(bucket_of(result.min, limits));
    const auto last = static_cast<std::ptrdiff_t>(bucket_of(result.max, limits));
    result.limits.assign(limits.begin() + first, limits.begin() + last + 2);
    result.buckets.assign(1, 0);
    result.buckets.insert(result.buckets.end(), counts.begin() + first, counts.begin() + last + 1);
    return result;
}

}  // namespace primer
// SPDX-License-Identifier: MIT

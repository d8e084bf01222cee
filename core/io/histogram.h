#pragma once

#include <cstdint>
#include <vector>

#include "../tensor.h"

namespace primer {

/// How often values fall into which bucket, as TensorBoard has it. Bucket i counts the values from
/// limits[i - 1] up to, but without, limits[i].
struct Histogram {
    double min = 0, max = 0;  ///< of the finite values; 0 if there are none
    Index count = 0;          ///< of the finite values
    Index non_finite = 0;     ///< infinite ones and NaN, which nothing else here counts
    double sum = 0, sum_of_squares = 0;
    std::vector<double> limits;
    std::vector<Index> buckets;
};

/// The histogram with the buckets that PyTorch and TensorFlow choose for TensorBoard: their limits
/// are 0 and +-1e-12 * 1.1^k below 1e20, of which those around the values are kept: one empty
/// bucket comes first, whose limit is where the first one with values begins. Values beyond the
/// last limit count in the last bucket. Without any finite value there is one bucket, of nothing.
Histogram make_histogram(const Tensor& values);

}  // namespace primer

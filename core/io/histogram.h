#pragma once

#include <cstdint>
#include <vector>

#include "../tensor.h"

namespace primer {

/// The number of values in each bucket, in TensorBoard's form. Bucket i counts the values x with
/// limits[i - 1] <= x < limits[i].
struct Histogram {
    double min = 0, max = 0;  ///< of the finite values; 0 if there are none
    Index count = 0;          ///< of the finite values
    Index non_finite = 0;     ///< infinite values and NaN, which nothing else here includes
    double sum = 0, sum_of_squares = 0;  ///< of the finite values
    std::vector<double> limits;          ///< the upper limit of each bucket, rising
    std::vector<Index> buckets;          ///< how many values each holds
};

/// The histogram with the buckets that PyTorch and TensorFlow choose for TensorBoard. The limits
/// are 0 and +-1e-12 * 1.1^k below 1e20, but only those around the values are kept. The first
/// bucket is empty, and its limit is where the first one with values begins. Values beyond the last
/// limit count in the last bucket. Without any finite value there is one empty bucket.
Histogram make_histogram(const Tensor& values);

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <functional>
#include <vector>

#include "tensor.h"

namespace primer {

/// The options of gradcheck.
struct GradcheckOptions {
    double eps = 1e-6;   ///< how far each element is moved up and down
    double atol = 1e-7;  ///< allowed |tape - numeric| ...
    double rtol = 1e-6;  ///< ... plus this times |numeric|
};

/// Compares the tape's gradients of f with central differences. The output, of any shape, is summed
/// with fixed, unequal weights, so that each of its elements gets a different gradient. Then
/// dL/dx_i is compared, for every element of every input, with (L(x_i + eps) - L(x_i - eps)) /
/// (2 eps), whose error is of the order of eps^2 and of the rounding of L over eps.
///
/// `f` must be deterministic and smooth within eps of the inputs (keep relu away from 0). Throws an
/// Error that names the worst element of the first input that disagrees. Needs the build in which
/// Real is double, primer::primer_double, because in float rounding would drown the result.
void gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
               const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <cstdint>

#include "../real.h"

namespace primer::kernels {

/// The gradient of each of several losses: that of loss i is factor * dy[i] or, if the losses were
/// reduced to one number, factor * dy[0].
struct Upstream {
    const Real* dy;
    std::int64_t step;  ///< 1, or 0 if they were reduced
    Real factor;
};

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT

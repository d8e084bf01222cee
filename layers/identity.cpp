#include "identity.h"

namespace primer {

Tensor Identity::forward(const Tensor& x) { return x; }

}  // namespace primer
// SPDX-License-Identifier: MIT

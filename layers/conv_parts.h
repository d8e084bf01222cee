#pragma once

#include <string>

#include "../core/ops.h"

// What Conv2d and ConvTranspose2d share.

namespace primer {

/// What the layer is made with. `output_padding` is 0 for Conv2d.
struct ConvParts {
    const char* type;  ///< "Conv2d"
    Index in_channels, out_channels;
    Size2 kernel_size;
    Conv2dOptions options;
    Size2 output_padding;
    bool bias;

    /// Throws Error for options out of range, and for groups that do not divide both channel
    /// counts.
    void check_options() const;
    /// The layer as PyTorch prints it.
    std::string describe() const;
};

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <optional>
#include <utility>

#include "../tensor.h"
#include "image.h"

namespace primer {

/// The options of make_grid.
struct GridOptions {
    Index nrow = 8;     ///< pictures in a row
    Index padding = 2;  ///< pixels around each
    /// Black is the smallest value of all pictures, white the largest, instead of 0 and 1.
    bool normalize = false;
    /// With normalize: the values for black and white.
    std::optional<std::pair<double, double>> value_range = {};
    /// With normalize: use each picture's own smallest and largest value.
    bool scale_each = false;
    double pad_value = 0;  ///< of the padding: 0 is black, 1 is white
    /// Whether 255 x becomes the nearest byte, as in torchvision's save_image, or is rounded down,
    /// as in torch.utils.tensorboard.
    bool round = true;
};

/// Pictures side by side, in rows: make_grid(batch.inputs, {.nrow = 8, .normalize = true}).
///
/// Works like torchvision's make_grid and save_image: `images` is [N, C, H, W] with 1 or 3 channels
/// or, for one picture, [C, H, W] or [H, W]; a single picture gets no padding. A value x becomes
/// the byte 255 x, rounded and clamped to 0 ... 255; NaN becomes 0. normalize ignores values that
/// are not finite when it looks for the smallest and largest. (Unlike torchvision's, a grid of grey
/// pictures is grey.)
///
/// Throws Error for other shapes, an nrow below 1, a padding below 0, a value_range that is not
/// finite or not in rising order, and a grid larger than Image allows.
Image make_grid(const Tensor& images, const GridOptions& options = {});

}  // namespace primer
// SPDX-License-Identifier: MIT

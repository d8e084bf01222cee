#pragma once

#include <optional>
#include <utility>

#include "../tensor.h"
#include "image.h"

namespace primer {

struct GridOptions {
    Index nrow = 8;     ///< pictures in a row
    Index padding = 2;  ///< pixels around each
    /// Black is the smallest value of all the pictures, white the largest. Without, 0 and 1 are.
    bool normalize = false;
    /// With normalize: these are black and white instead.
    std::optional<std::pair<double, double>> value_range = {};
    /// With normalize: each picture by its own smallest and largest value.
    bool scale_each = false;
    double pad_value = 0;  ///< of the padding: 0 is black, 1 is white
};

/// Pictures side by side, in rows: make_grid(batch.images, {.nrow = 8, .normalize = true}).
///
/// As torchvision's make_grid and save_image: `images` is [N, C, H, W] of 1 or 3 channels, or, for
/// one picture, [C, H, W] or [H, W]; one picture alone gets no padding. A value x becomes the byte
/// round(255 x), cut off at 0 and 255; NaN becomes 0, and what is not finite is left out when
/// normalize looks for the smallest and the largest. (Unlike there, grey pictures give a grey
/// Image.)
///
/// Throws Error for other shapes, a nrow below 1, a padding below 0, a value_range that is not
/// finite or whose ends are not in order, and for a grid beyond what Image takes.
Image make_grid(const Tensor& images, const GridOptions& options = {});

}  // namespace primer

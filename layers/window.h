#pragma once

#include <string>

#include "../core/size2.h"

// What Conv2d and the pooling layers have in common.

namespace primer {

/// A window that slides over images.
struct SlidingWindow {
    Size2 kernel, stride, padding, dilation;
    bool ceil_mode = false;  ///< the last window may reach over the edge

    /// Throws Error, naming the layer, for sizes out of range.
    void check_options(const std::string& layer) const;
    /// Throws Error, naming the layer, unless images x [N, C, H, W] have room for the window.
    void check_fits(const std::string& layer, const Shape& x) const;
};

/// As Python would write it: "(3, 2)".
std::string tuple(Size2 size);

}  // namespace primer

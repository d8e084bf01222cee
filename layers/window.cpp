#include "window.h"

#include "../core/error.h"

namespace primer {

void SlidingWindow::check_options(const std::string& layer) const {
    check_at_least(1, kernel, layer, "kernel");
    check_at_least(1, stride, layer, "stride");
    check_at_least(0, padding, layer, "padding");
    check_at_least(1, dilation, layer, "dilation");
}

void SlidingWindow::check_fits(const std::string& layer, const Shape& x) const {
    const Size2 padded{x[2] + 2 * padding.h, x[3] + 2 * padding.w};
    const Size2 covered{dilation.h * (kernel.h - 1) + 1, dilation.w * (kernel.w - 1) + 1};
    const Size2 over{ceil_mode ? stride.h - 1 : 0, ceil_mode ? stride.w - 1 : 0};
    check(padded.h + over.h >= covered.h && padded.w + over.w >= covered.w, layer, ": the input ",
          x, ", padded to ", padded, ", is smaller than the kernel, which covers ", covered,
          "; is the network too deep for images of this size?");
}

std::string tuple(Size2 size) {
    return '(' + std::to_string(size.h) + ", " + std::to_string(size.w) + ')';
}

}  // namespace primer

"""The ops of core/ops/pool2d.cpp."""

import torch.nn.functional as F

from make_fixtures import real, values


def cases(case):
    def max_pool2d(name, x, kernel, **options):
        case(f"max: {name}", lambda x: F.max_pool2d(x, kernel, **options), x=x)

    def avg_pool2d(name, x, kernel, **options):
        case(f"avg: {name}", lambda x: F.avg_pool2d(x, kernel, **options), x=x)

    negative = real(1, 2, 5, 5, low=-9, high=-5)
    padded = {"stride": 2, "padding": 1}
    for pool in (max_pool2d, avg_pool2d):
        pool("2x2", real(2, 3, 4, 6), 2)
        pool("2x2, odd image", real(2, 3, 5, 7), 2)
        pool("2x2, ceil_mode", real(1, 2, 5, 7), 2, ceil_mode=True)
        pool("3x3, stride 2, padded", real(2, 2, 7, 9), 3, **padded)
        pool("3x3, stride 1", real(1, 2, 5, 5), 3, stride=1)
        pool("3x3, padded, ceil_mode", real(1, 2, 6, 8), 3, ceil_mode=True, **padded)
        # The last window would begin beyond image and padding, so it is left out.
        no_window = {"stride": 3, "padding": 1, "ceil_mode": True}
        pool("ceil_mode, no window behind the edge", real(1, 1, 4, 4), 2, **no_window)
        pool("all negative, padded", negative, 3, **padded)
        pool("all negative, ceil_mode", negative, 2, ceil_mode=True)
        unlike = {"stride": (1, 2), "padding": (1, 0)}
        pool("unlike in height and width", real(2, 2, 7, 8), (3, 2), **unlike)
        pool("whole image", real(2, 3, 3, 5), (3, 5))
        pool("1x1, stride 2", real(1, 2, 5, 5), 1, stride=2)

    equal = values([[[[1.0, 1, 0], [1, 1, 2], [3, 2, 2]]]])
    max_pool2d("several largest", equal, 2, stride=1)
    max_pool2d("dilation 2", real(1, 2, 7, 8), 3, stride=1, dilation=2)
    max_pool2d("dilation 2, padded, stride 2", real(1, 2, 9, 7), 3, dilation=2, **padded)
    max_pool2d("dilation 2, ceil_mode", real(1, 2, 8, 7), 2, dilation=2, ceil_mode=True)

    bare = {"count_include_pad": False, **padded}
    avg_pool2d("padding not counted", real(2, 2, 7, 9), 3, **bare)
    avg_pool2d("padding not counted, ceil_mode", real(1, 2, 6, 8), 3, ceil_mode=True, **bare)

    avg_pool2d("divisor_override", real(1, 2, 5, 6), 3, divisor_override=5, **padded)

    for out in ((1, 1), (3, 2), (5, 7), (8, 3)):
        name = f"adaptive max: 5x7 to {out[0]}x{out[1]}"
        case(name, lambda x: F.adaptive_max_pool2d(x, out), x=real(2, 1, 5, 7))
    case("adaptive max: several largest", lambda x: F.adaptive_max_pool2d(x, (1, 2)), x=equal)
    for pool in (max_pool2d, avg_pool2d):
        pool("one image", real(2, 5, 4), 2)
    case("adaptive avg: one image", lambda x: F.adaptive_avg_pool2d(x, (2, 3)), x=real(2, 5, 4))
    case("adaptive max: one image", lambda x: F.adaptive_max_pool2d(x, (2, 3)), x=real(2, 5, 4))

    for out in ((1, 1), (3, 2), (2, 3), (5, 7), (7, 9), (8, 12)):
        name = f"adaptive avg: 5x7 to {out[0]}x{out[1]}"
        case(name, lambda x: F.adaptive_avg_pool2d(x, out), x=real(2, 2, 5, 7))
# SPDX-License-Identifier: MIT

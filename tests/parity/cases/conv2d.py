"""The op of core/ops/conv2d.cpp."""

import torch.nn.functional as F

from make_fixtures import real


def cases(case):
    def conv2d(name, x, weight, bias=True, **options):
        inputs = {"x": real(*x), "weight": real(*weight)}
        if bias:
            inputs["bias"] = real(weight[0])
        case(name, lambda x, w, b=None: F.conv2d(x, w, b, **options), **inputs)

    conv2d("3x3", (2, 3, 7, 9), (4, 3, 3, 3))
    conv2d("3x3, without bias", (2, 3, 5, 5), (2, 3, 3, 3), bias=False)
    conv2d("3x3, padded, one example", (1, 3, 5, 7), (4, 3, 3, 3), padding=1)
    conv2d("1x1", (2, 5, 3, 3), (3, 5, 1, 1))
    conv2d("1x1, stride 2", (2, 3, 5, 7), (4, 3, 1, 1), stride=2)
    conv2d("1x1 image", (3, 2, 1, 1), (4, 2, 3, 3), padding=1)
    conv2d("as large as the image", (2, 2, 3, 5), (3, 2, 3, 5))
    conv2d("stride 2, odd image", (2, 2, 7, 9), (3, 2, 3, 3), stride=2)
    conv2d("stride 2, padded", (1, 2, 7, 9), (3, 2, 3, 3), stride=2, padding=1)
    conv2d("stride 3, pixels left over", (1, 2, 9, 8), (2, 2, 2, 2), stride=3)
    conv2d("dilation 2", (2, 2, 7, 8), (3, 2, 3, 3), dilation=2)
    all_2 = {"stride": 2, "padding": 2, "dilation": 2}
    conv2d("dilation 2, padded, stride 2", (1, 2, 9, 7), (3, 2, 3, 3), **all_2)
    conv2d("groups", (2, 4, 5, 5), (6, 2, 3, 3), groups=2)
    conv2d("groups, stride 2, padded", (1, 6, 7, 7), (3, 2, 3, 3), groups=3, stride=2, padding=1)
    conv2d("depthwise", (2, 3, 5, 7), (3, 1, 3, 3), groups=3, padding=1)
    conv2d("depthwise, two kernels a channel", (1, 3, 5, 5), (6, 1, 3, 3), groups=3, padding=1)
    unlike = {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 3)}
    conv2d("unlike in height and width", (2, 2, 9, 8), (3, 2, 3, 2), **unlike)
    conv2d("a column", (1, 2, 7, 5), (2, 2, 5, 1), padding=(2, 0))
    conv2d("padding beyond the kernel", (1, 1, 3, 3), (2, 1, 2, 2), padding=3)
    conv2d("kernel beyond the image", (1, 2, 3, 3), (2, 2, 5, 5), padding=2)
    conv2d("many channels", (2, 17, 6, 7), (19, 17, 3, 3), padding=1)
    conv2d("no examples", (0, 2, 5, 5), (3, 2, 3, 3))
    conv2d("same", (2, 2, 4, 5), (2, 2, 3, 5), padding="same")
    conv2d("same, even kernel", (1, 2, 4, 5), (2, 2, 2, 4), padding="same")
    conv2d("same, dilation", (1, 1, 5, 4), (2, 1, 2, 4), padding="same", dilation=(3, 1))
    conv2d("valid", (1, 2, 4, 3), (2, 2, 2, 2), padding="valid")
    conv2d("one image", (2, 4, 5), (3, 2, 3, 3), padding=1)
# SPDX-License-Identifier: MIT

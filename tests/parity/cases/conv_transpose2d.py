"""The op of core/ops/conv_transpose2d.cpp."""

import torch.nn.functional as F

from make_fixtures import real


def cases(case):
    def transposed(name, x, weight, bias=True, **options):
        inputs = {"x": real(*x), "weight": real(*weight)}
        if bias:
            inputs["bias"] = real(weight[1] * options.get("groups", 1))
        case(name, lambda x, w, b=None: F.conv_transpose2d(x, w, b, **options), **inputs)

    transposed("3x3", (2, 3, 3, 4), (3, 2, 3, 3))
    transposed("3x3, without bias", (1, 2, 3, 3), (2, 3, 3, 3), bias=False)
    transposed("1x1", (2, 3, 2, 3), (3, 2, 1, 1))
    transposed("4x4, doubling", (1, 2, 3, 4), (2, 2, 4, 4), stride=2, padding=1)
    transposed("output_padding", (1, 2, 3, 3), (2, 2, 3, 3), stride=2, padding=1, output_padding=1)
    transposed("stride beyond the kernel", (1, 2, 2, 3), (2, 1, 2, 1), stride=3, output_padding=2)
    transposed("padding beyond the kernel", (1, 1, 5, 6), (1, 2, 2, 2), padding=2)
    transposed("dilation 2", (1, 2, 3, 2), (2, 2, 3, 2), dilation=2)
    transposed("output_padding by dilation", (1, 1, 3, 2), (1, 2, 2, 2), dilation=3, output_padding=2)
    transposed("groups", (2, 4, 3, 2), (4, 1, 3, 3), groups=2, padding=1)
    transposed("depthwise", (1, 3, 3, 4), (3, 1, 3, 3), groups=3, stride=2)
    unlike = {"stride": (3, 1), "padding": (0, 2), "output_padding": (1, 0), "dilation": (1, 2)}
    transposed("unlike in height and width", (1, 2, 3, 4), (2, 2, 2, 3), **unlike)
    transposed("one image", (2, 3, 2), (2, 3, 3, 3), stride=2)
    transposed("no examples", (0, 2, 3, 3), (2, 2, 3, 3))
# SPDX-License-Identifier: MIT

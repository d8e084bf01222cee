"""The ops of core/ops/normalization.cpp; each is also computed by its layer.

Rows of one value are not here: their gradients are 0, where PyTorch's are rounding errors.
"""

import torch.nn.functional as F

from make_fixtures import real


def cases(case):
    def layer_norm(name, x, dims, weight=True, bias=True, low=-2, high=2, **options):
        shape = x[len(x) - dims :]
        learnt = {"weight": real(*shape)} if weight else {}
        learnt |= {"bias": real(*shape)} if bias else {}

        def run(x, *values):
            return F.layer_norm(x, shape, **dict(zip(learnt, values)), **options)

        case(f"layer_norm: {name}", run, x=real(*x, low=low, high=high), **learnt)

    layer_norm("rows", (5, 7), 1)
    layer_norm("rows longer than a vector", (3, 70), 1)
    layer_norm("sequences", (2, 5, 7), 1)
    layer_norm("two dimensions", (3, 2, 5), 2)
    layer_norm("one example", (2, 5), 2)
    layer_norm("no rows", (0, 3), 1)
    layer_norm("no values", (3, 0), 1)
    layer_norm("eps", (5, 7), 1, eps=0.5)
    layer_norm("without bias", (5, 7), 1, bias=False)
    layer_norm("without weight and bias", (5, 7), 1, weight=False, bias=False)
    layer_norm("a bias alone", (5, 7), 1, weight=False)
    layer_norm("far from 0", (5, 7), 1, low=1000, high=1002)

    def group_norm(name, x, groups, weight=True, bias=True, **options):
        learnt = {"weight": real(x[1])} if weight else {}
        learnt |= {"bias": real(x[1])} if bias else {}

        def run(x, *values):
            return F.group_norm(x, groups, **dict(zip(learnt, values)), **options)

        case(f"group_norm: {name}", run, x=real(*x), **learnt)

    group_norm("images", (2, 6, 3, 5), 3)
    group_norm("one group", (2, 3, 4, 3), 1)
    group_norm("a group a channel", (2, 3, 5), 3)
    group_norm("sequences", (3, 4, 5), 2)
    group_norm("rows", (5, 6), 2)
    group_norm("one row", (1, 6), 2)
    group_norm("no images", (0, 4, 3), 2)
    group_norm("eps", (2, 4, 5), 2, eps=0.5)
    group_norm("without bias", (2, 4, 5), 2, bias=False)
    group_norm("without weight and bias", (2, 4, 5), 2, weight=False, bias=False)
# SPDX-License-Identifier: MIT

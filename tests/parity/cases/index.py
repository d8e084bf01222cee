"""The ops of core/ops/index.cpp."""

import torch
import torch.nn.functional as F

from make_fixtures import real, values


def cases(case):
    for dim in (0, 1, -1):
        case(
            f"index_select: dim {dim}",
            lambda x, index: torch.index_select(x, dim, index),
            x=real(4, 5, 3),
            index=values([2, 0, 2, 1]),
        )
    case(
        "index_select: of a scalar",
        lambda x, index: torch.index_select(x, 0, index),
        x=real(),
        index=values([0]),
    )
    words = values([[3, 0, 3], [5, 0, 1]])
    case("embedding", lambda index, weight: F.embedding(index, weight), index=words, weight=real(6, 4))
    for padding in (0, -3):
        case(
            f"embedding: padding {padding}",
            lambda index, weight: F.embedding(index, weight, padding_idx=padding),
            index=words,
            weight=real(6, 4),
        )
# SPDX-License-Identifier: MIT

"""The op of core/ops/pad.cpp."""

import torch.nn.functional as F

from make_fixtures import real


def cases(case):
    case("pad: last dimension", lambda x: F.pad(x, [2, 1]), x=real(2, 3))
    case("pad: a value", lambda x: F.pad(x, [1, 0, 2, 1], value=-1.5), x=real(2, 3, 4))
    case("pad: taking away", lambda x: F.pad(x, [-1, 2, 1, -2], value=3), x=real(2, 3, 4))
    case("pad: three dimensions", lambda x: F.pad(x, [0, 1, 1, 0, 1, 1]), x=real(2, 2, 3))
    case("pad: reflected", lambda x: F.pad(x, [2, 3], mode="reflect"), x=real(2, 3, 4))
    case("pad: images reflected", lambda x: F.pad(x, [3, 1, 0, 2], mode="reflect"), x=real(2, 1, 3, 4))
    case("pad: reflected and cut", lambda x: F.pad(x, [-1, 3], mode="reflect"), x=real(2, 4))
    case(
        "pad: volumes reflected",
        lambda x: F.pad(x, [1, 1, 2, 0, 0, 1], mode="reflect"),
        x=real(1, 2, 2, 3, 2),
    )
# SPDX-License-Identifier: MIT

"""The ops of core/ops/view.cpp."""

import torch

from make_fixtures import real


def cases(case):
    case("reshape", lambda x: x.reshape(5, -1), x=real(2, 3, 5))
    case("flatten", lambda x: x.flatten(), x=real(2, 3, 5))
    case("flatten: from 1", lambda x: x.flatten(1), x=real(2, 3, 5))
    case("flatten: 1 to 2", lambda x: x.flatten(1, 2), x=real(2, 3, 1, 2))
    case("transpose: 2 dimensions", lambda x: x.transpose(0, 1), x=real(3, 5))
    case("transpose: outer dimensions", lambda x: x.transpose(0, -1), x=real(2, 3, 5))
    case("transpose: inner dimensions", lambda x: x.transpose(1, 2), x=real(2, 3, 5))
    case("slice", lambda x: x[1:3], x=real(5, 3))
    case("slice: nothing", lambda x: x[2:2], x=real(5, 3))
    case(
        "concat: rows",
        lambda a, b, c: torch.cat([a, b, c]),
        a=real(2, 3),
        b=real(1, 3),
        c=real(4, 3),
    )
    case("concat: columns", lambda a, b: torch.cat([a, b], -1), a=real(2, 3), b=real(2, 1))
    case(
        "concat: middle dimension",
        lambda a, b: torch.cat([a, b], 1),
        a=real(2, 1, 3),
        b=real(2, 2, 3),
    )
    case("concat: one tensor twice", lambda x: torch.cat([x, x]), x=real(2, 3))
    case("expand", lambda x: x.expand(2, 3, 5), x=real(3, 1))
    case("permute", lambda x: x.permute(2, 0, 1), x=real(2, 3, 5))
    case("permute: 4 dimensions", lambda x: x.permute(0, -1, 1, 2), x=real(2, 3, 4, 5))
    case("squeeze", lambda x: x.squeeze(), x=real(1, 3, 1, 2))
    case("squeeze: one dimension", lambda x: x.squeeze(-2), x=real(1, 3, 1, 2))
    case("unsqueeze", lambda x: x.unsqueeze(-1), x=real(2, 3))
    case("slice: columns", lambda x: x[:, 1:4], x=real(3, 5, 2))
    case("slice: with a step", lambda x: x[:, -4:5:3], x=real(3, 5))
    case("slice: rows, with a step", lambda x: x[0:5:2], x=real(5, 3))
    case("select", lambda x: x.select(1, -2), x=real(2, 4, 3))
    case("index", lambda x: x[1], x=real(2, 4, 3))
    case("split", lambda x: torch.split(x, 2, 1)[1] * torch.split(x, 2, 1)[0], x=real(3, 5))
    case("split: sizes", lambda x: torch.split(x, [1, 4])[1], x=real(5, 3))
    case("chunk", lambda x: torch.chunk(x, 3, -1)[2], x=real(2, 7))
    case("stack", lambda a, b: torch.stack([a, b, a]), a=real(2, 3), b=real(2, 3))
    case("stack: last dimension", lambda a, b: torch.stack([a, b], -1), a=real(2, 3), b=real(2, 3))
# SPDX-License-Identifier: MIT

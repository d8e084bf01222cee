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

"""The ops of core/ops/compare.cpp."""

import torch

from make_fixtures import real, values


def cases(case):
    for name, op in {"maximum": torch.maximum, "minimum": torch.minimum}.items():
        case(f"{name}: one shape", op, a=real(3, 5), b=real(3, 5))
        case(f"{name}: a column and a row", op, a=real(3, 1), b=real(5))
        case(f"{name}: both repeated", op, a=real(2, 1, 3), b=real(1, 4, 1))
        case(f"{name}: a scalar", op, a=real(), b=real(7))
        case(f"{name}: no elements", op, a=real(0, 3), b=real(3))
        case(f"{name}: ties", op, a=values([1.0, 2, 3, 0]), b=values([1.0, 0, 4, 0]))
    case("clamp", lambda x: x.clamp(-0.75, 1.25), x=real(4, 5))
    case("clamp: at the bounds", lambda x: x.clamp(-1, 2), x=values([-3.0, -1, 0, 2, 5]))
    case("clamp: bounds that cross", lambda x: x.clamp(1, -1), x=real(7))
    case("clamp_min", lambda x: x.clamp_min(0.25), x=real(3, 5))
    case("clamp_max", lambda x: x.clamp_max(0.25), x=real(3, 5))
    condition = real(3, 1, grad=False)
    case("where", lambda c, a, b: torch.where(c > 0, a, b), c=condition, a=real(5), b=real(3, 5))
    case("where: numbers", lambda x: torch.where(x > 0.5, x, 0.5), x=real(3, 5))
    mask = values([1.0, 0, 2, -1], grad=False)
    case("where: not 0", lambda c, a, b: torch.where(c.bool(), a, b), c=mask, a=real(4), b=real())
    comparisons = {"lt": torch.lt, "le": torch.le, "gt": torch.gt}
    comparisons |= {"ge": torch.ge, "eq": torch.eq, "ne": torch.ne}
    a = values([1.0, 2, 3, 0, -1], grad=False)
    for name, op in comparisons.items():
        run = lambda a, b, f=op: f(a, b).double()
        case(f"{name}: ties", run, a=a, b=values([1.0, 0, 4, 0, 1], grad=False))
        row, column = real(5, grad=False), real(3, 1, grad=False)
        case(f"{name}: a column and a row", run, a=column, b=row)
# SPDX-License-Identifier: MIT

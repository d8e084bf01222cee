"""The ops of core/ops/reduce.cpp."""

import torch

from make_fixtures import real, values


def cases(case):
    for name, op in {"sum": torch.sum, "mean": torch.mean}.items():
        case(f"{name}: all", op, x=real(3, 5))
        case(f"{name}: of a scalar", op, x=real())
        case(f"{name}: dim 0", lambda x: op(x, 0), x=real(3, 5, 2))
        case(f"{name}: dim 1", lambda x: op(x, 1), x=real(3, 5, 2))
        case(f"{name}: dim -1, kept", lambda x: op(x, -1, keepdim=True), x=real(3, 5, 2))
    case("sum: no elements", torch.sum, x=real(0, 3))
    case("max: all", torch.max, x=real(3, 5))
    case("max: all, shared", torch.max, x=values([[1.0, 3, 3], [-4, 3, 0]]))
    ties = values([[1.0, 3, 3], [-4, -1, -4], [2, 2, 2]])
    case("max: dim 0", lambda x: torch.max(x, 0).values, x=real(3, 5, 2))
    case("max: dim 1, first of the largest", lambda x: torch.max(x, 1).values, x=ties)
    case("max: dim -1, kept", lambda x: torch.max(x, -1, keepdim=True).values, x=real(3, 5, 2))
    case("max: all negative", lambda x: torch.max(x, 1).values, x=real(3, 5, low=-9, high=-5))
    case("argmax: all", lambda x: torch.argmax(x).double(), x=real(3, 5))
    case("argmax: dim 1", lambda x: torch.argmax(x, 1).double(), x=real(3, 5, 2))
    case("argmax: dim 0, kept", lambda x: torch.argmax(x, 0, keepdim=True).double(), x=real(3, 5))

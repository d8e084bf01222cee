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
    case("min: all, shared", torch.min, x=values([[1.0, -3, -3], [4, -3, 0]]))
    case("min: dim 1, first of the smallest", lambda x: torch.min(x, 1).values, x=ties)
    case("min: dim 0, kept", lambda x: torch.min(x, 0, keepdim=True).values, x=real(3, 5, 2))
    case("argmin: all", lambda x: torch.argmin(x).double(), x=real(3, 5))
    case("argmin: dim 1, kept", lambda x: torch.argmin(x, 1, keepdim=True).double(), x=real(3, 5, 2))
    case("argmax: all", lambda x: torch.argmax(x).double(), x=real(3, 5))
    case("argmax: dim 1", lambda x: torch.argmax(x, 1).double(), x=real(3, 5, 2))
    case("argmax: dim 0, kept", lambda x: torch.argmax(x, 0, keepdim=True).double(), x=real(3, 5))
    several(case)


# The ops over a list of dimensions, each as a function of x, dims and keepdim.
OPS = {
    "sum": torch.sum,
    "mean": torch.mean,
    "amax": torch.amax,
    "amin": torch.amin,
    "var": lambda x, dims, keepdim: torch.var(x, dims, keepdim=keepdim),
    "var, correction 0": lambda x, dims, keepdim: torch.var(x, dims, correction=0, keepdim=keepdim),
    "stddev": lambda x, dims, keepdim: torch.std(x, dims, keepdim=keepdim),
    "stddev, correction 0.5": lambda x, d, keepdim: torch.std(x, d, correction=0.5, keepdim=keepdim),
    "logsumexp": torch.logsumexp,
}
for p in (2, 1, 3, 1.5, 0.5, -1, -2, float("inf"), -float("inf")):
    OPS[f"norm {p:g}"] = lambda x, d, keepdim, p=p: torch.linalg.vector_norm(x, p, d, keepdim)


def several(case):
    for name, op in OPS.items():
        case(f"{name}: 0 2", lambda x: op(x, [0, 2], False), x=real(2, 3, 2))
        case(f"{name}: -1 1, kept", lambda x: op(x, [-1, 1], True), x=real(2, 3, 2))
        case(f"{name}: 2 0 1", lambda x: op(x, [2, 0, 1], False), x=real(2, 3, 2))
    for name in ("amax", "amin"):
        op = OPS[name]
        case(f"{name}: ties", lambda x: op(x, (0, 1)), x=values([[1.0, 3, 3], [1, 3, 1]]))
# SPDX-License-Identifier: MIT

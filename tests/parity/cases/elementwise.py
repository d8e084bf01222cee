"""The ops of core/ops/elementwise.cpp and core/ops/unary.cpp."""

import torch

from make_fixtures import real, values


def cases(case):
    for name, op in {"add": torch.add, "sub": torch.sub, "mul": torch.mul}.items():
        case(f"{name}: one shape", op, a=real(3, 5), b=real(3, 5))
        case(f"{name}: a column and a row", op, a=real(3, 1), b=real(5))
        case(f"{name}: both repeated", op, a=real(2, 1, 3), b=real(1, 4, 1))
        case(f"{name}: a scalar", op, a=real(), b=real(7))
        case(f"{name}: no elements", op, a=real(0, 3), b=real(3))
    case("div: one shape", torch.div, a=real(3, 5), b=real(3, 5, low=1, high=3))
    case("div: negative divisors", torch.div, a=real(7), b=real(7, low=-4, high=-1))
    case("div: both repeated", torch.div, a=real(2, 1, 3), b=real(1, 4, 1, low=1, high=3))
    case("pow: one shape", torch.pow, a=real(3, 5, low=1, high=4), b=real(3, 5))
    case("pow: both repeated", torch.pow, a=real(2, 1, low=1, high=4), b=real(3))
    case("pow: negative numbers, cubed", lambda a: a**3, a=real(7, low=-3, high=-1))
    case("pow: zeros", torch.pow, a=values([0.0, 0, 0, 0]), b=values([0.0, 1, 2, 3.5]))
    case("neg", torch.neg, x=real(3, 5))
    case("exp", torch.exp, x=real(3, 5, low=-20, high=20))
    case("log", torch.log, x=real(3, 5, low=1, high=100))
    case("sqrt", torch.sqrt, x=real(3, 5, low=1, high=100))
    case("abs", torch.abs, x=real(3, 5))
    case("abs: zeros", torch.abs, x=values([0.0, -1, 0]))
    case("sin", torch.sin, x=real(3, 5, low=-20, high=20))
    case("cos", torch.cos, x=real(3, 5, low=-20, high=20))
    case("mul: one tensor twice", lambda x: x * x, x=real(7))
    case(
        "a number, and one tensor in many places",
        lambda x: (1 - x) * (x + 3) / (x * x + 1),
        x=real(7),
    )
# SPDX-License-Identifier: MIT

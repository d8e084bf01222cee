"""The functions of core/creation.cpp, which have no inputs."""

import torch


def cases(case):
    double = torch.float64
    case("arange", lambda: torch.arange(7, dtype=double))
    case("arange from to", lambda: torch.arange(-2.5, 4, dtype=double))
    case("arange with a step", lambda: torch.arange(0, 1, 0.1, dtype=double))
    case("arange that ends at a step", lambda: torch.arange(1, 2, 0.125, dtype=double))
    case("arange downwards", lambda: torch.arange(3, -2, -0.75, dtype=double))
    case("arange of nothing", lambda: torch.arange(3, 3, -1, dtype=double))
    case("linspace", lambda: torch.linspace(-1, 2, 10, dtype=double))
    case("linspace of an odd number", lambda: torch.linspace(0.1, 0.7, 7, dtype=double))
    case("linspace downwards", lambda: torch.linspace(5, -5, 4, dtype=double))
    case("linspace of one", lambda: torch.linspace(3, 9, 1, dtype=double))
    case("linspace of none", lambda: torch.linspace(3, 9, 0, dtype=double))
    case("eye", lambda: torch.eye(3, dtype=double))
    case("eye, wide", lambda: torch.eye(2, 4, dtype=double))
    case("eye, tall", lambda: torch.eye(4, 2, dtype=double))
    case("tensor", lambda: torch.tensor([[[1.0], [2.5]], [[3.0], [-4.0]]], dtype=double))
    case("tensor of nothing", lambda: torch.tensor([[], []], dtype=double))
# SPDX-License-Identifier: MIT

"""The ops of core/ops/matmul.cpp."""

import torch
import torch.nn.functional as F

from make_fixtures import real


def cases(case):
    case("matmul: odd sizes", torch.matmul, a=real(3, 7), b=real(7, 5))
    case("matmul: a row times a column", torch.matmul, a=real(1, 9), b=real(9, 1))
    case("matmul: a column times a row", torch.matmul, a=real(9, 1), b=real(1, 4))
    case("matmul: past one block", torch.matmul, a=real(17, 37), b=real(37, 19))
    case("matmul: nothing to add up", torch.matmul, a=real(2, 0), b=real(0, 3))
    case("matmul: a batch", torch.matmul, a=real(3, 2, 5), b=real(3, 5, 4))
    case("matmul: a batch times one", torch.matmul, a=real(3, 2, 5), b=real(5, 4))
    case("matmul: one times a batch", torch.matmul, a=real(2, 5), b=real(3, 5, 4))
    case("matmul: a batch of one", torch.matmul, a=real(1, 2, 5), b=real(3, 5, 4))
    case("matmul: two vectors", torch.matmul, a=real(5), b=real(5))
    case("matmul: a matrix times a vector", torch.matmul, a=real(3, 5), b=real(5))
    case("matmul: a vector times a matrix", torch.matmul, a=real(5), b=real(5, 4))
    case("matmul: a batch times a vector", torch.matmul, a=real(2, 3, 5), b=real(5))
    case("matmul: a vector times a batch", torch.matmul, a=real(5), b=real(2, 5, 4))
    case("matmul: a large batch", torch.matmul, a=real(2, 3, 2, 5), b=real(2, 3, 5, 4))
    case("matmul: a large batch times one", torch.matmul, a=real(2, 3, 2, 5), b=real(5, 4))
    case("matmul: one times a large batch", torch.matmul, a=real(2, 5), b=real(2, 3, 5, 4))
    case("matmul: batches that broadcast", torch.matmul, a=real(3, 1, 2, 5), b=real(2, 5, 4))
    case("matmul: part of a batch repeated", torch.matmul, a=real(2, 3, 2, 5), b=real(2, 1, 5, 4))
    case("linear", F.linear, x=real(5, 7), weight=real(3, 7), bias=real(3))
    case("linear: one example", F.linear, x=real(1, 7), weight=real(3, 7), bias=real(3))
    case("linear: without bias", F.linear, x=real(5, 7), weight=real(3, 7))
    case("linear: more dimensions", F.linear, x=real(2, 3, 5), weight=real(4, 5), bias=real(4))
    case("linear: only features", F.linear, x=real(5), weight=real(4, 5), bias=real(4))
# SPDX-License-Identifier: MIT

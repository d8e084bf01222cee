#!/usr/bin/env python3
"""Makes tensor_texts.safetensors and tensor_texts.txt: tensors, and how PyTorch prints them.

    pip install torch==2.13.0 safetensors numpy && python3 tests/parity/tensor_texts.py

tests/test_print.cpp prints the same tensors and compares. A name that ends in "requires_grad" is
that of a tensor that asks for its gradient. The values are float32, which both builds of the tests
have exactly.
"""

import math
import pathlib
import random

import torch
from safetensors.torch import save

HERE = pathlib.Path(__file__).resolve().parent
PYTORCH = "2.13.0"
INF, NAN = math.inf, math.nan

TENSORS = {}


def add(name, tensor):
    assert name not in TENSORS
    TENSORS[name] = tensor


def numbers(*shape, seed, digits=4, scale=1.0):
    """Random numbers of so many digits after the point."""
    source = random.Random(seed)
    count = math.prod(shape)
    rounded = [round(source.gauss(0, scale), digits) for _ in range(count)]
    return torch.tensor(rounded, dtype=torch.float32).reshape(shape)


# Listed values.
LISTS = {
    "fraction": 3.5,
    "whole": -3.0,
    "zero": 0.0,
    "minus zero": -0.0,
    "nan": NAN,
    "inf": INF,
    "minus inf": -INF,
    "large": 1e10,
    "small": 1.5e-10,
    "one": [7.0],
    "whole numbers": [1.0, 2.0, 3.0],
    "one fraction": [-1.0, 10.0, 3.5],
    "thirds": [1 / 3, 2 / 3, 1.0],
    "ties": [0.03125, 0.09375, 0.00025, 1.00005],
    "rounded up": [0.99999, 1.0],
    "zeros of both signs": [-0.0, 0.0],
    "a zero wider than the numbers": [-0.0, 1.0],
    "zeros beside fractions": [-0.0, 0.0, 0.5],
    "nan beside numbers": [1.0, NAN, 2.5],
    "nan wider than the numbers": [1.0, NAN, -INF, 0.0],
    "only nan and inf": [NAN, INF, -INF],
    "only nan and zero": [NAN, 0.0, -0.0],
    "nan beside exponents": [1e-9, NAN, -INF, INF, 0.0],
    "largest ratio": [1.0, 1000.0],
    "more than that": [1.0, 1001.0],
    "fractions, largest ratio": [0.5, 500.0],
    "fractions, more than that": [0.5, 500.25],
    "largest without exponent": [1e8, 5e7],
    "larger": [100000008.0],
    "smallest without exponent": [1.001e-4],
    "smaller": [0.99e-4],
    "wide range": [1.23456e20, 1.0, -3.7e-20],
    "largest float": [3.4028234663852886e38, -3.4028234663852886e38],
    "subnormal": [1e-45, 1e-40],
    "two rows": [[1.0, 2.0, 3.0], [4.0, 5.5, 6.25]],
    "a row": [[1.5, -2.5]],
    "a column": [[1.0], [20.0], [-300.0]],
    "signs": [[-1.0, 2.0], [3.0, 4.0]],
    "three dimensions": [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]],
    "four dimensions": [[[[0.0], [1.0]]], [[[2.0], [3.0]]]],
    "six dimensions": [[[[[[0.5]]]]]],
    "one: requires_grad": 2.5,
    "few: requires_grad": [1.0, 2.0],
    "two rows: requires_grad": [[1.0, 2.0], [3.0, 4.0]],
}
for name, values in LISTS.items():
    add(name, torch.tensor(values, dtype=torch.float32))

# Without elements.
add("empty", torch.zeros(0))
add("empty matrix", torch.zeros(0, 3))
add("empty, three dimensions", torch.zeros(2, 0, 3))
add("empty: requires_grad", torch.zeros(2, 0))

# Random numbers, whose rows break at the end of the line.
for shape in [(5,), (8,), (40,), (3, 4), (2, 9), (3, 25), (1, 1, 12), (2, 3, 5), (2, 2, 3, 7)]:
    name = "random " + "x".join(map(str, shape))
    add(name, numbers(*shape, seed=name))
    add(name + ", two digits", numbers(*shape, seed=name, digits=2, scale=30))
    add(name + ", whole", numbers(*shape, seed=name, digits=0, scale=200))
    add(name + ", wide", numbers(*shape, seed=name, digits=9).pow(7))
for count in range(1, 14):  # where "requires_grad=True" no longer fits into the line
    add(f"{count} numbers: requires_grad", numbers(count, seed=count).abs())
add("the longest line with it: requires_grad", torch.full((1, 7), 1000.0))
add("a column more: requires_grad", torch.full((1, 10), 10.0))

# Rows of numbers of every width.
for digits in range(1, 9):
    for shape in [(30,), (1, 30), (1, 1, 30)]:
        text = "x".join(map(str, shape))
        add(f"{digits} digits, {text}", torch.full(shape, 10.0 ** (digits - 1)))
add("ones and a quarter", torch.tensor([1.0] * 19 + [0.25]))

# More than 1000 elements: the first and last three along each dimension.
add("1000 elements", torch.arange(1000.0))
add("1001 elements", torch.arange(1001.0))
add("84x12", torch.arange(1008.0).reshape(84, 12))
add("167x6", torch.zeros(167, 6))
add("7x1x150", torch.zeros(7, 1, 150))
add("2x3x170", numbers(2, 3, 170, seed="2x3x170"))
add("9x8x7x2", numbers(9, 8, 7, 2, seed="9x8x7x2"))
add("1001x1: requires_grad", numbers(1001, 1, seed="1001x1"))
hidden = torch.ones(1001)
hidden[500], hidden[501], hidden[502] = 1e20, NAN, 0.5
add("what is not shown", hidden)

# Whole numbers.
add("int", torch.tensor(5))
add("ints", torch.tensor([1, 20, -3]))
add("rows of ints", torch.tensor([[1, 2], [3, 400]]))
add("the least int", torch.tensor([-(2**63), 2**63 - 1]))
add("30 ints", torch.arange(90, 120))
add("2x40 ints", torch.arange(80).reshape(2, 40))
add("1001 ints", torch.arange(1001))

assert torch.__version__.split("+")[0] == PYTORCH, f"expected PyTorch {PYTORCH}"
texts = []
for name, tensor in TENSORS.items():
    printed = tensor.clone().requires_grad_() if name.endswith("requires_grad") else tensor
    texts.append(f"== {name}\n{printed!r}\n")
(HERE / "tensor_texts.txt").write_text("".join(texts))
made_by = {"made by": f"tests/parity/tensor_texts.py with PyTorch {torch.__version__}"}
(HERE / "tensor_texts.safetensors").write_bytes(save(TENSORS, made_by))
# SPDX-License-Identifier: MIT

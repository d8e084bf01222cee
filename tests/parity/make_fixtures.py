#!/usr/bin/env python3
"""Makes the fixtures: what PyTorch computes, for the tests to compare with.

    pip install torch==2.13.0 safetensors numpy && python3 tests/parity/make_fixtures.py

Each file in cases/ becomes one fixture: cases/conv2d.py makes conv2d.safetensors. To add a case,
add one call of case() there, run this script, and add one line with the case's name to the list
in tests/test_parity_*.cpp that reads the fixture. The cases that are there already come out the
same again, on one machine to the last bit. The tests need neither Python nor PyTorch.

PyTorch computes in float64. The inputs are multiples of 1/64, so float has them exactly, too.
"""

import importlib
import pathlib
import random
import sys

import torch
from safetensors.torch import save

HERE = pathlib.Path(__file__).resolve().parent
PYTORCH = "2.13.0"


class real:
    """An input of this shape: random multiples of 1/64 from [low, high).

    grad=False: no gradient with respect to it.
    """

    def __init__(self, *shape, low=-2, high=2, grad=True):
        self.shape, self.low, self.high, self.grad = shape, low, high, grad

    def tensor(self, seed):
        numbers = random.Random(seed)  # gives the same for a seed in every version of Python
        low, high = int(self.low * 64), int(self.high * 64)
        count = torch.Size(self.shape).numel()
        x = torch.tensor([numbers.randrange(low, high) / 64 for _ in range(count)]).double()
        return x.reshape(self.shape).requires_grad_(self.grad)


class values:
    """An input with exactly these values; whole numbers are labels or the like."""

    def __init__(self, rows, grad=True):
        self.rows, self.grad = rows, grad

    def tensor(self, seed):
        if not torch.tensor(self.rows).is_floating_point():
            return torch.tensor(self.rows)
        return torch.tensor(self.rows, dtype=torch.float64, requires_grad=self.grad)


class Fixture:
    def __init__(self):
        self.tensors = {}

    def case(self, name, function, after=(), **inputs):
        """Stores the inputs, function of them, and the gradient of every input.

        The upstream gradient, dy, is random, too. `after` names the inputs that
        function changes in place: their new values are stored.
        """
        assert "/" not in name and f"{name}/out" not in self.tensors, name
        x = {key: spec.tensor(f"{name}/{key}") for key, spec in inputs.items()}
        stored = {f"in.{key}": tensor.detach().clone() for key, tensor in x.items()}
        out = function(*x.values())
        stored["out"] = out
        if out.requires_grad:
            dy = upstream(out.shape, f"{name}/dy")
            out.backward(dy)
            stored["dy"] = dy
            stored |= {f"grad.{k}": tensor.grad for k, tensor in x.items() if tensor.requires_grad}
        stored |= {f"after.{key}": x[key] for key in after}
        for key, tensor in stored.items():
            assert tensor.dtype in (torch.float64, torch.int64), (name, key, tensor.dtype)
            self.tensors[f"{name}/{key}"] = tensor.detach().clone().contiguous()


def upstream(shape, seed):
    """Uneven, and nowhere 0: 1/4 to 2, of either sign."""
    size = real(*shape, low=1, high=8, grad=False).tensor(seed) / 4
    return size * torch.where(real(*shape, grad=False).tensor(seed + "/sign") < 0, -1.0, 1.0)


def main():
    assert torch.__version__.split("+")[0] == PYTORCH, f"expected PyTorch {PYTORCH}"
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    sys.path.insert(0, str(HERE))
    sys.modules["make_fixtures"] = sys.modules["__main__"]  # one copy, for the files in cases/
    for path in sorted((HERE / "cases").glob("*.py")):
        fixture = Fixture()
        importlib.import_module(f"cases.{path.stem}").cases(fixture.case)
        # One entry only: the library writes several in any order.
        made_by = {"made by": f"tests/parity/make_fixtures.py with PyTorch {torch.__version__}"}
        (HERE / f"{path.stem}.safetensors").write_bytes(save(fixture.tensors, made_by))


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT

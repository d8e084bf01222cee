#!/usr/bin/env python3
"""Makes mlp_losses.txt: the first 20 losses of the 784-256-128-10 MLP, trained by PyTorch.

    pip install torch==2.13.0 numpy && python3 tests/parity/mlp_losses.py

Weights and batches are not stored but computed, here and in tests/test_parity_mlp.cpp, by the same
formula, whose every step is exact: see `noise`. The tests need neither Python nor PyTorch.
"""

import os

import numpy as np
import torch

STEPS, BATCH, IN, CLASSES = 20, 64, 784, 10
SIZES = [IN, 256, 128, CLASSES]


def noise(salt, count):
    """count numbers in [-1, 1): a multiplicative hash of (salt, i), 32 bits each."""
    i = np.arange(count, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    h = (i * np.uint64(2654435761) + np.uint64(salt * 40503 + 12345)) & mask
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(13)
    return h.astype(np.float64) / 2.0**31 - 1.0


def model(dtype):
    layers = []
    for k, (fan_in, fan_out) in enumerate(zip(SIZES, SIZES[1:])):
        linear = torch.nn.Linear(fan_in, fan_out, dtype=dtype)
        bound = 0.0625 if k == 0 else 0.125
        weight = noise(k + 1, fan_in * fan_out) * bound
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.reshape(fan_out, fan_in)))
            linear.bias.zero_()
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def batch(step, dtype):
    """Example n is noise around a pattern of its label, n mod 10: something to learn."""
    labels = np.arange(BATCH) % CLASSES
    patterns = noise(99, CLASSES * IN).reshape(CLASSES, IN)
    x = 0.5 * noise(100 + step, BATCH * IN).reshape(BATCH, IN) + 0.25 * patterns[labels]
    return torch.from_numpy(x).to(dtype), torch.from_numpy(labels)


def train(dtype):
    net = model(dtype)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step in range(STEPS):
        x, labels = batch(step, dtype)
        loss = torch.nn.functional.cross_entropy(net(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    norms = [p.detach().double().norm().item() for p in net.parameters()]
    return losses, norms


def main():
    torch.set_num_threads(1)
    single, single_norms = train(torch.float32)
    double, double_norms = train(torch.float64)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mlp_losses.txt")
    with open(path, "w") as out:
        out.write(f"# made by mlp_losses.py with PyTorch {torch.__version__}\n")
        out.write("# what  number  in float32  in float64\n")
        for what, a, b in (("loss", single, double), ("norm", single_norms, double_norms)):
            for i, (s, d) in enumerate(zip(a, b)):
                out.write(f"{what} {i} {s:.9g} {d:.17g}\n")


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT

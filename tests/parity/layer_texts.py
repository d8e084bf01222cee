#!/usr/bin/env python3
"""Makes layer_texts.txt: the layers as PyTorch prints them, for tests/test_parity_texts.cpp.

    pip install torch==2.13.0 && python3 tests/parity/layer_texts.py
"""

import pathlib

import torch
from torch import nn

MODELS = {
    "linear": nn.Linear(784, 10),
    "linear without bias": nn.Linear(1, 2, bias=False),
    "conv": nn.Conv2d(3, 8, 3),
    "conv, all options": nn.Conv2d(
        4, 8, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, bias=False
    ),
    "conv, square options": nn.Conv2d(4, 4, 3, stride=2, padding=1, dilation=2, groups=4),
    "conv, same": nn.Conv2d(3, 8, (3, 2), padding="same", dilation=2),
    "conv, valid": nn.Conv2d(3, 8, 3, padding="valid"),
    "transposed conv": nn.ConvTranspose2d(3, 8, 3),
    "transposed conv, all options": nn.ConvTranspose2d(
        4, 8, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(0, 2), groups=2, bias=False,
        dilation=(1, 2),
    ),
    "batch norm 1d": nn.BatchNorm1d(7),
    "batch norm 2d": nn.BatchNorm2d(64),
    "batch norm, whole numbers": nn.BatchNorm2d(3, eps=1.0, momentum=1.0),
    "batch norm, small numbers": nn.BatchNorm2d(3, eps=1e-3, momentum=0.0),
    "batch norm, smaller numbers": nn.BatchNorm1d(3, eps=1.25e-7, momentum=0.00012),
    "batch norm, nothing learnt": nn.BatchNorm1d(3, affine=False),
    "batch norm, an average": nn.BatchNorm2d(3, momentum=None),
    "batch norm, nothing kept": nn.BatchNorm2d(3, affine=False, track_running_stats=False),
    "layer norm": nn.LayerNorm(10),
    "layer norm, two dimensions": nn.LayerNorm((3, 4), eps=1e-3),
    "layer norm, nothing learnt": nn.LayerNorm(10, elementwise_affine=False),
    "layer norm, no bias": nn.LayerNorm((2, 3, 4), bias=False),
    "group norm": nn.GroupNorm(2, 4),
    "group norm, nothing learnt": nn.GroupNorm(1, 3, eps=1.0, affine=False),
    "group norm, no bias": nn.GroupNorm(3, 3, bias=False),
    "dropout": nn.Dropout(),
    "dropout of all": nn.Dropout(1.0),
    "dropout of none": nn.Dropout(0.0),
    "dropout of a third": nn.Dropout(1 / 3),
    "dropout 2d": nn.Dropout2d(0.25),
    "max pool": nn.MaxPool2d(2),
    "max pool, all options": nn.MaxPool2d(
        (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), ceil_mode=True
    ),
    "max pool, square options": nn.MaxPool2d(3, stride=2, padding=1, dilation=2),
    "avg pool": nn.AvgPool2d(2),
    "avg pool, all options": nn.AvgPool2d((3, 2), (2, 1), (1, 0), True, False),
    "adaptive pool": nn.AdaptiveAvgPool2d(1),
    "adaptive pool, not square": nn.AdaptiveAvgPool2d((3, 2)),
    "adaptive max pool": nn.AdaptiveMaxPool2d(1),
    "adaptive max pool, not square": nn.AdaptiveMaxPool2d((3, 2)),
    "embedding": nn.Embedding(10, 3),
    "embedding, padding": nn.Embedding(10, 3, padding_idx=-1),
    "flatten": nn.Flatten(),
    "flatten some": nn.Flatten(0, 2),
    "identity": nn.Identity(),
    "relu": nn.ReLU(),
    "relu in place": nn.ReLU(inplace=True),
    "leaky relu": nn.LeakyReLU(),
    "leaky relu in place": nn.LeakyReLU(1.0, inplace=True),
    "prelu": nn.PReLU(),
    "prelu of channels": nn.PReLU(12),
    "elu": nn.ELU(),
    "elu, alpha": nn.ELU(0.1),
    "relu6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(),
    "hardtanh, options": nn.Hardtanh(-2.5, 1e-5),
    "celu": nn.CELU(),
    "celu, alpha": nn.CELU(0.1),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "gelu, tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "sigmoid": nn.Sigmoid(),
    "log sigmoid": nn.LogSigmoid(),
    "tanh": nn.Tanh(),
    "softplus": nn.Softplus(),
    "softplus, options": nn.Softplus(beta=1e-5, threshold=1e16),
    "softsign": nn.Softsign(),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardswish": nn.Hardswish(),
    "glu": nn.GLU(),
    "glu, dim": nn.GLU(dim=1),
    "softmax": nn.Softmax(dim=1),
    "log softmax": nn.LogSoftmax(dim=-1),
    "sequential of none": nn.Sequential(),
    "sequential": nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.Sequential(nn.BatchNorm2d(4), nn.ReLU()),
        nn.Sequential(),
        nn.Flatten(),
        nn.Linear(4, 2),
    ),
}

assert torch.__version__.split("+")[0] == "2.13.0", "expected PyTorch 2.13.0"
texts = "".join(f"== {name}\n{model}\n" for name, model in MODELS.items())
pathlib.Path(__file__).with_name("layer_texts.txt").write_text(texts)
# SPDX-License-Identifier: MIT

"""PyTorch: the networks, its modes, and what the other peers are checked against.

Without a mode it runs eagerly with its defaults: oneDNN and MKL on. ReLU(inplace=True) makes it no
faster.
"""

import contextlib
import os

import torch
from torch import nn

from .networks import NETWORKS


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


def layer(kind, *sizes):
    match kind:
        case "linear": return nn.Linear(*sizes)
        case "conv":
            i, o, kernel, padding, bias = sizes
            return nn.Conv2d(i, o, kernel, padding=padding, bias=bias)
        case "norm": return nn.BatchNorm2d(*sizes)
        case "residual": return Residual(sequential(*sizes))
        case "relu": return nn.ReLU()
        case "pool": return nn.MaxPool2d(2)
        case "mean": return nn.AdaptiveAvgPool2d(1)
        case "flatten": return nn.Flatten()
        case "dropout": return nn.Dropout()
        case "dropout2d": return nn.Dropout2d()
    raise ValueError(f"no layer '{kind}'")


def sequential(layers):
    return nn.Sequential(*(layer(*each) for each in layers))


def weights_of(model):
    """Parameters and running statistics, in the order of the layers."""
    return [v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")]


native = torch.from_numpy


def load(work):
    """The network with the weights that all peers share."""
    torch.set_num_threads(work.threads)
    model = sequential(NETWORKS[work.network])
    for tensor, value in zip(weights_of(model), work.weights, strict=True):
        tensor.copy_(torch.from_numpy(value))
    return model


def with_mode(model, mode):
    """The network in the mode, and the context to call it in."""
    if "channels_last" in mode:
        model = model.to(memory_format=torch.channels_last)
    if "compile" in mode:
        from torch._inductor import config
        # Part of the key of the compiler's cache, which might return code for other threads.
        config.cpp.threads = torch.get_num_threads()
        model = torch.compile(model, dynamic=False)
    bf16 = torch.autocast("cpu", torch.bfloat16) if "bf16" in mode else contextlib.nullcontext()

    def as_input(x):
        pictures = x.dim() == 4 and "channels_last" in mode
        return x.contiguous(memory_format=torch.channels_last) if pictures else x
    return model, bf16, as_input


def predictor(work, mode):
    model, bf16, as_input = with_mode(load(work).eval(), mode)

    def predict(x):
        with torch.inference_mode(), bf16:
            return model(as_input(x)).float()
    return predict


def trainer(work, mode):
    model, bf16, as_input = with_mode(load(work), mode)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def train(x, y):
        with bf16:
            loss = nn.functional.cross_entropy(model(as_input(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()
    return train


def draw_weights(network):
    """Weights to share, and the number of parameters."""
    torch.manual_seed(1)
    model = sequential(NETWORKS[network])
    for name, tensor in model.state_dict().items():
        # Statistics of 0 and 1 would not show a peer that ignores them.
        if name.endswith("running_mean"):
            tensor.uniform_(-0.2, 0.2)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
    return ([v.numpy() for v in weights_of(model)], sum(p.numel() for p in model.parameters()))


def export_onnx(work, x, path):
    """Writes the network for prediction, with the shape of x."""
    model = load(work).eval()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        torch.onnx.export(model, (torch.from_numpy(x),), path, input_names=["x"], dynamo=False)
# SPDX-License-Identifier: MIT

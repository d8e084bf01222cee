"""optim/clip_grad.h"""

import torch

from make_fixtures import real


def clipped(max_norm):
    """The norm that clip_grad_norm_ returns, followed by the gradients, in one row."""

    def run(a, b):
        for x in (a, b):
            x.grad = x.detach().clone()
        norm = torch.nn.utils.clip_grad_norm_([a, b], max_norm)
        return torch.cat([norm.reshape(1), a.grad.flatten(), b.grad.flatten()])

    return run


def cases(case):
    gradients = {"a": real(2, 3, grad=False), "b": real(5, grad=False)}
    case("cut to 1", clipped(1.0), **gradients)
    case("cut to nothing", clipped(0.0), **gradients)
    case("short enough", clipped(100.0), **gradients)
# SPDX-License-Identifier: MIT

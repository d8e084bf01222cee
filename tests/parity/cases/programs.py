"""The programs of docs/from-pytorch.md, whose results depend on no generator."""

import torch
import torch.nn.functional as F
from torch import nn

from make_fixtures import real


def cases(case):
    case("parametric relu: one slope", parametric_relu, x=real(4, 5), slope=real())
    case("parametric relu: a slope for each feature", parametric_relu, x=real(4, 5), slope=real(5))

    weights = {"w_ih": real(9, 4, low=-1, high=1), "w_hh": real(9, 3, low=-1, high=1),
               "b_ih": real(9), "b_hh": real(9)}
    case("gru", gru, x=real(5, 2, 4), **weights)  # [time, batch, features]

    weights = {"w_in": real(24, 8, low=-1, high=1), "b_in": real(24),
               "w_out": real(8, 8, low=-1, high=1), "b_out": real(8)}
    case("causal attention", attention, x=real(2, 5, 8), **weights)  # [batch, time, features]

    case("maxout", maxout, x=real(3, 4), weight=real(6, 4), bias=real(6))
    case("l1 and l2", l1_and_l2, x=real(5, 3), y=real(5, 2), weight=real(2, 3))
    case("scaled inputs", scaled, x=real(6, 3, grad=False))
    case("residual block", residual, x=real(2, 3, 5, 5), w1=real(3, 3, 3, 3, low=-1, high=1),
         w2=real(3, 3, 3, 3, low=-1, high=1))


def parametric_relu(x, slope):
    zero = torch.zeros((), dtype=x.dtype)
    return torch.maximum(zero, x) + slope * torch.minimum(zero, x)


def gru(x, w_ih, w_hh, b_ih, b_hh):
    layer = nn.GRU(4, 3).double()
    parameters = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh}
    return torch.func.functional_call(layer, parameters, (x,))[0]


def attention(x, w_in, b_in, w_out, b_out):
    layer = nn.MultiheadAttention(8, 2, batch_first=True).double()
    parameters = {"in_proj_weight": w_in, "in_proj_bias": b_in,
                  "out_proj.weight": w_out, "out_proj.bias": b_out}
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    options = {"attn_mask": later, "need_weights": False}
    return torch.func.functional_call(layer, parameters, (x, x, x), options)[0]


def maxout(x, weight, bias):
    return F.linear(x, weight, bias).view(len(x), 3, 2).amax(2)


def l1_and_l2(x, y, weight):
    loss = F.mse_loss(x @ weight.T, y)
    return loss + 0.01 * weight.abs().sum() + 0.1 * weight.square().sum()


def scaled(x):
    return (x - x.mean(0)) / x.std(0)


def residual(x, w1, w2):
    y = F.relu(F.conv2d(x, w1, padding="same"))
    return F.relu(x + F.conv2d(y, w2, padding="same"))
# SPDX-License-Identifier: MIT

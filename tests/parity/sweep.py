#!/usr/bin/env python3
"""Compares every op, layer and optimizer with PyTorch's where faults hide: at special values
(signed zeros, infinities, NaN, the largest and the smallest numbers, ties), at every size of 0, and
with every option.

    python3 tests/parity/sweep.py build/release/tests/sweep [OP...]

makes the cases, lets tests/parity/sweep.cpp run them, and compares results, gradients, and what is
changed in place: each value must be that of PyTorch in float32, or be nearer to the exact one, that
of PyTorch in float64. Where PyTorch raises, Primer must throw, and nowhere else. Deliberate
deviations are listed in DEVIATIONS, with the reason; the comments of core/ops.h and of the layers
state them, too.
"""

import argparse
import collections
import itertools
import math
import os
import subprocess
import sys
import tempfile
import warnings

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

INF, NAN = math.inf, math.nan
MAX, LEAST, TINY = 3.4028234663852886e38, 1.1754943508222875e-38, 1.401298464324817e-45
# Every kind of number, and the places where some op has a kink or an end.
ENDS = [0.0, -0.0, INF, -INF, NAN, MAX, -MAX, LEAST, -LEAST, TINY, -TINY, 1.0, -1.0]
SPECIAL = ENDS + [0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1e10, -1e10, 1e20, -1e20, 1e-10, -1e-10, 6.0]
SPECIAL += [20.0, 20.5, -20.0, 88.0, 89.0, -88.0, -104.0, 7.5, 5e5, -5e5, 0.3333333, -0.7, 16.5]
UPSTREAM = [1.0, -0.75, 0.0, INF, NAN, MAX, TINY]

PART = 10000  # cases in a file
RAISES = (RuntimeError, ValueError, IndexError, ZeroDivisionError, AssertionError)

Case = collections.namedtuple("Case", "op function inputs wants after options")
cases = []


def case(op, function, inputs, wants=(), after=(), **options):
    """function(dict of tensors, dtype) -> a tensor; `options` are what sweep.cpp is told."""
    inputs = {name: t for name, t in inputs.items() if t is not None}
    cases.append(Case(op, function, inputs, wants, after, options))


def numbers(*shape, seed=0, low=-2.0, high=2.0):
    generator = torch.Generator().manual_seed(1000 * seed + math.prod(shape))
    return (torch.rand(shape, generator=generator) * (high - low) + low).float()


def grid(*lists):
    """Every combination: one tensor for each list."""
    return [torch.tensor(column) for column in zip(*itertools.product(*lists))]


def shapes_with_0(*sizes):
    """The shape itself, and with 0 in place of one or two of its sizes."""
    found = [list(sizes)]
    for count in (1, 2):
        for places in itertools.combinations(range(len(sizes)), count):
            found.append([0 if i in places else size for i, size in enumerate(sizes)])
    return found


def spoilt(x, value, at):
    """x with one of its elements replaced."""
    y = x.clone()
    if y.numel() > 0:
        y.view(-1)[at % y.numel()] = value
    return y


# --- what differs on purpose -------------------------------------------------------------------

def has(c, *specials):
    """Whether an input has one of these numbers."""
    return any(
        v.is_floating_point() and any((v.isnan() if s != s else v == s).any() for s in specials)
        for v in c.inputs.values()
    )


def has_infinite(c, name):
    return name in c.inputs and bool(c.inputs[name].isinf().any())


def images_are(c, found):
    """What `found` says of the shape of x."""
    return found(c.inputs["x"].shape)


# The ops, whether a case of theirs deviates, and the reason.
POOLS = "max_pool2d MaxPool2d avg_pool2d AvgPool2d adaptive_avg_pool2d AdaptiveAvgPool2d "
POOLS += "adaptive_max_pool2d AdaptiveMaxPool2d"
DEVIATIONS = [
    ("tanh Tanh sigmoid Sigmoid", lambda c: has_infinite(c, "dy") or MAX in c.inputs["dy"],
     "far out the derivative is small, not 0: times a huge gradient it counts, where PyTorch has 0"),
    ("abs", lambda c: has(c, NAN),
     "the gradient of |x| where x is NaN is NaN; PyTorch's is 0, which hides it"),
    ("softsign Softsign", lambda c: has_infinite(c, "dy"),
     "an infinite gradient from above: PyTorch adds two parts with different signs, inf - inf"),
    ("l1_loss smooth_l1_loss l1_penalty", lambda c: has(c, NAN, INF, -INF),
     "a difference that is NaN gives a gradient of NaN; PyTorch's |x| gives 0, which hides it"),
    ("binary_cross_entropy_with_logits", lambda c: INF in c.inputs.get("pos_weight", []),
     "PyTorch computes (pos_weight - 1) target + 1, which is NaN for an infinite weight"),
    ("binary_cross_entropy_with_logits", lambda c: -INF in c.inputs["x"],
     "the loss of a logit of -infinity is infinite; PyTorch's form has inf - inf there"),
    ("cross_entropy", lambda c: has_infinite(c, "dy") and c.options["label_smoothing"] > 0,
     "an infinite gradient from above: PyTorch adds the label's part and the smoothing's, inf - inf"),
    ("cross_entropy nll_loss", lambda c: images_are(c, lambda s: list(s) == [0, 0]),
     "at least one class is asked for; PyTorch takes [0, 0], but not [1, 0]"),
    ("cross_entropy", lambda c: has(c, NAN) and "labels" in c.inputs,
     "an ignored example has gradient 0; PyTorch multiplies its softmax by 0, NaN by NaN"),
    ("kl_div", lambda c: not c.options["log_target"] and
     bool((c.inputs["target"] <= 0).any() or c.inputs["target"].isinf().any()),
     "the gradient has log(t), infinite at 0; PyTorch's has t/t, too, and is NaN there"),
    ("kl_div", lambda c: has_infinite(c, "dy") or has_infinite(c, "x"),
     "whether infinities that meet give NaN depends on the order of the formula"),
    ("huber_loss", lambda c: c.options["delta"] == INF,
     "delta must be finite; PyTorch takes infinity, but has NaN for an infinite difference"),
    ("conv2d Conv2d conv_transpose2d ConvTranspose2d " + POOLS, lambda c: images_are(c, lambda s: 0 in s[-2:]),
     "images without pixels are refused; PyTorch takes some of them, by op and batch size"),
    (POOLS, lambda c: images_are(c, lambda s: 0 in s[-3:-2]),
     "no channels give no result; PyTorch refuses some of them"),
    ("conv2d", lambda c: images_are(c, lambda s: len(s) == 4 and s[1] == 0),
     "without input channels the result is the bias; PyTorch gives as many channels as x has"),
    ("conv2d", lambda c: not c.inputs["weight"].isfinite().all(),
     "the kernels multiply the zeros around an image, too, and 0 times an infinite weight is NaN"),
    ("conv2d Conv2d conv_transpose2d ConvTranspose2d", lambda c: c.options.get("dilation") == 0,
     "a dilation of 0 is refused; PyTorch does so only where there are images"),
    ("conv_transpose2d ConvTranspose2d",
     lambda c: "output_padding" in c.options and images_are(c, lambda s: s[0] == 0),
     "too large an output_padding is refused; PyTorch does so only where there are images"),
    ("adaptive_avg_pool2d AdaptiveAvgPool2d", lambda c: images_are(c, lambda s: len(s) == 2),
     "x needs channels; PyTorch takes [H, W] for an output of 1, and only for that"),
    ("batch_norm", lambda c: images_are(c, lambda s: len(s) > 1 and s[1] == 0),
     "no channels give no result; PyTorch refuses them"),
    ("batch_norm", lambda c: c.options["training"] == 0 and "running_mean" not in c.inputs,
     "evaluation wants running statistics even for a batch of none"),
    ("batch_norm layer_norm group_norm",
     lambda c: not c.inputs["dy"].isfinite().all() or has_infinite(c, "weight"),
     "whether infinities that meet give NaN depends on the order of the formula, in PyTorch on the "
     "layout"),
    ("group_norm GroupNorm", lambda c: c.inputs["x"].numel() == 0,
     "without values the gradients of weight and bias are 0; PyTorch has NaN for some shapes"),
    ("group_norm GroupNorm",
     lambda c: c.inputs["x"].numel() == math.prod(c.inputs["x"].shape[:1]) * c.options["groups"],
     "a value that is its group's mean gives the bias exactly, where PyTorch leaves rounding errors"),
    ("batch_norm", lambda c: images_are(c, lambda s: list(s) == [0]),
     "x has a dimension of examples and one of channels; PyTorch takes one of shape [0]"),
    ("batch_norm", lambda c: not 0 <= c.options.get("momentum", 0) <= 1,
     "momentum is a weight from 0 to 1; PyTorch takes any number"),
    ("batch_norm layer_norm group_norm", lambda c: c.options.get("eps", 0) < 0,
     "eps must be at least 0; PyTorch takes the root of whatever variance + eps is"),
    ("dropout2d Dropout2d", lambda c: images_are(c, lambda s: len(s) == 3),
     "x is [N, C, H, W]; PyTorch reads three dimensions as [N, C, L], and warns"),
    ("batch_norm group_norm", lambda c: has(c, MAX, -MAX),
     "of numbers near the largest a step in between can be infinite, in PyTorch another one"),
    ("batch_norm", lambda c: c.options["relu"] == 1 and has_infinite(c, "x"),
     "what relu cuts off has no part in the gradients; PyTorch multiplies it by 0, which gives NaN"),
    ("max argmax min argmin amax amin norm", lambda c: 0 in c.inputs["x"].shape and 0 in c.inputs["dy"].shape,
     "the largest of no elements, but for no result: the result is empty"),
    ("amax amin", lambda c: has(c, NAN),
     "several NaN share the gradient, as in max(x) and min(x); PyTorch gives NaN to all elements"),
    ("norm", lambda c: has(c, NAN) and c.options["p"] in (1, INF, -INF),
     "at a NaN the gradient is NaN; PyTorch's is 0, which hides it"),
    ("logsumexp", lambda c: bool((c.inputs["x"].abs() >= 1e8).any()),
     "the gradient is softmax(x); PyTorch's loses ln n beside a large result, and does not sum to 1"),
    ("embedding", lambda c: c.inputs["weight"].shape[0] == 0 and c.options.get("padding_idx") == 0,
     "the padding is a row of the weight; PyTorch takes 0 where there are none"),
    ("pad", lambda c: c.options["reflect"] == 1 and 0 in c.inputs["dy"].shape,
     "reflection leaves something of each dimension; PyTorch asks for that of the last one only"),
    ("concat", lambda c: any(list(t.shape) == [0] for t in c.inputs.values()),
     "PyTorch passes over tensors of shape [0], whatever the others' rank: an old habit of its own"),
]


# --- element by element ------------------------------------------------------------------------


def unary(op, function, values=SPECIAL, **options):
    for number in UPSTREAM:
        x = torch.tensor(values)
        ins = {"x": x, "dy": torch.full_like(x, number)}
        case(op, lambda t: function(t["x"]), ins, ["x"], **options)
    for shape in ([], [1], [0], [2, 0], [0, 3], [2, 0, 3], [7], [3, 5], [2, 3, 4, 5]):
        x, dy = numbers(*shape, seed=1), numbers(*shape, seed=2)
        case(op, lambda t: function(t["x"]), {"x": x, "dy": dy}, ["x"], **options)


def activations():
    unary("neg", torch.neg)
    unary("exp", torch.exp)
    unary("log", torch.log)
    unary("sqrt", torch.sqrt)
    unary("abs", torch.abs)
    angles = SPECIAL + [1048575.9, 1048576.1, 3.1415927, -1.5707964, 4.712389, 1e30, 12345.678]
    unary("sin", torch.sin, angles)
    unary("cos", torch.cos, angles)
    unary("clamp", lambda x: x.clamp(-1, 0.5), min=-1, max=0.5)
    unary("clamp_min", lambda x: x.clamp_min(0.5), min=0.5)
    unary("clamp_max", lambda x: x.clamp_max(0.5), max=0.5)
    ins = {"x": torch.tensor(SPECIAL), "dy": numbers(len(SPECIAL))}
    for low in ENDS:
        case("clamp_min", lambda t, a=low: t["x"].clamp_min(a), ins, ["x"], min=low)
        case("clamp_max", lambda t, a=low: t["x"].clamp_max(a), ins, ["x"], max=low)
        for high in ENDS:
            run = lambda t, a=low, b=high: t["x"].clamp(a, b)
            case("clamp", run, ins, ["x"], min=low, max=high)
    for op, function in [("relu", F.relu), ("relu_", F.relu), ("ReLU", torch.nn.ReLU())]:
        unary(op, function)
    for slope in (0.01, 0.0, 1.0, 2.5):
        for op in ("leaky_relu", "leaky_relu_", "LeakyReLU"):
            unary(op, lambda x, a=slope: F.leaky_relu(x, a), negative_slope=slope)
    unary("leaky_relu", lambda x: F.leaky_relu(x, -0.5), negative_slope=-0.5)
    for alpha in (1.0, 0.0, 0.25, 3.0):
        for op in ("elu", "ELU"):
            unary(op, lambda x, a=alpha: F.elu(x, a), alpha=alpha)
    for op in ("selu", "SELU"):
        unary(op, F.selu)
    for kind in ("none", "tanh"):
        for op in ("gelu", "GELU"):
            unary(op, lambda x, k=kind: F.gelu(x, approximate=k), approximate=kind)
    for op, function in [("silu", F.silu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh)]:
        unary(op, function)
        unary({"silu": "SiLU", "sigmoid": "Sigmoid", "tanh": "Tanh"}[op], function)
    for op, function in [
        ("relu6", F.relu6), ("hardsigmoid", F.hardsigmoid), ("mish", F.mish),
        ("logsigmoid", F.logsigmoid), ("softsign", F.softsign),
        ("ReLU6", F.relu6), ("Hardsigmoid", F.hardsigmoid), ("Mish", F.mish),
        ("LogSigmoid", F.logsigmoid), ("Softsign", F.softsign),
    ]:  # fmt: skip
        unary(op, function)
    for op in ("hardtanh", "Hardtanh"):
        for low, high in ((-1.0, 1.0), (-2.0, 0.5), (0.0, 3.0), (1.0, -1.0)):
            clamp = lambda x, a=low, b=high: F.hardtanh(x, a, b)
            unary(op, clamp, min_val=low, max_val=high)
    for alpha in (1.0, 0.25, 3.0, 1e4, 0.0):
        for op in ("celu", "CELU"):
            unary(op, lambda x, a=alpha: F.celu(x, a), alpha=alpha)
    for op in ("hardswish", "Hardswish"):
        unary(op, F.hardswish)
    for beta, threshold in ((1, 20), (0.5, 20), (3, 2), (1, -1), (1e-3, 20), (1, 100)):
        for op in ("softplus", "Softplus"):
            unary(
                op,
                lambda x, b=beta, t=threshold: F.softplus(x, b, t),
                beta=beta,
                threshold=threshold,
            )
    unary("Identity", lambda x: x)

    for op in ("prelu", "PReLU"):
        for channels in (1, 3):
            run = lambda t: F.prelu(t["x"], t["weight"])
            for shape in shapes_with_0(2, 3, 4) + [[2, 3], [0, 3], [5, 3, 2, 2]]:
                if channels == 3 and shape[1] != 3:
                    continue
                ins = {"x": numbers(*shape, seed=3), "dy": numbers(*shape, seed=4)}
                ins["weight"] = numbers(channels, seed=5)
                case(op, run, ins, ["x", "weight"], **{"in": channels})
            for weight in ENDS:
                x, dy = (t.reshape(-1, 1).expand(-1, channels) for t in grid(SPECIAL, UPSTREAM))
                w = torch.full([channels], weight)
                ins = {"x": x.contiguous(), "dy": dy.contiguous(), "weight": w}
                case(op, run, ins, ["x"], **{"in": channels})
                for value in ENDS:  # the gradient of the weight, in which NaN covers all others
                    x = spoilt(numbers(3, channels, seed=6), value, 1)
                    ins = {"x": x, "dy": numbers(3, channels, seed=7), "weight": w}
                    case(op, run, ins, ["weight"], **{"in": channels})
    case("prelu", lambda t: F.prelu(t["x"], t["weight"]), {"x": numbers(), "weight": numbers(1)})


def gated():
    for op in ("glu", "GLU"):
        for dy in UPSTREAM:
            # Above 37, PyTorch's sigmoid is 1, and its derivative is 0 rather than small: times an
            # infinite a or dy, that differs.
            x = torch.stack(grid(SPECIAL, [v for v in SPECIAL if not 37 < v < 104]), 1)
            ins = {"x": x, "dy": torch.full([len(x), 1], dy)}
            case(op, lambda t: F.glu(t["x"]), ins, ["x"], dim=-1)
        for shape in [[], [1], [2], [0], *shapes_with_0(2, 4, 6), [3, 4]]:
            for dim in range(-len(shape) - 2, len(shape) + 2):
                x = numbers(*shape, seed=1)
                run = lambda t, d=dim: F.glu(t["x"], d)
                case(op, run, {"x": x, "dy": same_shape(run, x)}, ["x"], dim=dim)


def binary():
    functions = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}
    functions["pow"] = torch.pow
    exponents = SPECIAL + [1e-20, 4.0, 5.0, -4.0, -5.0, 1.5, -1.5, 1e7 + 1, 16777216.0, 16777215.0]
    for op, function in functions.items():
        run = lambda t, f=function: f(t["a"], t["b"])
        for dy in (1.0, -0.5, 0.0, INF, NAN):
            a, b = grid(SPECIAL, exponents)
            case(op, run, {"a": a, "b": b, "dy": torch.full_like(a, dy)}, ["a", "b"])
        case(op, run, {"a": a, "b": b, "dy": torch.ones_like(a)}, ["a"])
        case(op, run, {"a": a, "b": b, "dy": torch.ones_like(a)}, ["b"])
        for value in SPECIAL:  # a scalar on either side
            x = torch.tensor(SPECIAL)
            scalar, dy = torch.tensor(value), torch.ones_like(x)
            case(op, run, {"a": x, "b": scalar, "dy": dy}, ["a"])
            case(op, run, {"a": scalar, "b": x, "dy": dy}, ["b"])
        for a, b in [
            ([], []), ([0], [1]), ([1], [0]), ([2, 0], [1, 0]), ([0, 3], [3]), ([0, 3], [1]),
            ([2, 3], [3]), ([2, 1], [1, 3]), ([0], []), ([], [2, 0, 3]), ([2, 0, 1], [3]),
            ([0], [2]), ([2, 3], [2]), ([4, 1, 3], [2, 1]), ([1, 0, 1], [3, 1, 2]), ([0], [0]),
        ]:  # fmt: skip
            ins = {"a": numbers(*a, seed=1, low=0.5), "b": numbers(*b, seed=2, low=0.5)}
            try:
                ins["dy"] = numbers(*torch.broadcast_shapes(a, b), seed=3)
            except RAISES:
                ins["dy"] = numbers(1)
            case(op, run, ins, ["a", "b"])


SHAPES_OF_TWO = [
    ([], []), ([0], [1]), ([2, 0], [1, 0]), ([0, 3], [3]), ([2, 3], [3]), ([2, 1], [1, 3]),
    ([], [2, 0, 3]), ([0], [2]), ([2, 3], [2]), ([4, 1, 3], [2, 1]),
]  # fmt: skip


def comparing():
    """maximum and minimum with their gradients, comparisons, and where."""
    for op, function in {"maximum": torch.maximum, "minimum": torch.minimum}.items():
        run = lambda t, f=function: f(t["a"], t["b"])
        a, b = grid(SPECIAL, SPECIAL)
        for dy in UPSTREAM:
            case(op, run, {"a": a, "b": b, "dy": torch.full_like(a, dy)}, ["a", "b"])
        for a, b in SHAPES_OF_TWO:
            ins = {"a": numbers(*a, seed=1), "b": numbers(*b, seed=2)}
            try:
                ins["dy"] = numbers(*torch.broadcast_shapes(a, b), seed=3)
            except RAISES:
                ins["dy"] = numbers(1)
            case(op, run, ins, ["a", "b"])
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        run = lambda t, f=getattr(torch, op): f(t["a"], t["b"]).to(t["a"].dtype)
        a, b = grid(SPECIAL, SPECIAL)
        case(op, run, {"a": a, "b": b})
        for a, b in SHAPES_OF_TWO:
            case(op, run, {"a": numbers(*a, seed=1), "b": numbers(*b, seed=2)})
    run = lambda t: torch.where(t["condition"].bool(), t["a"], t["b"])
    condition, a, b = grid(ENDS, ENDS, ENDS)
    for dy in UPSTREAM:
        ins = {"condition": condition, "a": a, "b": b, "dy": torch.full_like(a, dy)}
        case("where", run, ins, ["a", "b"])
    for a, b in SHAPES_OF_TWO:
        for c in ([], [3], [2, 1], [0]):
            ins = {"a": numbers(*a, seed=1), "b": numbers(*b, seed=2), "condition": numbers(*c) > 0}
            ins["condition"] = ins["condition"].float()
            try:
                ins["dy"] = numbers(*torch.broadcast_shapes(a, b, c), seed=3)
            except RAISES:
                ins["dy"] = numbers(1)
            case("where", run, ins, ["a", "b"])


# --- over dimensions ---------------------------------------------------------------------------


def reduction(op, whole, along, several=None, **options):
    """whole(x) over all elements, along(x, dim, keepdim) over one dimension. `several`, in place of
    along: several(x, dims, keepdim), over a list of dimensions."""
    wants = [] if op.startswith("arg") else ["x"]

    def all_of(x, dy):
        case(op, lambda t: whole(t["x"]), {"x": x, "dy": torch.tensor(dy)}, wants, **options)

    def along_dim(x, dim, keepdim):
        if several:
            return over(x, [dim], keepdim)
        reduced(x, lambda t: along(t["x"], dim, keepdim), dim, keepdim, dim=dim)

    def over(x, dims, keepdim):
        told = ",".join(str(d) for d in dims)
        reduced(x, lambda t: several(t["x"], dims, keepdim), dims, keepdim, dims=told)

    def reduced(x, run, gone, keepdim, **told):
        try:
            dy = numbers(*torch.sum(x, gone, keepdim=keepdim).shape, seed=3)
        except RAISES:
            dy = numbers(1)
        case(op, run, {"x": x, "dy": dy}, wants, **told, **options, keepdim=int(keepdim))

    for x in (
        torch.stack(grid(ENDS, ENDS), 1),
        torch.stack(grid(ENDS, ENDS, [0.0, INF, NAN, -INF]), 1),
    ):
        for keepdim in (False, True):
            along_dim(x, 1, keepdim)
            along_dim(x.T.contiguous(), 0, keepdim)
        for row in x:
            all_of(row.clone(), -0.5)
    for shape in [[], [1], [0], *shapes_with_0(2, 3, 4), [40, 50]]:
        x = numbers(*shape, seed=2)
        all_of(x, 0.5)
        for dim in range(-len(shape) - 2, len(shape) + 2):
            along_dim(x, dim, False)
            along_dim(x, dim, True)
        if several:
            for dims in ([0, -1], [0, 1, 2], [-1, 1], [0, 0], [1, -2], [2, 0], [0, 3]):
                over(x, dims, False)
                over(x, dims, True)
    for value in ENDS if several else []:
        for dims in ([0, 2], [1], [2, 1, 0]):
            over(spoilt(numbers(3, 4, 5), value, 7), dims, False)
    big = torch.full([5, 7], 3e38)  # whose sum is too large, and whose mean is not
    all_of(big, 1.0)
    along_dim(big, 0, False)
    for offset in (1e4, 1e8, 1e30):
        all_of(offset + torch.arange(3000) % 3 * 1e-7 * offset, 1.0)
        along_dim(torch.full([300, 40], offset), 0, False)
        along_dim(torch.full([30, 400], offset), 1, False)


def over_dims():
    softmaxes = {"softmax": F.softmax, "log_softmax": F.log_softmax}
    softmaxes |= {"Softmax": F.softmax, "LogSoftmax": F.log_softmax}
    few = ENDS + [1e16, 1e12, -1e12, 1e30, 2.0, 88.0, 100.0, -100.0]
    for op, function in softmaxes.items():
        for dim in (0, 1):
            run = lambda t, f=function, d=dim: f(t["x"], d)
            for rows in (grid(few, few), grid(few, ENDS, [0.0, 1e16, INF, NAN])):
                x = torch.stack(rows, 1 - dim if dim == 0 else dim)
                x = x.T.contiguous() if dim == 0 else x
                case(op, run, {"x": x, "dy": numbers(*x.shape, seed=4)}, ["x"], dim=dim)
            for dy in UPSTREAM:
                x = numbers(3, 3, seed=5)
                ins = {"x": x, "dy": spoilt(numbers(3, 3, seed=6), dy, 4)}
                case(op, run, ins, ["x"], dim=dim)
            for offset in (1e4, 1e6, 1e8, 1e12, 1e16, 1e30, -1e16, 1e38):
                x = torch.tensor([0.0, 0.0, 1.0, offset * 1e-8]).repeat(2, 9) + offset
                x = x.T.contiguous() if dim == 0 else x
                case(op, run, {"x": x, "dy": numbers(*x.shape, seed=7)}, ["x"], dim=dim)
        for shape in [[], [1], [0], *shapes_with_0(2, 3, 4)]:
            for dim in range(-len(shape) - 2, len(shape) + 2):
                ins = {"x": numbers(*shape, seed=1), "dy": numbers(*shape, seed=2)}
                case(op, lambda t, f=function, d=dim: f(t["x"], d), ins, ["x"], dim=dim)

    reduction("sum", torch.sum, None, torch.sum)
    reduction("mean", torch.mean, None, torch.mean)
    reduction("amax", torch.amax, None, torch.amax)
    reduction("amin", torch.amin, None, torch.amin)
    for correction in (1, 0, 0.5):
        for op, function in {"var": torch.var, "stddev": torch.std}.items():
            f = lambda x, d=None, k=False, f=function, c=correction: f(x, d, correction=c, keepdim=k)
            reduction(op, f, None, f, correction=correction)
    every = lambda x: torch.logsumexp(x, list(range(x.dim())))
    reduction("logsumexp", every, None, torch.logsumexp)
    for p in (2, 1, 0, 3, 1.5, 0.5, -1, INF, -INF):
        f = lambda x, d=None, k=False, p=p: torch.linalg.vector_norm(x, p, d, k)
        reduction("norm", f, None, f, p=p)
    reduction("min", torch.min, lambda x, dim, keepdim: x.min(dim, keepdim).values)
    reduction("argmin", torch.argmin, torch.argmin)
    reduction("max", torch.max, lambda x, dim, keepdim: x.max(dim, keepdim).values)
    reduction("argmax", torch.argmax, torch.argmax)

    def maxout(t, pieces):
        x = t["x"]
        n, c = x.shape[:2]
        return x.reshape(n, c // pieces, pieces, *x.shape[2:]).max(2).values

    for pieces in (1, 2, 3):
        for shape in ([2, 6], [2, 6, 3], [0, 6], [2, 6, 0], [0, 6, 2], [2, 0]):
            out = [shape[0], shape[1] // pieces, *shape[2:]]
            ins = {"x": numbers(*shape, seed=1), "dy": numbers(*out, seed=2)}
            case("maxout", lambda t, p=pieces: maxout(t, p), ins, ["x"], pieces=pieces)
    x = torch.stack(grid(ENDS, ENDS), 1)
    ins = {"x": x, "dy": numbers(len(x), 1)}
    case("maxout", lambda t: maxout(t, 2), ins, ["x"], pieces=2)


# --- shapes ------------------------------------------------------------------------------------


def same_shape(function, x):
    """Numbers in the shape of function's result, or of some other if there is none."""
    try:
        return numbers(*function(x if isinstance(x, dict) else {"x": x}).shape, seed=9)
    except RAISES:
        return numbers(1)


def views():
    def of_x(op, function, shape, **options):
        x = numbers(*shape, seed=1)
        run = lambda t: function(t["x"])
        case(op, run, {"x": x, "dy": same_shape(run, x)}, ["x"], **options)

    def text(sizes):
        return ",".join(map(str, sizes))

    for shape in [[], [1], [6], [0], *shapes_with_0(2, 3, 4)]:
        for sizes in (
            [], [1], [-1], [6], [2, 3], [-1, 2], [0], [0, 2], [-1, 0], [0, -1], [-1, -1], [-2, 3],
            [2, 12], [4, 3, 2], [24, 1, 1], [1, 1, 1, 1, 1, -1], [2, -1, 0],
        ):  # fmt: skip
            of_x("reshape", lambda x, s=sizes: x.reshape(s), shape, sizes=text(sizes))
        rank = len(shape)
        for start, end in itertools.product(range(-rank - 1, rank + 1), repeat=2):
            run = lambda x, s=start, e=end: x.flatten(s, e)
            of_x("flatten", run, shape, start=start, end=end)
            of_x("Flatten", run, shape, start=start, end=end)
            of_x("transpose", lambda x, s=start, e=end: x.transpose(s, e), shape, dim=start, dim1=end)
        for sizes in ([], [1], [0], [5], [2, 3, 4], [2, 2, 3, 4], [0, 2, 3, 4], [2, 0, 4], [3, 4]):
            of_x("expand", lambda x, s=sizes: x.expand(s), shape, sizes=text(sizes))
    for shape in ([4, 1], [1], [1, 1, 3]):
        for sizes in ([4, 0], [2, 4, 5], [0], [4, 1], [7], [2, 5, 3], [1, 0, 3]):
            of_x("expand", lambda x, s=sizes: x.expand(s), shape, sizes=text(sizes))
    for shape, ends in itertools.product(
        ([4, 3], [0], [0, 3], [4, 0], [4]), ((0, 0), (0, 1), (1, 4), (2, 2), (0, 4), (4, 4))
    ):
        if ends[1] <= shape[0]:  # PyTorch clips what is out of range
            run = lambda x, e=ends: x[e[0] : e[1]]
            of_x("slice", run, shape, start=ends[0], end=ends[1])
    for shape in ([4, 3], [0, 3], [3, 0, 2], [1]):
        for dim, step in itertools.product(range(-2, 3), (0, 1, 2, 5)):
            if -len(shape) <= dim < len(shape):
                size = shape[dim]
                for start, end in {(0, size), (-size, size), (size // 2, -1 if size > 1 else size)}:
                    run = lambda x, d=dim, s=step, a=start, b=end: torch.ops.aten.slice(x, d, a, b, s)
                    of_x("slice", run, shape, start=start, end=end, dim=dim, step=step)
    for shape in [[], [1], [1, 2, 1], [1, 1], [0, 1, 3], [2, 3, 4]]:
        of_x("squeeze", lambda x: x.squeeze(), shape)
        for dim in range(-5, 5):
            of_x("squeeze", lambda x, d=dim: x.squeeze(d), shape, dim=dim)
            of_x("unsqueeze", lambda x, d=dim: x.unsqueeze(d), shape, dim=dim)
            for index in range(-4, 5):
                run = lambda x, d=dim, i=index: x.select(d, i)
                of_x("select", run, shape, dim=dim, index=index)
            for size in range(-1, 5):
                run = lambda x, d=dim, s=size: torch.cat(x.split(s, d), d)
                of_x("split", run, shape, dim=dim, size=size)
                run = lambda x, d=dim, s=size: x.chunk(s, d)[0]
                of_x("chunk", run, shape, dim=dim, chunks=size)
            for sizes in ([1], [0, 2], [2, 1, 0], [1, 3], [3, -1], [-1, 4]):
                run = lambda x, d=dim, s=sizes: torch.cat(x.split(s, d), d)
                of_x("split", run, shape, dim=dim, sizes=text(sizes))
        for dims in itertools.product(range(-3, 4), repeat=len(shape)):
            of_x("permute", lambda x, d=dims: x.permute(d), shape, dims=text(dims))
    for a, b in (([2, 3], [2, 3]), ([2, 3], [3, 2]), ([0, 3], [0, 3]), ([], []), ([], [1]), ([0], [0])):
        for dim in range(-4, 4):
            ins = {"a": numbers(*a, seed=1), "b": numbers(*b, seed=2)}
            run = lambda t, d=dim: torch.stack([t["a"], t["b"]], d)
            try:
                ins["dy"] = numbers(*run(ins).shape, seed=3)
            except RAISES:
                ins["dy"] = numbers(1)
            case("stack", run, ins, ["a", "b"], dim=dim)
    for a, b in (
        ([2, 3], [2, 3]), ([0, 3], [2, 3]), ([2, 0], [2, 3]), ([0], [0]), ([2, 3], [2, 4]),
        ([0], [2, 3]), ([], []), ([2, 0, 3], [2, 0, 3]), ([1], [2]),
    ):  # fmt: skip
        for dim in range(-3, 3):
            ins = {"a": numbers(*a, seed=1), "b": numbers(*b, seed=2)}
            run = lambda t, d=dim: torch.cat([t["a"], t["b"]], d)
            try:
                ins["dy"] = numbers(*run(ins).shape, seed=3)
            except RAISES:
                ins["dy"] = numbers(1)
            case("concat", run, ins, ["a", "b"], dim=dim)


# --- indexing and padding ----------------------------------------------------------------------


def indices():
    def picked(op, run, inputs, wants, **options):
        try:
            dy = numbers(*run(inputs).shape, seed=9)
        except RAISES:
            dy = numbers(1)
        case(op, run, inputs | {"dy": dy}, wants, **options)

    lists = [[], [0], [1, 1, 0], [2, 0, 2], [3], [-1], [[0, 1], [1, 0]], 1, 0]
    lists = [torch.tensor(values, dtype=torch.int64) for values in lists]
    for index in lists:
        for shape in [[], [1], [0], *shapes_with_0(3, 3), [3, 2, 4]]:
            for dim in range(-len(shape) - 2, len(shape) + 2):
                run = lambda t, d=dim: torch.index_select(t["x"], d, t["index"])
                ins = {"x": numbers(*shape, seed=1), "index": index}
                picked("index_select", run, ins, ["x"], dim=dim)
        for shape, padding in itertools.product(
            [*shapes_with_0(3, 4), [2, 2], [3], [3, 2, 2]], (None, 0, 1, -1, -3, 3, -4)
        ):
            options = {} if padding is None else {"padding_idx": padding}
            run = lambda t, o=options: F.embedding(t["index"], t["weight"], **o)
            ins = {"index": index, "weight": numbers(*shape, seed=1)}
            picked("embedding", run, ins, ["weight"], **options)

    run = lambda t: F.embedding(t["x"].long(), t["weight"])
    for index in lists:
        sizes = {"in": 3, "out": 4}
        ins = {"x": index.float(), "weight": numbers(3, 4, seed=1)}
        picked("Embedding", run, ins, ["weight"], **sizes)
        padded = lambda t: F.embedding(t["x"].long(), t["weight"], padding_idx=1)
        picked("Embedding", padded, ins, ["weight"], padding_idx=1, **sizes)

    def pad(shape, sizes, value=0.0, reflect=False):
        mode = {"mode": "reflect"} if reflect else {"value": value}
        run = lambda t: F.pad(t["x"], sizes, **mode)
        options = {"sizes": ",".join(map(str, sizes)), "reflect": int(reflect), "value": value}
        picked("pad", run, {"x": numbers(*shape, seed=2)}, ["x"], **options)

    for shape in [[], [3], [0], *shapes_with_0(2, 3), [2, 3, 4]]:
        for sizes in ([], [1], [1, 2], [-1, 0], [-2, -2], [3, -3], [-4, 4], [0, 1, 2, 0],
                      [-1, 1, 1, -1], [0, 0, -2, 1], [1, 1, 0, 2, 1, 0], [0, -2, 0, 0, -1, 3]):  # fmt: skip
            for value in (0.0, -1.5, INF, NAN):
                pad(shape, sizes, value)
    for pair in itertools.product(range(-4, 5), repeat=2):
        pad([2, 3], pair, reflect=True)
        pad([0, 2, 3], pair, reflect=True)
        pad([2, 1, 3, 4], (1, 2, *pair), reflect=True)
        pad([1, 1, 2, 3, 2], (1, 0, *pair, 0, 1), reflect=True)


# --- products, convolution, pooling ------------------------------------------------------------


def products():
    run = lambda t: torch.matmul(t["a"], t["b"])
    for b, m, k, n in shapes_with_0(2, 3, 4, 5) + [[1, 1, 1, 1], [3, 17, 33, 9]]:
        for a_shape, b_shape, y in (
            ([m, k], [k, n], [m, n]),
            ([b, m, k], [b, k, n], [b, m, n]),
            ([b, m, k], [k, n], [b, m, n]),
            ([m, k], [b, k, n], [b, m, n]),
            ([1, m, k], [b, k, n], [b, m, n]),
        ):
            ins = {"a": numbers(*a_shape, seed=1), "b": numbers(*b_shape, seed=2)}
            case("matmul", run, ins | {"dy": numbers(*y, seed=3)}, ["a", "b"])
    for a_shape, b_shape in (
        ([3], [3]), ([2, 3], [3]), ([3], [3, 4]), ([5, 2, 3], [3]), ([3], [5, 3, 4]), ([0], [0]),
        ([2, 0], [0]), ([0], [0, 2]), ([2, 3, 4, 5], [5, 2]), ([4, 5], [2, 3, 5, 2]),
        ([2, 1, 4, 5], [3, 5, 2]), ([2, 3, 4, 5], [2, 1, 5, 2]), ([2, 0, 4, 5], [2, 1, 5, 2]),
        ([1, 4, 5], [0, 5, 2]), ([1, 4, 5], [3, 2, 5, 0]), ([], [3]), ([3], []), ([], []), ([3], [4]),
        ([2, 3], [2]), ([2], [3, 4]), ([2, 4, 5], [3, 5, 2]), ([2, 1, 4, 5], [3, 2, 5, 2]),
        ([0, 4, 5], [2, 5, 3]),
    ):  # fmt: skip
        ins = {"a": numbers(*a_shape, seed=1), "b": numbers(*b_shape, seed=2)}
        case("matmul", run, ins | {"dy": same_shape(run, ins)}, ["a", "b"])
    for value in ENDS:
        for which in ("a", "b", "dy"):
            ins = {"a": numbers(5, 7, seed=1), "b": numbers(7, 6, seed=2), "dy": numbers(5, 6)}
            ins[which] = spoilt(ins[which], value, 9)
            case("matmul", run, ins, ["a", "b"])
    case("matmul", run, {"a": numbers(2, 3), "b": numbers(4, 5), "dy": numbers(1)}, ["a"])

    for op in ("linear", "Linear"):
        run = lambda t: F.linear(t["x"], t["weight"], t.get("bias"))
        for n, i, o in shapes_with_0(4, 3, 5) + [[1, 1, 1], [9, 33, 17]]:
            if op == "Linear" and 0 in (i, o):
                continue  # see DEVIATIONS
            for lead, bias in itertools.product(([n], [], [2, n], [0, n]), (True, False)):
                ins = {"x": numbers(*lead, i, seed=1), "weight": numbers(o, i, seed=2)}
                ins["bias"] = numbers(o, seed=3) if bias else None
                ins["dy"] = numbers(*lead, o, seed=4)
                wants = ["x", "weight"] + ["bias"] * bias
                case(op, run, ins, wants, **{"in": i, "out": o, "bias": int(bias)})
    for value in ENDS:
        for which in ("x", "weight", "bias", "dy"):
            ins = {"x": numbers(5, 7), "weight": numbers(6, 7), "bias": numbers(6)}
            ins["dy"] = numbers(5, 6, seed=1)
            ins[which] = spoilt(ins[which], value, 3)
            case("linear", lambda t: F.linear(*(t[k] for k in ("x", "weight", "bias"))), ins,
                 ["x", "weight", "bias"])  # fmt: skip


def convolutions():
    def conv(op, x, weight, with_bias=True, spoil=None, **options):
        pair = {k: v for k, v in options.items()}
        transposed = "ranspose" in op
        function = F.conv_transpose2d if transposed else F.conv2d
        run = lambda t: function(t["x"], t["weight"], t.get("bias"), **pair)
        in_channels, out_channels = weight[1] * options.get("groups", 1), weight[0]
        if transposed:
            in_channels, out_channels = out_channels, in_channels
        ins = {"x": numbers(*x, seed=1), "weight": numbers(*weight, seed=2)}
        ins["bias"] = numbers(out_channels, seed=3) if with_bias else None
        try:
            ins["dy"] = numbers(*run(ins).shape, seed=4)
        except RAISES:
            ins["dy"] = numbers(1)
        if spoil:
            ins[spoil[0]] = spoilt(ins[spoil[0]], spoil[1], spoil[2])
        told = {k: ",".join(map(str, v)) if isinstance(v, tuple) else v for k, v in options.items()}
        told["kernel"] = f"{weight[2]},{weight[3]}"
        told |= {"in": in_channels, "out": out_channels}
        told["bias"] = int(with_bias)
        case(op, run, ins, ["x", "weight"] + ["bias"] * with_bias, **told)

    for op in ("conv2d", "Conv2d"):
        for x in shapes_with_0(2, 3, 6, 5):
            conv(op, x, [4, 3, 3, 3], padding=1)
            conv(op, x, [4, 3, 3, 3])
            conv(op, x, [4, 3, 1, 1], with_bias=False)
            conv(op, x, [4, 3, 1, 1], padding=1, stride=2)
        for x in ([3, 6, 5], [0, 6, 5], [6, 5], [2, 4, 6, 5]):
            conv(op, x, [4, 3, 3, 3], padding=1)
        for options in (
            {"stride": 2}, {"stride": (2, 1)}, {"padding": (2, 0)}, {"dilation": 2, "padding": 2},
            {"dilation": (1, 2), "padding": (0, 1)}, {"stride": 3, "padding": 2},
            {"stride": (1, 3), "padding": (3, 1), "dilation": (2, 1)}, {"stride": 0},
            {"dilation": 0}, {"padding": -1}, {"padding": "same"}, {"padding": "same", "stride": 2},
            {"padding": "same", "dilation": (2, 3)},
        ):  # fmt: skip
            conv(op, [2, 3, 7, 6], [4, 3, 3, 3], **options)
            conv(op, [0, 3, 7, 6], [4, 3, 3, 3], **options)
            conv(op, [2, 3, 7, 6], [5, 3, 2, 3], with_bias=False, **options)
        for groups, out in ((2, 4), (4, 4), (4, 8), (3, 6)):
            conv(op, [2, 4, 6, 5], [out, 4 // groups, 3, 3], padding=1, groups=groups)
            conv(op, [0, 4, 6, 5], [out, 4 // groups, 3, 3], padding=1, groups=groups)
    for op in ("conv_transpose2d", "ConvTranspose2d"):
        for x in shapes_with_0(2, 4, 6, 5) + [[4, 6, 5], [0, 6, 5], [6, 5], [2, 3, 6, 5]]:
            conv(op, x, [4, 3, 3, 3], padding=1)
            conv(op, x, [4, 3, 1, 1], padding=1, stride=2, with_bias=False)
        for options in (
            {}, {"stride": 2}, {"stride": (2, 1)}, {"padding": (2, 0)}, {"dilation": 2, "padding": 2},
            {"stride": 3, "padding": 2}, {"stride": 2, "output_padding": 1}, {"output_padding": 1},
            {"stride": (3, 2), "output_padding": (2, 1)}, {"output_padding": 1, "dilation": (3, 2)},
            {"stride": 2, "output_padding": 2}, {"output_padding": -1}, {"stride": 0},
            {"dilation": 0}, {"padding": -1}, {"padding": 9},
        ):  # fmt: skip
            conv(op, [2, 4, 5, 3], [4, 3, 3, 2], **options)
            conv(op, [0, 4, 5, 3], [4, 3, 3, 2], **options)
            conv(op, [2, 4, 5, 3], [4, 3, 2, 4], with_bias=False, **options)
        for groups in (2, 4, 3, 0):
            conv(op, [2, 4, 6, 5], [4, 2, 3, 3], padding=1, groups=groups)
    for weight in shapes_with_0(4, 3, 3, 3)[1:]:
        conv("conv_transpose2d", [2, weight[0], 6, 5], weight, padding=1)
    for value in (INF, -INF, NAN, MAX, TINY):
        for which, at in (("x", 0), ("x", 40), ("dy", 3), ("dy", 17), ("bias", 1)):
            for options in ({}, {"stride": 2, "padding": 1}):
                conv("conv_transpose2d", [2, 4, 6, 5], [4, 3, 3, 3], spoil=(which, value, at), **options)
    for weight in shapes_with_0(4, 3, 3, 3)[1:]:
        conv("conv2d", [2, weight[1], 6, 5], weight, padding=1)
    for value in (INF, -INF, NAN, MAX, TINY):
        for which, at in (("x", 0), ("x", 40), ("dy", 3), ("dy", 17), ("bias", 1)):
            for padding in (0, 1):
                conv("conv2d", [2, 3, 6, 5], [4, 3, 3, 3], padding=padding, spoil=(which, value, at))
                conv("conv2d", [2, 3, 6, 5], [4, 3, 1, 1], padding=0, spoil=(which, value, at))
                conv("conv2d", [2, 4, 6, 5], [4, 1, 3, 3], padding=padding, groups=4,
                     spoil=(which, value, at))  # fmt: skip
        # (A weight only without padding: whether infinity times a 0 of the padding counts differs.)
        conv("conv2d", [2, 3, 6, 5], [4, 3, 3, 3], spoil=("weight", value, 5))
        conv("conv2d", [1, 16, 12, 12], [16, 16, 3, 3], padding=1, spoil=("x", value, 700))
        conv("conv2d", [1, 16, 12, 12], [16, 16, 3, 3], padding=1, spoil=("dy", value, 700))

    def pool(op, function, x, keys, dy_at=None, **options):
        run = lambda t: function(t["x"], **{keys.get(k, k): v for k, v in options.items()})
        dy = same_shape(run, x)
        told = {k: ",".join(map(str, v)) if isinstance(v, tuple) else v for k, v in options.items()}
        told = {k: int(v) if isinstance(v, bool) else v for k, v in told.items()}
        if dy_at is not None:
            dy = spoilt(dy, dy_at, 2)
        case(op, run, {"x": x, "dy": dy}, ["x"], **told)

    windows = [
        {"kernel": 2}, {"kernel": 3, "stride": 2, "padding": 1}, {"kernel": (2, 3), "stride": 1},
        {"kernel": 2, "stride": 3, "ceil_mode": True}, {"kernel": 3, "stride": 2, "ceil_mode": True},
        {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 0)}, {"kernel": 2, "padding": 1},
        {"kernel": 2, "padding": 2}, {"kernel": 1}, {"kernel": 6}, {"kernel": 7}, {"kernel": 0},
        {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True}, {"kernel": 2, "stride": -1},
    ]  # fmt: skip
    shapes = shapes_with_0(2, 3, 6, 5) + [[3, 6, 5], [6, 5], [1, 1, 1, 1]]
    for options, shape in itertools.product(windows, shapes):
        for op in ("max_pool2d", "MaxPool2d"):
            pool(op, F.max_pool2d, numbers(*shape, seed=1), {"kernel": "kernel_size"}, **options)
            if shape == [2, 3, 6, 5] or shape == [0, 3, 6, 5]:
                pool(op, F.max_pool2d, numbers(*shape, seed=1), {"kernel": "kernel_size"},
                     dilation=2, **options)  # fmt: skip
        for op in ("avg_pool2d", "AvgPool2d"):
            for count in (True, False):
                pool(op, F.avg_pool2d, numbers(*shape, seed=1), {"kernel": "kernel_size"},
                     count_include_pad=count, **options)  # fmt: skip
    for shape, output in itertools.product(shapes, (1, 2, (3, 2), (6, 5), 7, 0, (0, 2), -1)):
        for op in ("adaptive_avg_pool2d", "AdaptiveAvgPool2d"):
            pool(op, F.adaptive_avg_pool2d, numbers(*shape, seed=1), {"output": "output_size"},
                 output=output)  # fmt: skip
        for op in ("adaptive_max_pool2d", "AdaptiveMaxPool2d"):
            pool(op, F.adaptive_max_pool2d, numbers(*shape, seed=1), {"output": "output_size"},
                 output=output)  # fmt: skip
    for divisor in (1, 5, -3, 0):
        pool("avg_pool2d", F.avg_pool2d, numbers(2, 3, 6, 5), {"kernel": "kernel_size"}, kernel=3,
             stride=2, padding=1, divisor_override=divisor)  # fmt: skip
    for value in ENDS:
        for at in (0, 8, 33, 59):
            x = spoilt(numbers(1, 2, 6, 5, seed=2), value, at)
            for options in windows[:7]:
                pool("max_pool2d", F.max_pool2d, x, {"kernel": "kernel_size"}, **options)
                pool("avg_pool2d", F.avg_pool2d, x, {"kernel": "kernel_size"}, **options)
            for output in (1, 2, (3, 2)):
                pool("adaptive_avg_pool2d", F.adaptive_avg_pool2d, x, {"output": "output_size"},
                     output=output)  # fmt: skip
                pool("adaptive_max_pool2d", F.adaptive_max_pool2d, x, {"output": "output_size"},
                     output=output)  # fmt: skip
            same = torch.full([1, 1, 6, 18], value)  # ties
            pool("max_pool2d", F.max_pool2d, same, {"kernel": "kernel_size"}, kernel=2, dy_at=value)
            pool("max_pool2d", F.max_pool2d, same, {"kernel": "kernel_size"}, kernel=3, stride=2,
                 padding=1, dy_at=value)  # fmt: skip
            pool("avg_pool2d", F.avg_pool2d, x, {"kernel": "kernel_size"}, kernel=2, dy_at=value)


# --- normalisation, dropout --------------------------------------------------------------------


def batch_norm():
    def of(x, training, running=True, affine=True, relu=False, dy=None, after=True, weight=None,
           mean=None, var=None, **options):  # fmt: skip
        c = x.shape[1] if x.dim() > 1 else 3
        ins = {"x": x, "dy": numbers(*x.shape, seed=2) if dy is None else dy}
        if running:
            ins |= {"running_mean": numbers(c, seed=3), "running_var": numbers(c, seed=4, low=0.5)}
            if mean is not None:
                ins["running_mean"] = spoilt(ins["running_mean"], mean, 0)
            if var is not None:
                ins["running_var"] = spoilt(ins["running_var"], var, 0)
        if affine:
            ins |= {"weight": numbers(c, seed=5), "bias": numbers(c, seed=6)}
            if weight is not None:
                ins["weight"] = spoilt(ins["weight"], weight, 0)

        def run(t):
            y = F.batch_norm(
                t["x"], t.get("running_mean"), t.get("running_var"), t.get("weight"), t.get("bias"),
                training, options.get("momentum", 0.1), options.get("eps", 1e-5),
            )  # fmt: skip
            return F.relu(y) if relu else y

        wants = ["x"] + ["weight", "bias"] * affine
        keep = ["running_mean", "running_var"] if running and after else []
        case("batch_norm", run, ins, wants, keep, training=int(training), relu=int(relu), **options)
        if affine and training:
            case("batch_norm", run, ins, ["weight"], keep, training=1, relu=int(relu), **options)
            case("batch_norm", run, ins, ["x"], keep, training=1, relu=int(relu), **options)

    shapes = shapes_with_0(4, 3, 2, 5) + shapes_with_0(4, 3, 5) + shapes_with_0(4, 3)
    for shape in shapes + [[1, 3], [1, 3, 1], [2, 3, 1, 1], [70, 3], [70, 40], [2, 40, 9], [5], []]:
        for training, running, affine, relu in itertools.product((False, True), repeat=4):
            of(numbers(*shape, seed=1), training, running, affine, relu)
    for momentum in (0.0, 1.0, 0.5):
        for shape in ([4, 3, 2, 5], [0, 3], [4, 3, 0, 2]):
            of(numbers(*shape, seed=1), True, momentum=momentum)
    for value in ENDS:
        for shape, at, training in itertools.product(([8, 3], [4, 3, 2, 5]), (0, 20), (0, 1)):
            of(spoilt(numbers(*shape, seed=1), value, at), training == 1)
            of(spoilt(numbers(*shape, seed=1), value, at), training == 1, relu=True)
            dy = spoilt(numbers(*shape, seed=2), value, at)
            of(numbers(*shape, seed=1), training == 1, dy=dy)
            of(numbers(*shape, seed=1), training == 1, weight=value)
            of(numbers(*shape, seed=1), training == 1, weight=value, relu=True)
            of(numbers(*shape, seed=1), training == 1, mean=value)
            if not value < 0:
                of(numbers(*shape, seed=1), training == 1, var=value)
    for offset in (1e3, 1e4, 1e6, 1e8, -1e6, 1e10, 1e20):  # the variance of values far from 0
        for shape in ([64, 3], [8, 3, 5, 7], [2000, 2]):
            x = (numbers(*shape, seed=7).double() * max(1.0, abs(offset) * 1e-5) + offset).float()
            of(x, True, after=abs(offset) < 1e18)
    for scale in (1e-6, 1e-20, 1e-30, 1e15, 1e18):
        of(numbers(16, 3, seed=8) * scale, True)
    of(torch.full([16, 3], 7.0), True)
    of(torch.full([16, 3, 4, 4], 1e8), True)

    def layer(op, x, training=True, calls=1, **options):
        torch_options = {k: v for k, v in options.items() if k != "relu"}
        torch_options["track_running_stats"] = torch_options.pop("track", True)

        def run(t):
            c = t["x"].shape[1] if t["x"].dim() > 1 else 3
            module = getattr(torch.nn, op)(c, **torch_options).to(t["x"].dtype)
            for name, p in module.named_parameters():
                p.requires_grad_(False).copy_(t[name].detach())
            if options.get("affine", True):
                del module.weight, module.bias
                module.weight, module.bias = t["weight"], t["bias"]
            module.train(training)
            for _ in range(calls):
                y = module(t["x"])
            t["buffers"] = dict(module.named_buffers())
            return F.relu(y) if options.get("relu") else y

        c = x.shape[1] if x.dim() > 1 else 3
        ins = {"x": x, "dy": numbers(*x.shape, seed=2)}
        wants = ["x"]
        if options.get("affine", True):
            ins |= {"weight": numbers(c, seed=5), "bias": numbers(c, seed=6)}
            wants += ["weight", "bias"]
        told = {k: int(v) if isinstance(v, bool) else v for k, v in options.items()}
        case(op, run, ins, wants, ["buffers"], **told | {"in": c, "training": int(training), "calls": calls})

    for op, shapes in (
        ("BatchNorm1d", [*shapes_with_0(4, 3), *shapes_with_0(4, 3, 5), [1, 3], [1, 3, 2], [2, 3, 4, 5]]),
        ("BatchNorm2d", [*shapes_with_0(4, 3, 2, 5), [1, 3, 1, 1], [1, 3, 2, 1], [2, 3]]),
    ):
        for shape in shapes:
            if shape[1] == 0:
                continue  # see DEVIATIONS
            for training, momentum, affine, track in itertools.product(
                (True, False), (0.1, None, 0.0, 1.0), (True, False), (True, False)
            ):
                layer(op, numbers(*shape, seed=1), training, 3 if training else 1,
                      momentum=momentum, affine=affine, track=track)  # fmt: skip
                if momentum == 0.1:
                    layer(op, numbers(*shape, seed=1), training, affine=affine, track=track, relu=True)


def row_norms():
    def of(op, x, learnt, function, layer=None, dy=None, weight=None, affine=True, bias=True,
           told=None, **options):  # fmt: skip
        ins = {"x": x, "dy": numbers(*x.shape, seed=2) if dy is None else dy}
        if affine:
            w = numbers(*learnt, seed=5)
            ins |= {"weight": w if weight is None else spoilt(w, weight, 0)}
        if bias:
            ins |= {"bias": numbers(*learnt, seed=6)}
        run = lambda t: function(t["x"], t.get("weight"), t.get("bias"), options.get("eps", 1e-5))
        wants = ["x"] + ["weight"] * affine + ["bias"] * bias
        case(op, run, ins, wants, **told, **options)
        for want in wants[:-1]:
            case(op, run, ins, [want], **told, **options)
        if layer and not options and (affine or not bias):
            flag = "elementwise_affine" if layer == "LayerNorm" else "affine"
            case(layer, run, ins, wants, **told, **{flag: int(affine), "bias": int(bias)})

    def layer_norm(x, dims, layer=None, **options):
        sizes = list(x.shape[x.dim() - dims :])
        f = lambda x, w, b, eps: F.layer_norm(x, sizes, w, b, eps)
        of("layer_norm", x, sizes, f, layer, **options, told={"sizes": ",".join(map(str, sizes))})

    def group_norm(x, groups, layer=None, **options):
        c = x.shape[1] if x.dim() > 1 else 3
        f = lambda x, w, b, eps: F.group_norm(x, groups, w, b, eps)
        told = {"groups": groups} | ({"in": c} if layer else {})
        of("group_norm", x, [c], f, layer, **options, told=told)

    both = list(itertools.product((True, False), repeat=2))
    for shape in shapes_with_0(4, 3, 5) + shapes_with_0(4, 6) + [[5], [1], [0], [], [3, 1], [2, 70]]:
        for dims, (affine, bias) in itertools.product(range(len(shape) + 1), both):
            layer = "LayerNorm" if dims and 0 not in shape[len(shape) - dims :] else None
            layer_norm(numbers(*shape, seed=1), dims, layer, affine=affine, bias=bias)
    for shape in shapes_with_0(3, 4, 5) + shapes_with_0(3, 4) + shapes_with_0(2, 4, 3, 5) + [
        [1, 4], [1, 4, 1], [1, 1], [2, 4, 1], [2, 40, 9], [4], []]:  # fmt: skip
        for groups, (affine, bias) in itertools.product((1, 2, 3, 4, 0, -1), both):
            if bias and not affine:
                continue  # PyTorch has no gradient of a bias alone
            c = shape[1] if len(shape) > 1 else 0
            layer = "GroupNorm" if groups > 0 and c > 0 and c % groups == 0 else None
            group_norm(numbers(*shape, seed=1), groups, layer, affine=affine, bias=bias)
    for value in ENDS:
        for norm, shape, n in ((layer_norm, [3, 8], 1), (group_norm, [2, 4, 10], 2)):
            norm(spoilt(numbers(*shape, seed=1), value, 12), n)
            norm(numbers(*shape, seed=1), n, dy=spoilt(numbers(*shape, seed=2), value, 12))
            norm(numbers(*shape, seed=1), n, weight=value)
    for offset in (1e3, 1e4, 1e6, -1e6, 1e10, 1e20):  # the variance of values far from 0
        for norm, shape, n in ((layer_norm, [3, 64], 1), (group_norm, [2, 4, 100], 2)):
            x = numbers(*shape, seed=7).double() * max(1.0, abs(offset) * 1e-5) + offset
            norm(x.float(), n)
    for scale in (1e-6, 1e-20, 1e-30, 1e15, 1e18):
        layer_norm(numbers(3, 16, seed=8) * scale, 1)
        group_norm(numbers(2, 4, 16, seed=8) * scale, 2)
    for eps in (0.0, 0.5, 1e-12):
        layer_norm(numbers(3, 16, seed=9), 1, eps=eps)
        layer_norm(torch.full([3, 16], 7.0), 1, eps=eps)
        group_norm(numbers(2, 4, 16, seed=9), 2, eps=eps)


def dropout():
    for op, shape in itertools.product(("dropout", "Dropout"), ([], [0], [2, 0], [3, 4])):
        for p in (0.0, 1.0):
            run = lambda t, p=p: F.dropout(t["x"], p)
            ins = {"x": numbers(*shape), "dy": numbers(*shape, seed=1)}
            case(op, run, ins, ["x"], p=p)
    for op, shape in itertools.product(("dropout2d", "Dropout2d"), shapes_with_0(2, 3, 4, 5)):
        for p in (0.0, 1.0):
            run = lambda t, p=p: F.dropout2d(t["x"], p)
            ins = {"x": numbers(*shape), "dy": numbers(*shape, seed=1)}
            case(op, run, ins, ["x"], p=p)
    x, dy = grid(SPECIAL, UPSTREAM)
    for p in (0.0, 1.0):
        case("dropout", lambda t, p=p: F.dropout(t["x"], p), {"x": x, "dy": dy}, ["x"], p=p)
    for op in ("Dropout", "Dropout2d"):
        x = numbers(2, 3, 4, 5)
        case(op, lambda t: t["x"] * 1, {"x": x, "dy": x}, ["x"], p=0.7, training=0)


# --- losses ------------------------------------------------------------------------------------


def upstream(reduction, shape, number=1.0):
    """For losses of this shape."""
    if reduction != "none":
        return torch.tensor(number)
    return numbers(*shape, seed=9) + number


def class_losses():
    """cross_entropy and nll_loss with weights, ignored labels, probabilities and any shape."""
    shapes = ([3], [4, 3], [0, 3], [2, 3, 4], [2, 3, 0], [2, 3, 2, 2], [70, 3], [5, 1], [])
    for reduction, shape, weighted in itertools.product(("mean", "sum", "none"), shapes, (0, 1)):
        place = 0 if len(shape) == 1 else 1
        without = shape[:place] + shape[place + 1 :]
        count, classes = math.prod(without), ([*shape, 1, 1])[place]
        for smoothing, ignored, dy in itertools.product((0.0, 0.1), (-100, 1, None), (1.0, INF, NAN)):
            options = {"reduction": reduction, "label_smoothing": smoothing}
            ins = {"x": numbers(*shape, seed=1), "dy": upstream(reduction, without, dy)}
            if weighted:
                ins["weight"] = numbers(classes, low=0.0)
            if ignored is None:
                run = lambda t, o=options: F.cross_entropy(t["x"], t["target"], t.get("weight"), **o)
                ins["target"] = numbers(*shape, seed=2, low=0.0, high=1.0)
                case("cross_entropy", run, ins, ["x", "target"], **options)
                continue
            ins["labels"] = torch.arange(count) % classes
            if ignored == -100 and count > 1:
                ins["labels"][1] = -100
            ins["labels"] = ins["labels"].reshape(without)
            run = lambda t, o=options, i=ignored: F.cross_entropy(
                t["x"], t["labels"], t.get("weight"), ignore_index=i, **o
            )
            case("cross_entropy", run, ins, ["x"], ignore_index=ignored, **options)
            if smoothing == 0.0:
                run = lambda t, r=reduction, i=ignored: F.nll_loss(
                    t["x"], t["labels"], t.get("weight"), ignore_index=i, reduction=r
                )
                case("nll_loss", run, ins, ["x"], ignore_index=ignored, reduction=reduction)
    few = ENDS + [1e16, 100.0]
    for a, b, w in itertools.product(few, few, (0.0, 2.0, INF)):
        for smoothing, reduction in ((0.0, "mean"), (0.1, "mean"), (0.0, "none")):
            options = {"reduction": reduction, "label_smoothing": smoothing}
            run = lambda t, o=options: F.cross_entropy(t["x"], t["labels"], t["weight"], **o)
            ins = {"x": torch.tensor([[a, b], [1.0, 2.0]]), "labels": torch.tensor([0, 1])}
            ins |= {"weight": torch.tensor([w, 1.0]), "dy": upstream(reduction, [2])}
            case("cross_entropy", run, ins, ["x"], **options)
            if smoothing == 0.0:
                run = lambda t, r=reduction: F.nll_loss(t["x"], t["labels"], t["weight"], reduction=r)
                case("nll_loss", run, ins, ["x"], reduction=reduction)
            run = lambda t, o=options: F.cross_entropy(t["x"], t["target"], **o)
            ins = {"x": torch.tensor([[a, 0.5]]), "target": torch.tensor([[b, 0.25]])}
            ins["dy"] = upstream(reduction, [1])
            case("cross_entropy", run, ins, ["x", "target"], **options)
    for x, labels in (([2], [2, 2]), ([3], [1]), ([2, 3], [2, 3]), ([2, 3, 4], [2]), ([2, 3, 4], [2, 3])):
        ins = {"x": numbers(*x), "labels": torch.zeros(labels, dtype=torch.int64)}
        ins["dy"] = torch.tensor(1.0)
        case("cross_entropy", lambda t: F.cross_entropy(t["x"], t["labels"]), ins, ["x"],
             label_smoothing=0.0)  # fmt: skip
        case("nll_loss", lambda t: F.nll_loss(t["x"], t["labels"]), ins, ["x"])


def losses():
    both = ("mean", "sum")
    one = torch.tensor(1.0)
    few = ENDS + [1e16, 1e12, 100.0, -100.0]
    for reduction, smoothing in itertools.product(both, (0.0, 0.1, 1.0)):
        run = lambda t, r=reduction, s=smoothing: F.cross_entropy(
            t["x"], t["labels"], reduction=r, label_smoothing=s
        )
        options = {"reduction": reduction, "label_smoothing": smoothing}
        for dy in (1.0, -2.0, 0.0, INF, NAN):
            ins = {"x": numbers(4, 3, seed=1), "labels": torch.tensor([0, 2, 1, 1])}
            case("cross_entropy", run, ins | {"dy": torch.tensor(dy)}, ["x"], **options)
        for n, c in ((0, 3), (1, 1), (0, 0), (2, 0), (0, 1), (70, 40)):
            ins = {"x": numbers(n, c, seed=2), "labels": torch.arange(n) % max(c, 1), "dy": one}
            case("cross_entropy", run, ins, ["x"], **options)
        for a, b in itertools.product(few, few):
            ins = {"x": torch.tensor([[a, b]]), "labels": torch.tensor([0]), "dy": one}
            case("cross_entropy", run, ins, ["x"], **options)
            if smoothing == 0.0:
                run_nll = lambda t, r=reduction: F.nll_loss(t["x"], t["labels"], reduction=r)
                case("nll_loss", run_nll, ins, ["x"], reduction=reduction)
    for reduction in both:
        run = lambda t, r=reduction: F.nll_loss(t["x"], t["labels"], reduction=r)
        for n, c in ((0, 3), (1, 1), (0, 0), (2, 0), (5, 4)):
            for dy in (1.0, INF, 0.0):
                ins = {"x": numbers(n, c, seed=2), "labels": torch.arange(n) % max(c, 1)}
                case("nll_loss", run, ins | {"dy": torch.tensor(dy)}, ["x"], reduction=reduction)
    for labels in ([3, 0], [-1, 0], [0]):
        ins = {"x": numbers(2, 3), "labels": torch.tensor(labels), "dy": one}
        case("nll_loss", lambda t: F.nll_loss(t["x"], t["labels"]), ins, ["x"])
        case("cross_entropy", lambda t: F.cross_entropy(t["x"], t["labels"]), ins, ["x"])

    class_losses()

    both = ("mean", "sum", "none")
    distances = {"mse_loss": (F.mse_loss, [{}]), "l1_loss": (F.l1_loss, [{}])}
    deltas = [{"delta": d} for d in (1.0, 0.25, 5.0, 0.0, -1.0, INF, NAN, 1e30, 1e-30)]
    distances["huber_loss"] = (F.huber_loss, deltas)
    kl_div = lambda x, t, reduction, log_target: F.kl_div(
        x, t, reduction=reduction, log_target=bool(log_target)
    )
    distances["kl_div"] = (kl_div, [{"log_target": 0}, {"log_target": 1}])
    distances["smooth_l1_loss"] = (F.smooth_l1_loss, [{"beta": b} for b in (1.0, 0.0, 0.25, 5.0)])
    for op, (function, choices) in distances.items():
        for reduction, options in itertools.product(both, choices):
            run = lambda t, f=function, r=reduction, o=options: f(
                t["x"], t["target"], reduction=r, **o
            )
            for a, b in itertools.product(ENDS + [0.5, 1e20], [0.0, INF, -INF, NAN, MAX, TINY, 1.0]):
                ins = {"x": torch.tensor([a, 1.0]), "target": torch.tensor([b, 0.25])}
                ins["dy"] = upstream(reduction, [2])
                case(op, run, ins, ["x", "target"], reduction=reduction, **options)
            for dy in (-2.0, 0.0, INF, NAN):
                ins = {"x": numbers(4, 3, seed=1), "target": numbers(4, 3, seed=2)}
                ins["target"][0] = ins["x"][0]
                ins["dy"] = upstream(reduction, [4, 3], dy)
                case(op, run, ins, ["x", "target"], reduction=reduction, **options)
            for shape in ([], [0], [2, 0], [0, 3], [3, 5], [70, 40]):
                ins = {"x": numbers(*shape, seed=1), "target": numbers(*shape, seed=2)}
                ins["dy"] = upstream(reduction, shape)
                case(op, run, ins, ["x", "target"], reduction=reduction, **options)
    for shape, log_target in itertools.product(([], [0, 3], [2, 0], [3, 5]), (0, 1)):
        run = lambda t, l=log_target: F.kl_div(
            t["x"], t["target"], reduction="batchmean", log_target=bool(l)
        )
        ins = {"x": numbers(*shape, seed=1), "target": numbers(*shape, low=0.1), "dy": one}
        case("kl_div", run, ins, ["x", "target"], reduction="batchmean", log_target=log_target)

    op = "binary_cross_entropy"
    for reduction in both:
        run = lambda t, r=reduction: F.binary_cross_entropy(
            t["x"], t["target"], t.get("weight"), reduction=r
        )
        some = (0.0, 1.0, 0.25, 1e-30, 0.9999999, TINY, -0.1, 1.5, NAN)
        for x, target, w in itertools.product(some, some, (None, 2.0, 0.0, -1.0)):
            ins = {"x": torch.tensor([x, 0.5]), "target": torch.tensor([target, 0.5])}
            ins["weight"] = None if w is None else torch.tensor([w, 1.0])
            ins["dy"] = upstream(reduction, [2])
            case(op, run, ins, ["x", "target"], reduction=reduction)
        for dy in (-2.0, 0.0, INF, NAN):
            ins = {"x": numbers(4, 3, low=0.1, high=0.9), "target": numbers(4, 3, low=0.0, high=1.0)}
            ins["dy"] = upstream(reduction, [4, 3], dy)
            case(op, run, ins, ["x", "target"], reduction=reduction)
        for shape in ([], [0], [2, 0], [0, 3], [3, 5], [70, 40]):
            ins = {"x": numbers(*shape, seed=1, low=0.0, high=1.0), "dy": upstream(reduction, shape)}
            ins["target"] = numbers(*shape, low=0.0, high=1.0)
            case(op, run, ins, ["x", "target"], reduction=reduction)
            case(op, run, ins | {"weight": numbers(*shape[-1:])}, ["x", "target"], reduction=reduction)

    op = "binary_cross_entropy_with_logits"
    for w, x, target in itertools.product((2.0, 0.0, -1.0), SPECIAL, (0.0, 0.25, 1.0)):
        run = lambda t: F.binary_cross_entropy_with_logits(
            t["x"], t["target"], t["weight"], reduction="none"
        )
        ins = {"x": torch.tensor([x, 1.0]), "target": torch.tensor([target, 0.5])}
        ins |= {"weight": torch.tensor([w, 3.0]), "dy": torch.tensor([1.0, -2.0])}
        case(op, run, ins, ["x", "target"], reduction="none")
    for reduction in ("mean", "sum"):
        run = lambda t, r=reduction: F.binary_cross_entropy_with_logits(
            t["x"], t["target"], reduction=r, pos_weight=t.get("pos_weight")
        )
        for x, target in itertools.product(SPECIAL, (0.0, 1.0, 0.25, TINY)):
            for weight in (None,) if reduction == "mean" else (None, 2.0, 0.0, 1e6, INF, NAN):
                ins = {"x": torch.tensor([x, 1.0]), "target": torch.tensor([target, 0.5])}
                if weight is not None:
                    if target == TINY:
                        continue  # PyTorch loses it: it is added to 1
                    ins["pos_weight"] = torch.tensor([weight, 1.0])
                case(op, run, ins | {"dy": one}, ["x", "target"], reduction=reduction)
        for dy in (-2.0, 0.0, INF, NAN):
            ins = {"x": numbers(4, 3, seed=1), "target": numbers(4, 3, low=0.0, high=1.0)}
            case(op, run, ins | {"dy": torch.tensor(dy)}, ["x", "target"], reduction=reduction)
        for shape in ([], [0], [2, 0], [0, 3], [3, 5], [70, 40]):
            ins = {"x": numbers(*shape, seed=1), "target": numbers(*shape, low=0.0, high=1.0)}
            case(op, run, ins | {"dy": one}, ["x", "target"], reduction=reduction)
            if shape:
                ins["pos_weight"] = numbers(shape[-1], low=0.5)
                case(op, run, ins | {"dy": one}, ["x", "target"], reduction=reduction)

    for shape in ([], [0], [3, 4]):
        ins = {"a": numbers(*shape, seed=1), "b": torch.tensor(ENDS), "dy": one}
        case("l1_penalty", lambda t: t["a"].abs().sum() + t["b"].abs().sum(), ins, ["a", "b"])
    for value, dy in itertools.product(ENDS, (1.0, 0.0, INF)):
        ins = {"a": torch.tensor([value, 1.0]), "b": numbers(3), "dy": torch.tensor(dy)}
        case("l1_penalty", lambda t: t["a"].abs().sum() + t["b"].abs().sum(), ins, ["a", "b"])


# --- optimizers --------------------------------------------------------------------------------


def clip(t, max_norm):
    parameters = [torch.nn.Parameter(t[name].clone()) for name in ("a", "b")]
    for p in parameters:
        p.grad = p.detach().clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return torch.cat([norm.reshape(1), *(p.grad.flatten() for p in parameters)])


def optimizers():
    for value, max_norm in itertools.product(ENDS, (1.0, 0.0, 100.0, INF, 1e-10, 1e30)):
        ins = {"a": torch.tensor([value, 1.0, -2.0]), "b": numbers(2, 2)}
        case("clip_grad_norm_", lambda t, m=max_norm: clip(t, m), ins, max_norm=max_norm)
    for shape in ([0], [2, 0], [3]):
        ins = {"a": numbers(*shape), "b": torch.zeros(2)}
        case("clip_grad_norm_", lambda t: clip(t, 0.5), ins, max_norm=0.5)

    def trajectory(t, name, options):
        w = torch.nn.Parameter(t["w"].clone())
        optimizer = getattr(torch.optim, name)([w], **options)
        rows = []
        for g in t["g"]:
            w.grad = g.clone()
            optimizer.step()
            rows.append(w.detach().clone())
        return torch.stack(rows)

    def told(options):
        words = {k: int(v) if isinstance(v, bool) else v for k, v in options.items()}
        if "betas" in words:
            words["beta1"], words["beta2"] = words.pop("betas")
        return words

    on = (False, True)
    choices = {"SGD": [], "Adam": [], "AdamW": [], "RMSprop": []}
    for lr, momentum, dampening, decay, nesterov, maximize in itertools.product(
        (0.1, 0.0), (0.0, 0.9, 1.0), (0.0, 0.5, 1.0), (0.0, 0.01), on, on
    ):
        if not nesterov or (momentum > 0 and dampening == 0):
            choices["SGD"].append(
                dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=decay,
                     nesterov=nesterov, maximize=maximize)
            )  # fmt: skip
    for lr, betas, eps, decay, amsgrad, maximize in itertools.product(
        (0.1, 0.0), ((0.9, 0.999), (0.0, 0.0), (0.0, 0.9), (0.5, 0.0)), (1e-8, 0.0), (0.0, 0.01), on, on
    ):
        o = dict(lr=lr, betas=betas, eps=eps, weight_decay=decay, amsgrad=amsgrad, maximize=maximize)
        choices["Adam"].append(o)
        choices["AdamW"].append(o)
    for lr, alpha, eps, decay, momentum, centered, maximize in itertools.product(
        (0.1, 0.0), (0.99, 0.0, 1.0), (1e-8, 0.0), (0.0, 0.01), (0.0, 0.9), on, on
    ):
        if centered and alpha == 0:
            continue  # divides by nothing but rounding errors
        choices["RMSprop"].append(
            dict(lr=lr, alpha=alpha, eps=eps, weight_decay=decay, momentum=momentum,
                 centered=centered, maximize=maximize)
        )  # fmt: skip
    w, g = grid([0.5, -0.0, INF, -INF, NAN, MAX, TINY, -3.0], ENDS + [1e20, 1e-20, 1e-30, 0.25])
    plain = numbers(len(w), seed=1)
    first_inf = torch.stack([g, plain, -plain, plain / 2])  # a special gradient, then plain ones
    last_inf = torch.stack([plain, -plain, g])
    for name, options in choices.items():
        for o in options:
            run = lambda t, n=name, o=o: trajectory(t, n, o)
            case(name, run, {"w": w, "g": first_inf}, **told(o))
            case(name, run, {"w": w, "g": last_inf}, **told(o))
            case(name, run, {"w": numbers(2, 0), "g": numbers(3, 2, 0)}, **told(o))


# --- running and comparing ---------------------------------------------------------------------


def reference(c, dtype):
    """What PyTorch gives for a case, by the names that sweep.cpp has; None where it raises."""
    t = {}
    for name, value in c.inputs.items():
        t[name] = value.detach().clone()
        if value.is_floating_point():
            t[name] = t[name].to(dtype).requires_grad_(name in c.wants)
    try:
        y = c.function(t)
        if c.wants:
            gradients = torch.autograd.grad(y, [t[n] for n in c.wants], t["dy"], allow_unused=True)
    except RAISES:
        return None
    found = {"y": y}
    if c.wants:
        for name, gradient in zip(c.wants, gradients):
            found[f"grad.{name}"] = torch.zeros_like(t[name]) if gradient is None else gradient
    for name in c.after:
        if name == "buffers":
            found |= {f"after.{n}": value for n, value in t["buffers"].items()}
        else:
            found[f"after.{name}"] = t[name]
    return {name: value.detach() for name, value in found.items()}


TOLERANCE = 1e-4


def largest(x):
    """Of the numbers that are not special."""
    size = x[x.isfinite()].abs()
    size = size[size < 1e20]
    return size.max().item() if size.numel() else 0


def far(got, expected, floor):
    """Where `got` differs from `expected` beyond rounding. Where a small value is left of larger
    ones (of size `floor`) that cancel, the rounding is theirs. An infinity is far from the others."""
    scale = expected.abs().clamp(min=floor)
    close = (got == expected) | ((got - expected).abs() <= TOLERANCE * scale + 2 * TINY)
    return ~(close | (got.isnan() & expected.isnan()))


def wrong(got, single, double, dy):
    """Where `got` is neither what PyTorch has in float32 nor what it has in float64, rounded."""
    floor = max(largest(double), largest(dy)) / 100
    exact = far(got.double(), double.double(), floor) & far(got, double.float(), floor)
    return far(got.double(), single.double(), floor) & exact


def show(x, at):
    return ", ".join(f"{v:.9g}" for v in x.reshape(-1)[at].reshape(-1)[:4].tolist())


def describe(c, name, got, single, double, at):
    """The first wrong value, with its inputs."""
    text = f"{name}[{at}] is {show(got, at)}, PyTorch's {show(single, at)} ({show(double, at)})"
    for key, value in c.inputs.items():
        if value.shape == got.shape and value.numel() > 4:
            text += f"; {key}[{at}] = {show(value, at)}"
        elif value.numel() <= 4:
            text += f"; {key} = {value.tolist()}"
        else:
            text += f"; {key} {list(value.shape)}"
    return text


def compare(c, single, double, results, error):
    """None, or what is wrong with a case."""
    if single is None or error is not None:
        if single is None and error is not None:
            return None
        shapes = "; ".join(f"{k} {list(v.shape)}" for k, v in c.inputs.items())
        return f"{shapes}: " + (f"Primer throws: {error}" if error else "PyTorch raises, Primer does not")
    for name, expected in single.items():
        got = results[name]
        if got.shape != expected.shape:
            return f"{name}: the shape is {list(got.shape)}, PyTorch's {list(expected.shape)}"
        dy = c.inputs.get("dy", torch.zeros(0)) if name.startswith("grad") else torch.zeros(0)
        bad = wrong(got, expected, double[name], dy).reshape(-1)
        if bad.any():
            at = int(bad.nonzero()[0])
            count = f"{int(bad.sum())} of {bad.numel()} wrong: "
            return count + describe(c, name, got, expected, double[name], at)
    return None


def deviation(c):
    """Why a case may differ on purpose, or None."""
    return next((why for ops, meant, why in DEVIATIONS if c.op in ops.split() and meant(c)), None)


def verdict(c, reference, results, error):
    """Whether a case passed, is meant to differ, or is wrong; and what is wrong."""
    fault = compare(c, *reference, results, error)
    return "passed" if fault is None else "meant" if deviation(c) else "wrong", fault


def write_cases(path, cases):
    tensors, texts = {}, {"format": "pt"}
    for i, c in enumerate(cases):
        words = [c.op] + [f"{k}={v}" for k, v in c.options.items()]
        if c.wants:
            words.append("wants=" + ",".join(c.wants))
        if c.after and c.after != ["buffers"]:
            words.append("after=" + ",".join(c.after))
        texts[str(i)] = " ".join(words)
        for name, value in c.inputs.items():
            tensors[f"{i}/{name}"] = value.contiguous()
    save_file({k: v.clone() for k, v in tensors.items()}, path, metadata=texts)


def run_primer(program, level, files):
    """The results and errors of all cases at an instruction set; None if the processor lacks it."""
    environment = os.environ | ({"PRIMER_ISA": level} if level else {})
    done = subprocess.run([program, *files], env=environment, capture_output=True, text=True)
    if "PRIMER_ISA: expected one that this processor has" in done.stderr:
        return None
    assert done.returncode == 0, f"{program} ended with {done.returncode}: {done.stderr}"
    results = collections.defaultdict(dict)
    with safe_open(files[1], "pt") as file:
        errors = {int(k): v for k, v in (file.metadata() or {}).items() if k.isdigit()}
        for key in file.keys():
            i, name = key.split("/", 1)
            results[int(i)][name] = file.get_tensor(key)
    return results, errors


def run_in_parts(program, level, cases, folder):
    """run_primer for any number of cases: Primer reads at most 100 000 tensors of a file."""
    files = [os.path.join(folder, name) for name in ("cases", "results")]
    results, errors = collections.defaultdict(dict), {}
    for first in range(0, len(cases), PART):
        write_cases(files[0], cases[first : first + PART])
        found = run_primer(program, level, files)
        if found is None:
            return None
        results |= {first + i: tensors for i, tensors in found[0].items()}
        errors |= {first + i: error for i, error in found[1].items()}
    return results, errors


def judge(references, results, errors):
    """Prints the faults, and how many cases of each op agree with PyTorch. Returns whether all do."""
    counts = collections.defaultdict(collections.Counter)
    for i, c in enumerate(cases):
        found, fault = verdict(c, references[i], results[i], errors.get(i))
        counts[c.op][found] += 1
        if found == "wrong" and counts[c.op]["wrong"] <= 5:
            options = " ".join(f"{k}={v}" for k, v in c.options.items())
            print(f"FAILED: {c.op} {options}: {fault}")
    for op, n in [*counts.items(), ("all ops", sum(counts.values(), collections.Counter()))]:
        text = f"{op}: {n['passed']} of {n.total()} cases as PyTorch {torch.__version__}"
        text += f", {n['meant']} otherwise on purpose" if n["meant"] else ""
        print(text + (f", {n['wrong']} WRONG" if n["wrong"] else ""))
    return all(n["wrong"] == 0 for n in counts.values())


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="the sweep that CMake builds")
    parser.add_argument("ops", nargs="*", help="only these; default: all")
    parser.add_argument("--isa", action="append", help="PRIMER_ISA to run at; may be repeated")
    arguments = parser.parse_args()
    for make in (activations, gated, binary, comparing, over_dims, views, indices, products,
                 convolutions, batch_norm, row_norms, dropout, losses, optimizers):  # fmt: skip
        make()
    cases[:] = [c for c in cases if not arguments.ops or c.op in arguments.ops]
    references = [(reference(c, torch.float32), reference(c, torch.float64)) for c in cases]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for level in arguments.isa or [None]:
            print(f"-- {level or 'the best instruction set'}")
            found = run_in_parts(arguments.program, level, cases, folder)
            if found is None:
                print(f"skipped: this processor has no {level}")
                continue
            good = judge(references, *found) and good
    print("on purpose otherwise:")
    for ops, _, reason in DEVIATIONS:
        print(f"  {ops}: {reason}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT

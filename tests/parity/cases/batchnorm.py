"""The op of core/ops/batchnorm.cpp, and its layers."""

import torch
import torch.nn.functional as F

from make_fixtures import real

RUNNING = ("running_mean", "running_var")


def running(channels):
    return {
        "running_mean": real(channels, grad=False),
        "running_var": real(channels, low=1, high=3, grad=False),
    }


def cases(case):
    def batch_norm(name, x, **options):
        case(
            name,
            lambda x, weight, bias, mean, var: F.batch_norm(x, mean, var, weight, bias, **options),
            after=RUNNING,
            x=real(*x),
            weight=real(x[1]),
            bias=real(x[1]),
            **running(x[1]),
        )

    for training in (True, False):
        mode = "training" if training else "evaluation"
        batch_norm(f"{mode}: images", x=(2, 3, 5, 7), training=training)
        batch_norm(f"{mode}: rows", x=(5, 3), training=training)
        batch_norm(f"{mode}: sequences", x=(2, 3, 5), training=training)
        batch_norm(f"{mode}: one image", x=(1, 3, 3, 3), training=training)
        batch_norm(f"{mode}: one channel", x=(3, 1, 2, 3), training=training)
        batch_norm(f"{mode}: eps", x=(2, 3, 3, 3), training=training, eps=0.5)
        batch_norm(f"{mode}: momentum", x=(2, 3, 3, 3), training=training, momentum=0.75)
    batch_norm("training: momentum 0", x=(2, 3, 3, 3), training=True, momentum=0.0)
    batch_norm("training: momentum 1", x=(2, 3, 3, 3), training=True, momentum=1.0)
    # One value per channel has no variance, but evaluation needs none.
    batch_norm("evaluation: one row", x=(1, 3), training=False)

    bare = lambda x: F.batch_norm(x, None, None, training=True)
    case("training: x alone", bare, x=real(2, 3, 3, 3))
    only_weight = lambda x, weight: F.batch_norm(x, None, None, weight, training=True)
    case("training: without bias", only_weight, x=real(2, 3, 3, 3), weight=real(3))
    frozen = lambda x, mean, var: F.batch_norm(x, mean, var)
    case("evaluation: without weight and bias", frozen, x=real(5, 3), **running(3))

    def layer(name, kind, x, affine=False, **options):
        """Trains on two batches, then evaluates a third."""

        def run(a, b, c, mean, var, *weight_and_bias):
            norm = kind(x[1], affine=affine, dtype=torch.float64, **options)
            if norm.running_mean is not None:
                norm.running_mean, norm.running_var = mean, var
            learnt = dict(zip(("weight", "bias"), weight_and_bias))
            call = lambda batch: torch.func.functional_call(norm, learnt, (batch,))
            training = [call(a), call(b)]
            norm.eval()
            return torch.cat(training + [call(c)])

        learnt = {"weight": real(x[1]), "bias": real(x[1])} if affine else {}
        batches = {"a": real(*x), "b": real(*x), "c": real(*x)}
        case(name, run, after=RUNNING, **batches, **running(x[1]), **learnt)

    layer("layer: momentum", torch.nn.BatchNorm2d, (2, 3, 3, 2), momentum=0.25)
    layer("layer: plain average", torch.nn.BatchNorm2d, (2, 3, 3, 2), momentum=None)
    layer("layer: nothing tracked", torch.nn.BatchNorm2d, (2, 3, 3, 2), track_running_stats=False)
    layer("layer: rows, eps", torch.nn.BatchNorm1d, (4, 3), eps=0.5)
    layer("layer: affine, images", torch.nn.BatchNorm2d, (2, 3, 3, 2), affine=True)
    layer("layer: affine, rows", torch.nn.BatchNorm1d, (4, 3), affine=True)
    layer("layer: affine, sequences", torch.nn.BatchNorm1d, (2, 3, 5), affine=True)
    layer("layer: sequences", torch.nn.BatchNorm1d, (2, 3, 5))
# SPDX-License-Identifier: MIT

"""What the cases of the optimizers share."""

import torch

from make_fixtures import real


def trajectory(make, schedule=()):
    """The values of w under the gradients g[0], g[1], ...: one row for each step.

    make([w]) is the optimizer; schedule[i], where there is one, its learning rate in step i.
    """

    def run(w, g):
        optimizer = make([w])
        rows = []
        for step, gradient in enumerate(g):
            if step < len(schedule):
                optimizer.param_groups[0]["lr"] = schedule[step]
            w.grad = gradient.clone()
            optimizer.step()
            rows.append(w.detach().clone())
        return torch.stack(rows)

    return run


def weight_and_gradients():
    """A weight and six gradients of it. (The optimizer wants a leaf; no gradient is compared.)"""
    return {"w": real(2, 3, grad=False), "g": real(6, 2, 3, grad=False)}
# SPDX-License-Identifier: MIT

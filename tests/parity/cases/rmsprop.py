"""The optimizer of optim/rmsprop.h."""

import torch
from optimizers import trajectory, weight_and_gradients


def cases(case):
    def rmsprop(name, schedule=(), **options):
        run = trajectory(lambda w: torch.optim.RMSprop(w, **options), schedule)
        case(name, run, **weight_and_gradients())

    rmsprop("defaults")
    rmsprop("alpha", lr=0.1, alpha=0.5)
    rmsprop("eps", lr=0.1, eps=0.5)
    rmsprop("weight decay", lr=0.1, weight_decay=0.25)
    rmsprop("momentum", lr=0.1, momentum=0.9)
    rmsprop("centered", lr=0.1, centered=True)
    rmsprop("centered, momentum, weight decay", momentum=0.5, centered=True, weight_decay=0.25)
    rmsprop("maximize", lr=0.1, weight_decay=0.25, maximize=True)
    rmsprop("momentum, lr changes", momentum=0.5, schedule=(0.1, 0.2, 0.05, 0, 0.01, 1))
# SPDX-License-Identifier: MIT

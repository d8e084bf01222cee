"""The optimizers of optim/adam.h."""

import torch
from optimizers import trajectory, weight_and_gradients


def cases(case):
    for kind in (torch.optim.Adam, torch.optim.AdamW):

        def adam(name, schedule=(), **options):
            run = trajectory(lambda w: kind(w, **options), schedule)
            case(f"{kind.__name__}: {name}", run, **weight_and_gradients())

        adam("defaults")
        adam("lr", lr=0.1)
        adam("betas", lr=0.1, betas=(0.5, 0.75))
        adam("beta 0", lr=0.1, betas=(0.0, 0.75))
        adam("eps", lr=0.1, eps=0.5)
        adam("weight decay", lr=0.1, weight_decay=0.25)
        adam("no weight decay", lr=0.1, weight_decay=0)
        adam("amsgrad", lr=0.1, betas=(0.5, 0.25), amsgrad=True)
        adam("maximize", lr=0.1, weight_decay=0.25, maximize=True)
        adam("lr changes", schedule=(0.1, 0.2, 0.05, 0, 0.01, 1))
# SPDX-License-Identifier: MIT

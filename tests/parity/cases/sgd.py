"""optim/sgd.h"""

import torch
from optimizers import trajectory, weight_and_gradients

from make_fixtures import real


def cases(case):
    def sgd(name, schedule=(), **options):
        run = trajectory(lambda w: torch.optim.SGD(w, **options), schedule)
        case(name, run, **weight_and_gradients())

    sgd("plain", lr=0.1)
    sgd("weight decay", lr=0.1, weight_decay=0.25)
    sgd("maximize", lr=0.1, maximize=True)
    sgd("momentum", lr=0.1, momentum=0.9)
    sgd("momentum, dampening", lr=0.1, momentum=0.9, dampening=0.5)
    sgd("dampening without momentum", lr=0.1, dampening=0.5)
    sgd("momentum, weight decay", lr=0.1, momentum=0.9, weight_decay=0.01)
    sgd("momentum, weight decay, maximize", lr=0.1, momentum=0.9, weight_decay=0.01, maximize=True)
    sgd("nesterov", lr=0.1, momentum=0.9, nesterov=True)
    sgd("nesterov, weight decay", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    sgd("momentum, lr changes", lr=0.1, momentum=0.9, schedule=(0.1, 0.2, 0.05, 0, 0.01, 1))

    def two_groups(a, b, ga, gb):
        groups = [{"params": [a], "lr": 0.5}, {"params": [b], "momentum": 0.5}]
        optimizer = torch.optim.SGD(groups, lr=0.1, weight_decay=0.01)
        for a.grad, b.grad in zip(ga, gb):
            optimizer.step()
        return torch.cat([a, b])

    case(
        "two groups",
        two_groups,
        a=real(3, grad=False),
        b=real(2, grad=False),
        ga=real(4, 3, grad=False),
        gb=real(4, 2, grad=False),
    )
# SPDX-License-Identifier: MIT

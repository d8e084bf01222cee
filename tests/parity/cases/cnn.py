"""Twenty training steps of a small convolutional network."""

import torch
import torch.nn.functional as F

from make_fixtures import real, values

STEPS, BATCH, CLASSES = 20, 6, 5


def network():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
        nn.Linear(8, CLASSES),
    ).double()


def train(images, labels, **state):
    """The losses. The parameters and running statistics are trained in place."""
    model = network()
    model.load_state_dict(state, strict=False)  # lacks num_batches_tracked, which nothing uses
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    losses = []
    for step in range(STEPS):
        loss = F.cross_entropy(model(images[step]), labels[step], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    for name, tensor in state.items():
        tensor.copy_(model.state_dict()[name])
    return torch.stack(losses)


def initial(name, tensor):
    """Weights as inputs of a case: multiples of 1/64 whose spread is about 1/sqrt(fan_in)."""
    if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
        return values([1.0] * len(tensor), grad=False)
    if tensor.dim() == 1:
        return values([0.0] * len(tensor), grad=False)
    return real(*tensor.shape, low=-0.5, high=0.5, grad=False)


def cases(case):
    state = {
        name: initial(name, tensor)
        for name, tensor in network().state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    case(
        "20 steps",
        lambda images, labels, *rest: train(images, labels, **dict(zip(state, rest))),
        after=state,
        images=real(STEPS, BATCH, 2, 7, 8, grad=False),
        labels=values([[(3 * s + n) % CLASSES for n in range(BATCH)] for s in range(STEPS)]),
        **state,
    )
# SPDX-License-Identifier: MIT

"""The ops of core/ops/loss.cpp."""

import torch.nn.functional as F

from make_fixtures import real, values


def cases(case):
    classes = values([4, 0, 0, 3])
    for reduction in ("mean", "sum"):
        case(
            f"mse_loss: {reduction}",
            lambda x, target: F.mse_loss(x, target, reduction=reduction),
            x=real(3, 5),
            target=real(3, 5),
        )
        for smoothing in (0, 0.1, 1):
            case(
                f"cross_entropy: {reduction}, smoothing {smoothing}",
                lambda x, labels: F.cross_entropy(
                    x, labels, reduction=reduction, label_smoothing=smoothing
                ),
                x=real(4, 5),
                labels=classes,
            )
    case("cross_entropy: one example", F.cross_entropy, x=real(1, 7), labels=values([6]))
    case("cross_entropy: one class", F.cross_entropy, x=real(3, 1), labels=values([0, 0, 0]))
    case(
        "cross_entropy: large",
        lambda x, labels: F.cross_entropy(x, labels, label_smoothing=0.1),
        x=real(4, 5, low=-900, high=900),
        labels=classes,
    )

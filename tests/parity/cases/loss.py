"""The ops of core/ops/loss.cpp."""

import torch.nn.functional as F

from make_fixtures import real, values


def cases(case):
    def loss(name, function, **inputs):
        for reduction in ("mean", "sum"):
            run = lambda x, target: function(x, target, reduction=reduction)
            case(f"{name}: {reduction}", run, **inputs)

    classes = values([4, 0, 0, 3])
    for reduction in ("mean", "sum"):
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

    loss("nll_loss", F.nll_loss, x=real(4, 5), labels=classes)
    loss("nll_loss, one example", F.nll_loss, x=real(1, 5), labels=values([4]))
    loss("mse_loss", F.mse_loss, x=real(3, 5), target=real(3, 5))
    loss("mse_loss, one example", F.mse_loss, x=real(1, 7), target=real(1, 7))
    # Differences of 0, and at the bend of smooth_l1_loss.
    x = values([[0.0, 1, -1, 0.5], [-0.5, 2, -3, 0.25]])
    zeros = values([[0.0] * 4] * 2)
    loss("l1_loss", F.l1_loss, x=real(3, 5), target=real(3, 5))
    loss("l1_loss, one example", F.l1_loss, x=real(1, 7), target=real(1, 7))
    loss("l1_loss, at the bends", F.l1_loss, x=x, target=zeros)
    one = {"x": real(1, 7), "target": real(1, 7)}
    loss("smooth_l1_loss, one example", F.smooth_l1_loss, **one)
    for beta in (1, 0.5, 2, 0):
        smooth = lambda x, t, reduction: F.smooth_l1_loss(x, t, reduction=reduction, beta=beta)
        loss(f"smooth_l1_loss, beta {beta}", smooth, x=real(3, 5), target=real(3, 5))
        loss(f"smooth_l1_loss, beta {beta}, at the bends", smooth, x=x, target=zeros)
    bce = F.binary_cross_entropy_with_logits
    probabilities = real(3, 5, low=0, high=1)
    loss("binary_cross_entropy_with_logits", bce, x=real(3, 5), target=probabilities)
    one = {"x": real(1, 7), "target": real(1, 7, low=0, high=1)}
    loss("binary_cross_entropy_with_logits, one example", bce, **one)
    large = values([-1000.0, -100, -20, 0, 20, 100, 1000])
    ones, none = values([1.0] * 7, grad=False), values([0.0] * 7, grad=False)
    loss("binary_cross_entropy_with_logits, large, all true", bce, x=large, target=ones)
    loss("binary_cross_entropy_with_logits, large, all false", bce, x=large, target=none)
    for name, shape in {"one": (), "for each column": (5,)}.items():
        case(
            f"binary_cross_entropy_with_logits, pos_weight: {name}",
            lambda x, target, pos_weight: bce(x, target, pos_weight=pos_weight),
            x=real(3, 5),
            target=probabilities,
            pos_weight=real(*shape, low=0.25, high=3, grad=False),
        )

    case("l1_penalty", lambda a, b: a.abs().sum() + b.abs().sum(), a=real(3, 5), b=real(7))

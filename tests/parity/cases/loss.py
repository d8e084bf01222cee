"""The ops of core/ops/cross_entropy.cpp and core/ops/loss.cpp."""

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

    case("mse_loss: none", no_reduction(F.mse_loss), x=real(3, 5), target=real(3, 5))
    case("l1_loss: none", no_reduction(F.l1_loss), x=real(3, 5), target=real(3, 5))
    smooth = no_reduction(F.smooth_l1_loss, beta=0.5)
    case("smooth_l1_loss, beta 0.5: none", smooth, x=real(3, 5), target=real(3, 5))
    case("binary_cross_entropy_with_logits: none", no_reduction(bce), x=real(3, 5),
         target=probabilities)  # fmt: skip
    case(
        "binary_cross_entropy_with_logits, both weights",
        lambda x, t, w, p: bce(x, t, weight=w, pos_weight=p, reduction="none"),
        x=real(3, 5),
        target=probabilities,
        weight=real(3, 1, low=0, high=2, grad=False),
        pos_weight=real(5, low=0.25, high=3, grad=False),
    )
    case(
        "binary_cross_entropy, weight",
        lambda x, t, w: F.binary_cross_entropy(x, t, weight=w),
        x=real(3, 5, low=0.125, high=0.875),
        target=probabilities,
        weight=real(5, low=0, high=2, grad=False),
    )
    for reduction in ("mean", "none"):
        cross_entropies(case, reduction)
        distances(case, reduction)
    for log_target in (False, True):
        kl_div(case, "batchmean", log_target)

    case("l1_penalty", lambda a, b: a.abs().sum() + b.abs().sum(), a=real(3, 5), b=real(7))


def no_reduction(function, **options):
    return lambda x, target: function(x, target, reduction="none", **options)


def cross_entropies(case, reduction):
    """Weights, ignored labels, probabilities, and other shapes than [N, C] and [N]."""
    weight = real(5, low=0.25, high=3, grad=False)
    some, images = values([4, -100, 0, 3]), values([[[0, 2], [2, 4], [1, 3]]])
    probabilities = real(4, 5, low=0, high=1)
    for smoothing in (0, 0.1):
        end = f"{reduction}, smoothing {smoothing}"
        options = {"reduction": reduction, "label_smoothing": smoothing}

        def weighted(x, target, weight):
            return F.cross_entropy(x, target, weight, **options)

        case(f"cross_entropy, weights, ignored labels: {end}", weighted, x=real(4, 5), labels=some,
             weight=weight)  # fmt: skip
        case(f"cross_entropy, probabilities, weights: {end}", weighted, x=real(4, 5),
             target=probabilities, weight=weight)  # fmt: skip

    options = {"reduction": reduction, "label_smoothing": 0.1}
    case(
        f"cross_entropy, images, weights, ignored labels: {reduction}",
        lambda x, labels, weight: F.cross_entropy(x, labels, weight, ignore_index=2, **options),
        x=real(1, 5, 3, 2),
        labels=images,
        weight=weight,
    )
    case(
        f"cross_entropy, probabilities of images: {reduction}",
        lambda x, target: F.cross_entropy(x, target, **options),
        x=real(2, 5, 2),
        target=real(2, 5, 2, low=0, high=1),
    )
    plain = lambda x, target: F.cross_entropy(x, target, reduction=reduction)
    case(f"cross_entropy, images: {reduction}", plain, x=real(1, 5, 3, 2), labels=images)
    case(f"cross_entropy, no batch: {reduction}", plain, x=real(5), labels=values(3))
    case(f"cross_entropy, ignored labels: {reduction}", plain, x=real(4, 5), labels=some)
    case(f"cross_entropy, probabilities, no batch: {reduction}", plain, x=real(5),
         target=real(5, low=0, high=1))  # fmt: skip

    def nll(ignore_index):
        return lambda x, labels, weight: F.nll_loss(
            x, labels, weight, ignore_index=ignore_index, reduction=reduction
        )

    case(f"nll_loss, weights, ignored labels: {reduction}", nll(-100), x=real(4, 5), labels=some,
         weight=weight)  # fmt: skip
    case(f"nll_loss, images, weights, ignored labels: {reduction}", nll(2), x=real(1, 5, 3, 2),
         labels=images, weight=weight)  # fmt: skip
    case(f"nll_loss, no batch: {reduction}", lambda x, t: F.nll_loss(x, t, reduction=reduction),
         x=real(5), labels=values(3))  # fmt: skip


def distances(case, reduction):
    bends = values([[0.0, 1, -1, 0.5], [-0.5, 2, -3, 0.25]])
    for delta in (0.5, 2):
        huber = lambda x, t: F.huber_loss(x, t, reduction=reduction, delta=delta)
        case(f"huber_loss, delta {delta}: {reduction}", huber, x=real(2, 5), target=real(2, 5))
    huber = lambda x, t: F.huber_loss(x, t, reduction=reduction)
    zeros = values([[0.0] * 4] * 2)
    case(f"huber_loss, at the bends: {reduction}", huber, x=bends, target=zeros)
    bce = lambda x, t: F.binary_cross_entropy(x, t, reduction=reduction)
    case(f"binary_cross_entropy: {reduction}", bce, x=real(3, 5, low=0.125, high=0.875),
         target=real(3, 5, low=0, high=1))  # fmt: skip
    for log_target in (False, True):
        kl_div(case, reduction, log_target)


def kl_div(case, reduction, log_target):
    case(
        "kl_div" + (", log_target" if log_target else "") + f": {reduction}",
        lambda x, t: F.kl_div(x, t, reduction=reduction, log_target=log_target),
        x=real(3, 5),
        target=real(3, 5) if log_target else real(3, 5, low=0.125, high=1),
    )
# SPDX-License-Identifier: MIT

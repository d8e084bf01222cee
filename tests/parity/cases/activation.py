"""The ops of core/ops/activation.cpp."""

import torch.nn.functional as F

from make_fixtures import real, values


def cases(case):
    case("relu", F.relu, x=values([[-1.0, 0, 2.5], [-0.015625, 0.015625, -100]]))
    for dim in (0, 1, -1):
        case(f"softmax: dim {dim}", lambda x: F.softmax(x, dim), x=real(3, 5, 2))
        case(f"log_softmax: dim {dim}", lambda x: F.log_softmax(x, dim), x=real(3, 5, 2))
    large = values([[1000.0, 999, -1000], [-1000, -1000.5, -999], [88.75, 90, 89]])
    case("softmax: large", lambda x: F.softmax(x, 1), x=large)
    case("log_softmax: large", lambda x: F.log_softmax(x, 1), x=large)
    case("softmax: one class", lambda x: F.softmax(x, 1), x=real(3, 1))

"""The ops of core/ops/activation.cpp, and their layers."""

import torch
import torch.nn.functional as F

from make_fixtures import real, values


def cases(case):
    case("relu", F.relu, x=values([[-1.0, 0, 2.5], [-0.015625, 0.015625, -100]]))
    # Both sides of 0, 0 itself, and values so large that an exponential overflows float.
    x = values(
        [
            [-1000.0, -100, -20, -3.5, -3],
            [-1, -0.5, -0.015625, 0, 0.015625],
            [0.5, 3, 20, 100, 1000],
        ]
    )

    case("leaky_relu", lambda x: F.leaky_relu(x), x=x)
    case("leaky_relu: slope 0.25", lambda x: F.leaky_relu(x, 0.25), x=x)
    case("leaky_relu: slope -0.5", lambda x: F.leaky_relu(x, -0.5), x=x)
    case("prelu: one slope", F.prelu, x=real(2, 3, 5), weight=values([0.25]))
    case("prelu: a slope for each channel", F.prelu, x=real(2, 3, 5, 7), weight=real(3))
    case("prelu: a slope for each feature", F.prelu, x=real(4, 3), weight=real(3))
    case("elu", lambda x: F.elu(x), x=x)
    case("elu: alpha 0.5", lambda x: F.elu(x, 0.5), x=x)
    case("elu: alpha 0", lambda x: F.elu(x, 0.0), x=x)
    case("celu", lambda x: F.celu(x), x=x)
    case("celu: alpha 0.5", lambda x: F.celu(x, 0.5), x=x)
    case("relu6", lambda x: F.relu6(x), x=x)
    case("hardtanh", lambda x: F.hardtanh(x), x=x)
    case("hardtanh: -3 to 0.5", lambda x: F.hardtanh(x, -3.0, 0.5), x=x)
    # In float64, too, the derivative of F.hardsigmoid is 1/6 rounded to float.
    case("hardsigmoid", lambda x: F.relu6(x + 3) / 6, x=x)
    case("mish", lambda x: F.mish(x), x=x)
    case("mish: around 0", lambda x: F.mish(x), x=real(3, 5))
    case("logsigmoid", lambda x: F.logsigmoid(x), x=x)
    case("softsign", lambda x: F.softsign(x), x=x)
    case("glu", lambda x: F.glu(x), x=real(3, 6))
    case("glu: rows", lambda x: F.glu(x, 0), x=real(4, 3))
    case("glu: images", lambda x: F.glu(x, 1), x=real(2, 6, 3, 5))
    case("selu", lambda x: F.selu(x), x=x)
    case("gelu", lambda x: F.gelu(x), x=x)
    case("gelu: around 0", lambda x: F.gelu(x), x=real(3, 5))
    case("gelu: tanh", lambda x: F.gelu(x, approximate="tanh"), x=x)
    case("gelu: tanh, around 0", lambda x: F.gelu(x, approximate="tanh"), x=real(3, 5))
    case("silu", lambda x: F.silu(x), x=x)
    case("sigmoid", torch.sigmoid, x=x)
    case("tanh", torch.tanh, x=x)
    case("softplus", lambda x: F.softplus(x), x=x)
    case("softplus: beta 2", lambda x: F.softplus(x, 2), x=x)
    case("softplus: threshold 1", lambda x: F.softplus(x, 1, 1), x=x)
    case("hardswish", lambda x: F.hardswish(x), x=x)
    case("maxout: rows", lambda x: maxout(x, 2), x=real(3, 6))
    equal = values([[1.0, 1, 2, 2], [-3, 0, 0, -3]])
    case("maxout: several largest", lambda x: maxout(x, 4), x=equal)
    case("maxout: images", lambda x: maxout(x, 3), x=real(2, 6, 3, 5))
    linear_maps = {"weight": real(6, 4), "bias": real(6)}
    layer = lambda x, weight, bias: maxout(F.linear(x, weight, bias), 3)
    case("maxout: of linear maps", layer, x=real(3, 4), **linear_maps)
    for dim in (0, 1, -1):
        case(f"softmax: dim {dim}", lambda x: F.softmax(x, dim), x=real(3, 5, 2))
        case(f"log_softmax: dim {dim}", lambda x: F.log_softmax(x, dim), x=real(3, 5, 2))
    large = values([[1000.0, 999, -1000], [-1000, -1000.5, -999], [88.75, 90, 89]])
    case("softmax: large", lambda x: F.softmax(x, 1), x=large)
    case("log_softmax: large", lambda x: F.log_softmax(x, 1), x=large)
    case("softmax: one class", lambda x: F.softmax(x, 1), x=real(3, 1))
    case("softmax, as a layer", torch.nn.Softmax(1), x=real(3, 5, 2))
    case("log_softmax, as a layer", torch.nn.LogSoftmax(1), x=real(3, 5, 2))


def maxout(x, pieces):
    """The largest of each `pieces` neighbouring channels; PyTorch has no op of this name."""
    return x.unflatten(1, (-1, pieces)).max(2).values
# SPDX-License-Identifier: MIT

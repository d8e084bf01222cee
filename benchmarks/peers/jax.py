"""JAX, compiled by jit. Pictures are [N, H, W, C] inside: the layout that XLA is fast with."""

import jax
import jax.numpy as jnp
import numpy as np

from .networks import NETWORKS

EPSILON, MOMENTUM = 1e-5, 0.1  # of BatchNorm


def image_major(shape_or_array):
    return jnp.transpose(shape_or_array, (0, 2, 3, 1))


def take(network, weights):
    """The weights as JAX wants them: a list of arrays for each layer that has any."""
    result = []
    for kind, *sizes in network:
        if kind == "linear":
            result.append([next(weights).T, next(weights)])
        elif kind == "conv":
            kernel = np.transpose(next(weights), (2, 3, 1, 0))
            result.append([kernel, next(weights)] if sizes[4] else [kernel])
        elif kind == "norm":
            result.append([next(weights) for _ in range(4)])
        elif kind == "residual":
            result += take(sizes[0], weights)
    return result


def normalize(x, weight, bias, mean, var, training):
    """BatchNorm, and its statistics afterwards."""
    if training:
        n = x.size // x.shape[-1]
        batch_mean, batch_var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        new = [mean + MOMENTUM * (batch_mean - mean),
               var + MOMENTUM * (batch_var * n / (n - 1) - var)]
        mean, var = batch_mean, batch_var
    else:
        new = [mean, var]
    scale = weight * jax.lax.rsqrt(var + EPSILON)
    return x * scale + (bias - mean * scale), new


def drop(x, shape, key):
    """Dropout with a probability of 1/2; the mask has the shape."""
    return jnp.where(jax.random.bernoulli(key, 0.5, shape), 2 * x, 0)


def apply(network, weights, x, training, key, statistics):
    """The output. Takes weights from an iterator; appends BatchNorm's new statistics."""
    for i, (kind, *sizes) in enumerate(network):
        here = jax.random.fold_in(key, i) if training and kind.startswith("dropout") else None
        if kind == "linear":
            weight, bias = next(weights)
            x = x @ weight + bias
        elif kind == "conv":
            padding = [(sizes[3], sizes[3])] * 2
            kernel, *bias = next(weights)
            x = jax.lax.conv_general_dilated(x, kernel, (1, 1), padding,
                                             dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = x + bias[0] if bias else x
        elif kind == "norm":
            x, new = normalize(x, *next(weights), training)
            statistics.append(new)
        elif kind == "residual":
            x = x + apply(sizes[0], weights, x, training, key, statistics)
        elif kind == "relu":
            x = jax.nn.relu(x)
        elif kind == "pool":
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1),
                                      "VALID")
        elif kind == "mean":
            x = x.mean((1, 2), keepdims=True)
        elif kind == "flatten":  # in PyTorch's order, because the weights are PyTorch's
            x = jnp.transpose(x, (0, 3, 1, 2)).reshape(x.shape[0], -1)
        elif kind == "dropout" and training:
            x = drop(x, x.shape, here)
        elif kind == "dropout2d" and training:
            x = drop(x, (x.shape[0], 1, 1, x.shape[3]), here)
    return x


def forward(network, weights, x, training=False, key=None):
    statistics = []
    x = image_major(x) if x.ndim == 4 else x
    return apply(network, iter(weights), x, training, key, statistics), statistics


def predictor(work, _):
    network = NETWORKS[work.network]
    weights = jax.device_put(take(network, iter(work.weights)))
    run = jax.jit(lambda weights, x: forward(network, weights, x)[0])
    return lambda x: np.asarray(run(weights, x))


def trainer(work, _):
    network = NETWORKS[work.network]
    weights = jax.device_put(take(network, iter(work.weights)))
    velocity = jax.tree.map(jnp.zeros_like, weights)

    def loss_of(weights, x, y, key):
        logits, statistics = forward(network, weights, x, True, key)
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
        return -picked.mean(), statistics

    def update(weights, velocity, key, x, y):
        key, here = jax.random.split(key)
        (loss, statistics), gradient = jax.value_and_grad(loss_of, has_aux=True)(
            weights, x, y, here)
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradient)
        weights = jax.tree.map(lambda w, v: w - 0.01 * v, weights, velocity)
        # Of the layers only BatchNorm has four arrays; the last two are not learnt.
        new = iter(statistics)
        weights = [w[:2] + next(new) if len(w) == 4 else w for w in weights]
        return weights, velocity, key, loss

    run = jax.jit(update, donate_argnums=(0, 1, 2))
    state = (weights, velocity, jax.random.key(1))

    def train(x, y):
        nonlocal state
        *state, loss = run(*state, x, y)
        return loss.block_until_ready()
    return train
# SPDX-License-Identifier: MIT

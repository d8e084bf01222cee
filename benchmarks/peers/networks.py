"""The networks of workloads.cpp as lists of layers, from which PyTorch's and JAX's are built."""

CLASSES = 10
FLAT, MNIST, CIFAR = (784,), (1, 28, 28), (3, 32, 32)

# name: network, shape of an example, batch. As in workloads.cpp; predict... is forward only.
WORKLOADS = {
    "mlp64": ("mlp", FLAT, 64),
    "mlp256": ("mlp", FLAT, 256),
    "lenet": ("lenet", MNIST, 64),
    "mnist_cnn": ("mnist_cnn", MNIST, 64),
    "cifar_cnn": ("cifar_cnn", CIFAR, 128),
    "resnet": ("resnet", CIFAR, 128),
    "predict1_mlp": ("mlp", FLAT, 1),
    "predict1_cifar": ("cifar_cnn", CIFAR, 1),
    "predict1000_mlp": ("mlp", FLAT, 1000),
    "predict1000_cifar": ("cifar_cnn", CIFAR, 1000),
}

RELU, POOL, FLATTEN, MEAN = ("relu",), ("pool",), ("flatten",), ("mean",)


def linear(i, o):
    return ("linear", i, o)


def conv(i, o, kernel, padding=0, bias=True):
    return ("conv", i, o, kernel, padding, bias)


def cbr(i, o):
    return [conv(i, o, 3, 1, bias=False), ("norm", o), RELU]


def residual(channels):
    return ("residual", cbr(channels, channels) + cbr(channels, channels))


NETWORKS = {
    "mlp": [linear(784, 256), RELU, linear(256, 128), RELU, linear(128, CLASSES)],
    "lenet": [
        conv(1, 10, 5), POOL, RELU,
        conv(10, 20, 5), ("dropout2d",), POOL, RELU,
        FLATTEN, linear(320, 50), RELU, ("dropout",), linear(50, CLASSES)],
    "mnist_cnn": [
        *cbr(1, 32), POOL, *cbr(32, 64), POOL,
        FLATTEN, linear(3136, 128), RELU, linear(128, CLASSES)],
    "cifar_cnn": [
        *cbr(3, 32), *cbr(32, 32), POOL,
        *cbr(32, 64), *cbr(64, 64), POOL,
        *cbr(64, 128), *cbr(128, 128), POOL,
        FLATTEN, linear(2048, 128), RELU, linear(128, CLASSES)],
    "resnet": [
        *cbr(3, 64), residual(64),
        *cbr(64, 128), POOL, residual(128),
        *cbr(128, 256), POOL, residual(256),
        MEAN, FLATTEN, linear(256, CLASSES)],
}
# SPDX-License-Identifier: MIT

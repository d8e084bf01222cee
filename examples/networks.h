#pragma once

#include <primer/core/rng.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>

// The networks that several programs train, and the benchmarks measure.

namespace primer::examples {

/// 784-256-128-classes: pictures [N, 1, 28, 28] -> [N, classes].
inline Sequential mnist_mlp(Rng& rng, Index classes = 10) {
    return Sequential{Flatten(),  //
                      Linear(784, 256, rng),
                      ReLU(),  //
                      Linear(256, 128, rng),
                      ReLU(),  //
                      Linear(128, classes, rng)};
}

/// Two convolutions, of `width` and 2 `width` channels, each followed by pooling to half the size,
/// and a perceptron: pictures [N, 1, 28, 28] -> [N, classes].
///
/// The convolutions need no bias, since BatchNorm2d has one. It also applies the ReLU, in the same
/// pass over memory.
inline Sequential mnist_cnn(Index width, Rng& rng, Index classes = 10) {
    return Sequential{
        Conv2d(1, width, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
        BatchNorm2d(width, {.relu = true}),
        MaxPool2d({.kernel_size = 2}),  // [N, width, 14, 14]
        Conv2d(width, 2 * width, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
        BatchNorm2d(2 * width, {.relu = true}),
        MaxPool2d({.kernel_size = 2}),  // [N, 2 width, 7, 7]
        Flatten(),
        Linear(2 * width * 7 * 7, 4 * width, rng),
        ReLU(),
        Linear(4 * width, classes, rng)};
}

/// Three blocks of two convolutions, each followed by pooling to half the size, and a perceptron:
/// pictures [N, 3, 32, 32] -> [N, classes].
inline Sequential cifar_cnn(Rng& rng, Index classes = 10) {
    Sequential model;
    Index in = 3;
    for (const Index out : {32, 64, 128}) {
        for (const Index from : {in, out}) {
            model.append(Conv2d(from, out, {.kernel_size = 3, .padding = 1, .bias = false}, rng));
            model.append(BatchNorm2d(out, {.relu = true}));
        }
        model.append(MaxPool2d({.kernel_size = 2}));  // 16 x 16, 8 x 8, 4 x 4
        in = out;
    }
    model.append(Flatten())
        .append(Linear(128 * 4 * 4, 128, rng))
        .append(ReLU())
        .append(Linear(128, classes, rng));
    return model;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

#pragma once

#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>

namespace primer {

/// The network of exchange.py: pictures [N, 1, 28, 28] -> [N, 10].
inline Sequential exchanged_network(Rng& rng) {
    return Sequential{Conv2d(1, 4, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                      BatchNorm2d(4),
                      PReLU(),
                      MaxPool2d({.kernel_size = 2}),
                      Flatten(),
                      Linear(4 * 14 * 14, 16, rng),
                      ReLU(),
                      Linear(16, 10, rng)};
}

}  // namespace primer
// SPDX-License-Identifier: MIT

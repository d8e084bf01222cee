#include "workloads.h"

#include <array>
#include <utility>

#include <primer/core/error.h>
#include <primer/core/op.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include "../examples/networks.h"

namespace primer::benchmarks {
namespace {

// peers/networks.py has the same networks, layer by layer: change both.

Sequential mlp(Rng& rng) {
    return Sequential{Linear(784, 256, rng), ReLU(), Linear(256, 128, rng), ReLU(),
                      Linear(128, kClasses, rng)};
}

Sequential lenet(Rng& rng) {
    return Sequential{Conv2d(1, 10, {.kernel_size = 5}, rng),
                      MaxPool2d({.kernel_size = 2}),
                      ReLU(),
                      Conv2d(10, 20, {.kernel_size = 5}, rng),
                      Dropout2d(rng),
                      MaxPool2d({.kernel_size = 2}),
                      ReLU(),
                      Flatten(),
                      Linear(20 * 4 * 4, 50, rng),
                      ReLU(),
                      Dropout(rng),
                      Linear(50, kClasses, rng)};
}

Sequential mnist_cnn(Rng& rng) { return examples::mnist_cnn(32, rng); }
Sequential cifar_cnn(Rng& rng) { return examples::cifar_cnn(rng); }

/// [N, in, H, W] -> [N, out, H, W].
void append_conv_norm_relu(Sequential& network, Index in, Index out, Rng& rng) {
    network.append(Conv2d(in, out, {.kernel_size = 3, .padding = 1, .bias = false}, rng))
        .append(BatchNorm2d(out, {.relu = true}));
}

/// x + two convolutions of it.
class Residual : public Module {
  public:
    Residual(Index channels, Rng& rng) {
        append_conv_norm_relu(body_, channels, channels, rng);
        append_conv_norm_relu(body_, channels, channels, rng);
    }

    Tensor forward(const Tensor& x) override { return x + body_(x); }
    void visit(Visitor& visitor) override { visitor("body", body_); }
    std::string describe() const override { return "Residual"; }

  private:
    Sequential body_;
};

Sequential resnet(Rng& rng) {
    Sequential network;
    append_conv_norm_relu(network, 3, 64, rng);
    network.append(Residual(64, rng));
    append_conv_norm_relu(network, 64, 128, rng);
    network.append(MaxPool2d({.kernel_size = 2})).append(Residual(128, rng));
    append_conv_norm_relu(network, 128, 256, rng);
    network.append(MaxPool2d({.kernel_size = 2}))
        .append(Residual(256, rng))
        .append(AdaptiveAvgPool2d(1))
        .append(Flatten())
        .append(Linear(256, kClasses, rng));
    return network;
}

// Training computes each product of the forward twice more: for the gradient of the weight and,
// except in the first layer, for that of its input.
class FlopsCounter : public OpHook {
  public:
    void called(const Op& op) override {
        check(op.multiply_adds.has_value(), op.name, ": states no cost, see core/op.h");
        const auto products = static_cast<double>(*op.multiply_adds);
        const bool first = flops.forward == 0;
        flops.forward += 2 * products;
        flops.training += (first ? 4 : 6) * products;
    }

    Flops flops{};
};

}  // namespace

std::span<const Workload> workloads() {
    const Shape flat{784}, mnist{1, 28, 28}, cifar{3, 32, 32};
    static const std::array all{
        Workload{"mlp64", mlp, flat, 64},
        Workload{"mlp256", mlp, flat, 256},
        Workload{"lenet", lenet, mnist, 64},
        Workload{"mnist_cnn", mnist_cnn, mnist, 64},
        Workload{"cifar_cnn", cifar_cnn, cifar, 128},
        Workload{"resnet", resnet, cifar, 128},
        Workload{"predict1_mlp", mlp, flat, 1, true},
        Workload{"predict1_cifar", cifar_cnn, cifar, 1, true},
        Workload{"predict1000_mlp", mlp, flat, 1000, true},
        Workload{"predict1000_cifar", cifar_cnn, cifar, 1000, true},
    };
    return all;
}

Flops count_flops(Module& network, const Shape& input) {
    network.eval();
    FlopsCounter counter;
    network(zeros(Shape{1}.concat(input)));
    network.train();
    return counter.flops;
}

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT

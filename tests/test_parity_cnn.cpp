// A small convolutional network, trained for twenty steps from the same weights on the same batches
// as PyTorch's: compares the losses, and then the weights and running statistics. The network and
// the inputs are in tests/parity/cases/cnn.py.

#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

// Puts the inputs of a case in place of the parameters and buffers of the same name.
class TakeInputs : public Visitor {
  public:
    explicit TakeInputs(const ParityInputs& in, const std::string& prefix = "")
        : in_(in), prefix_(prefix) {}
    using Visitor::operator();
    void operator()(const std::string& name, Parameter& parameter) override {
        parameter = Parameter(in_[prefix_ + name]);
    }
    void operator()(const std::string& name, Buffer& buffer) override {
        if (name != "num_batches_tracked") buffer = Buffer(in_[prefix_ + name]);
    }
    void operator()(const std::string& name, Module& child) override {
        TakeInputs deeper(in_, prefix_ + name + ".");
        child.visit(deeper);
    }

  private:
    const ParityInputs& in_;
    std::string prefix_;
};

Tensor train(const ParityInputs& in) {
    Rng rng(0);
    Sequential model(Conv2d(2, 4, {.kernel_size = 3, .padding = 1, .bias = false}, rng),
                     BatchNorm2d(4), ReLU(), MaxPool2d({.kernel_size = 2}),
                     Conv2d(4, 6, {.kernel_size = 3, .padding = 1}, rng), ReLU(),
                     Conv2d(6, 8, {.kernel_size = 3, .bias = false}, rng), BatchNorm2d(8), ReLU(),
                     AdaptiveAvgPool2d(1), Flatten(), Linear(8, 5, rng));
    TakeInputs take(in);
    model.visit(take);
    SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-3});

    const Shape& all = in["images"].shape();  // [steps, batch, channels, height, width]
    const std::vector<Index>& labels = in.ints("labels").values;
    std::vector<Tensor> losses;
    for (Index step = 0; step < all[0]; ++step) {
        const Tensor images = reshape(slice(in["images"], step, step + 1), all.slice(1, 5).dims());
        const auto first = labels.data() + step * all[1];
        Tape tape;
        const Tensor loss = cross_entropy(model(images), std::vector(first, first + all[1]),
                                          {.label_smoothing = 0.1});
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
        losses.push_back(reshape(loss.detach(), {1}));
    }
    return concat(losses);
}

TEST_CASE("parity: 20 training steps of a convolutional network follow PyTorch's") {
    check_parity("cnn", {{"20 steps", train}});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

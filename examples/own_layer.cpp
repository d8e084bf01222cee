// own_layer: a layer that is not in the library, from its formula to a trained model
//
// Snake, y = x + sin^2(a x) / a with a learnt slope a for each channel (Ziyin, Hartwig and Ueda,
// "Neural Networks Fail to Learn Periodic Functions and How to Fix It", 2020). docs/add-a-layer.md
// shows what it takes to put it into the library.

#include <primer/primer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>

#include "support/program.h"

using namespace primer;

// 1. The op: what it computes, and what its inputs' gradients are. With a = slope[c]:
//     dy/dx = 1 + sin(2 a x)
//     dy/da = x sin(2 a x) / a - sin^2(a x) / a^2, summed over the channel, as all of it shares a
// Here x is [N, C], and a must not be 0: short, not general.
Tensor snake(const Tensor& x, const Tensor& slope) {
    check(x.rank() == 2 && slope.shape() == Shape{x.shape()[1]}, "snake: expected x [N, ",
          slope.numel(), "], got ", x.shape());
    const Index channels = slope.numel();
    Tensor y = empty(x.shape());
    const Real *from = x.data(), *a = slope.data();
    Real* to = y.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) {
        const Real s = std::sin(a[i % channels] * from[i]);
        to[i] = from[i] + s * s / a[i % channels];
    }
    // record() puts the op on the tape. The 0 is its cost in multiply-adds, which summary() adds
    // up. Saved keeps what the backward needs, and notices if it is changed in between; Grad says
    // whether a gradient is wanted, and takes it.
    return record({"snake", 0}, y, {x, slope},
                  [x = Saved(x), slope = Saved(slope)](const Tensor& dy, std::span<Grad> d) {
                      Grad &dx = d[0], &da = d[1];
                      // A backward can be made of ops, only slower than one loop. (So can the
                      // forward: x + pow(sin(slope * x), 2) / slope needs no backward at all.)
                      const Tensor u = mul(slope, x), s = sin(u), s2 = sin(2 * u);
                      if (dx.wanted()) dx.add(dy * (1 + s2));
                      // [N, C] where the slope is [C]: the tape sums over what was repeated.
                      if (da.wanted()) da.add(dy * (x * s2 - s * s / slope) / slope);
                  });
}

// 2. The layer: the op, and the parameter that it needs. It is an Activation, since each y_i
// depends on its own x_i alone; a layer that mixes elements, as Linear does, derives from Module.
class Snake : public Activation {
  public:
    explicit Snake(Index channels) : slope(ones({channels})) { slope.weight_decay = false; }
    Tensor forward(const Tensor& x) override { return snake(x, slope); }
    void visit(Visitor& visitor) override { visitor("slope", slope); }
    void reset_parameters(Rng& /*rng*/) override { ones_(slope); }
    std::string describe() const override { return "Snake(" + std::to_string(slope.numel()) + ')'; }

    Parameter slope;  // [channels]
};

// 3. The check: the tape's gradient of `input` beside (L(v + h) - L(v - h)) / 2h for each value v.
// Returns the largest difference.
double compare(const char* name, const Tensor& input, const std::function<Tensor()>& loss) {
    const double h = 0.01;
    double worst = 0;
    for (Index i = 0; i < input.numel(); ++i) {
        const Real v = input.data()[i];
        input.mutable_data()[i] = v + static_cast<Real>(h);
        const double above = loss().item();
        input.mutable_data()[i] = v - static_cast<Real>(h);
        const double below = loss().item();
        input.mutable_data()[i] = v;
        const double numeric = (above - below) / (2 * h), tape = input.grad().data()[i];
        std::printf("%s[%d]   %8.4f   %8.4f\n", name, static_cast<int>(i), tape, numeric);
        worst = std::max(worst, std::abs(tape - numeric));
    }
    return worst;
}

bool gradients_agree() {
    const Tensor x = tensor({0.5, -1, 2, 0.3}, {2, 2}).requires_grad_();
    const Tensor a = tensor({1, 0.7}).requires_grad_();
    const Tensor weights = tensor({1, 2, -1, 0.5}, {2, 2});  // so that each y_i counts differently
    const auto loss = [&] { return sum(snake(x, a) * weights); };
    {
        Tape tape;
        tape.backward(loss());
    }
    std::printf("           tape    numeric\n");
    const double in_x = compare("dx", x, loss), in_a = compare("da", a, loss);
    const double worst = std::max(in_x, in_a);
    std::printf("largest difference: %.4f\n\n", worst);
    return worst < 0.005;
}

// 4. The use, like any other layer: fit y = sin(2 x) on [-3, 3].
void train() {
    check(gradients_agree(), "the gradients differ from the difference quotients");

    const Index n = 128;
    const Tensor x = reshape(arange(n) * (6.0 / (n - 1)) - 3, {n, 1});
    const Tensor target = empty({n, 1});
    for (Index i = 0; i < n; ++i) target.mutable_data()[i] = std::sin(2 * x.data()[i]);

    Rng rng(1);
    Sequential model{Linear(1, 32, rng), Snake(32), Linear(32, 1, rng)};
    std::cout << model << '\n';
    Adam optimizer(model.parameters(), {.lr = 0.01});
    for (int step = 0; step <= 500; ++step) {
        optimizer.zero_grad();  // otherwise gradients add up, and step() throws
        Tape tape;
        Tensor loss = mse_loss(model(x), target);
        const double value = loss_value(loss);  // stops if it is not finite
        tape.backward(loss);
        optimizer.step();
        if (step % 100 == 0) std::printf("step %3d   loss %.5f\n", step, value);
    }

    const Tensor slope = model.named_parameters()[2].second;
    std::printf("the slopes were 1; now they are between %.2f and %.2f\n", -max(-slope).item(),
                max(slope).item());
}

int main(int argc, char** argv) {
    return examples::run(argc, argv, "A layer that is not in the library, checked and trained.",
                         train);
}
// SPDX-License-Identifier: MIT

// 02_autograd: a gradient worked out by hand beside the one that the tape finds
//
// One neuron, one example: z = w1 x1 + w2 x2 + b, y = relu(z), L = (y - t)^2.

#include <primer/primer.h>

#include <iostream>

#include "support/program.h"

using namespace primer;

void show() {
    const Tensor x = tensor({2, -1});
    const double t = 1;
    const Tensor w = tensor({3, 0.5}).requires_grad_();
    const Tensor b = Tensor(-2.5).requires_grad_();

    Tape tape;                    // from here on, ops are recorded
    Tensor z = sum(w * x) + b;    // 3*2 + 0.5*(-1) - 2.5  = 3
    Tensor y = relu(z);           // max(3, 0)             = 3
    Tensor loss = pow(y - t, 2);  // (3 - 1)^2             = 4
    std::cout << "z = " << z.item() << ", y = " << y.item() << ", L = " << loss.item() << '\n';
    std::cout << "the tape has recorded " << tape.size() << " ops\n\n";

    // By hand, from the end to the beginning: each factor is the derivative of one line above.
    const double dy = 2 * (3 - t);  // dL/dy = 2 (y - t)          = 4
    const double dz = dy * 1;       // dL/dz = dL/dy * [z > 0]    = 4
    const double dw1 = dz * 2;      // dL/dw1 = dL/dz * x1        = 8
    const double dw2 = dz * -1;     // dL/dw2 = dL/dz * x2        = -4
    const double db = dz;           // dL/db = dL/dz              = 4

    tape.backward(loss);  // the same, for any network

    std::cout << "         by hand   tape\n";
    std::cout << "dL/dw1   " << dw1 << "         " << w.grad().at({0}) << '\n';
    std::cout << "dL/dw2   " << dw2 << "        " << w.grad().at({1}) << '\n';
    std::cout << "dL/db    " << db << "         " << b.grad().item() << "\n\n";

    // One step against the gradient, and the loss is smaller.
    const double lr = 0.05;
    w.copy_(w - lr * w.grad());
    b.copy_(b - lr * b.grad());
    const Tensor after = pow(relu(sum(w * x) + b) - t, 2);
    std::cout << "after one step with learning rate " << lr << ": L = " << after.item() << '\n';
}

int main(int argc, char** argv) {
    return examples::run(argc, argv, "A gradient by hand beside the one that the tape finds.",
                         show);
}
// SPDX-License-Identifier: MIT

// Differentiates x^2 at 3.

#include <primer/primer.h>
#include <iostream>

using namespace primer;

int main() {
    const Parameter x(tensor({3.0}));
    Tape tape;
    tape.backward(sum(x * x));
    std::cout << "primer " << version() << ": the derivative of x^2 at 3 is " << x.grad().item()
              << '\n';
    return x.grad().item() == 6 ? 0 : 1;
}
// SPDX-License-Identifier: MIT

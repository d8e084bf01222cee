// 01_tensors: what a tensor is, and what can be done with one
//
// Read the source beside the output: each block prints what its comment announces.

#include <primer/primer.h>

#include <iostream>

#include "support/program.h"

using namespace primer;

void show() {
    // A tensor has a shape and, in row-major order, a value for each place.
    const Tensor a = tensor({{1, 2, 3}, {4, 5, 6}});
    std::cout << "a =\n" << a << "\n\n";

    // Operators work element by element.
    std::cout << "a * a - 1 =\n" << a * a - 1 << "\n\n";

    // Shapes that differ are broadcast: the row is added to both rows of a, the column to all three
    // columns.
    const Tensor row = tensor({10, 20, 30});
    const Tensor column = tensor({{100}, {200}});
    std::cout << "a + row =\n" << a + row << "\n\n";
    std::cout << "a + column =\n" << a + column << "\n\n";

    // Reductions: over everything, or over one dimension.
    std::cout << "sum(a) = " << sum(a) << "\n\n";
    std::cout << "mean(a, 0) = " << mean(a, 0) << "\n\n";
    std::cout << "argmax(a, 1) = " << argmax(a, 1) << "\n\n";

    // [2, 3] x [3, 2] -> [2, 2]
    std::cout << "matmul(a, transpose(a, 0, 1)) =\n" << matmul(a, transpose(a, 0, 1)) << "\n\n";

    // A view has another shape over the same memory; nothing is copied.
    const Tensor flat = flatten(a);
    flat.mutable_data()[0] = -1;
    std::cout << "after flat[0] = -1, a =\n" << a << "\n\n";

    // Random numbers come from a seeded generator: the same on every run. Hand in your own or, for
    // short, call manual_seed(42) and leave it out.
    Rng rng(42);
    std::cout << "randn({2, 4}, rng) =\n" << randn({2, 4}, rng) << "\n\n";

    // Shapes that do not fit are an error that says so.
    try {
        matmul(a, a);
    } catch (const Error& error) {
        std::cout << "matmul(a, a) throws:\n  " << error.what() << '\n';
    }
}

int main(int argc, char** argv) {
    return examples::run(argc, argv, "What a tensor is, and what can be done with one.", show);
}
// SPDX-License-Identifier: MIT

// 01_tensors: what a tensor is, and what can be done with one
//
// Run it beside the source: each block prints what its comment announces.

#include <primer/primer.h>

#include <iostream>

#include "support/program.h"

using namespace primer;

void show() {
    // A tensor has a shape and, in row-major order, a value for each place.
    const Tensor a = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    std::cout << "a = " << a << "\n\n";

    // Operators work element by element.
    std::cout << "a * a - 1 = " << a * a - 1 << "\n\n";

    // Shapes that differ are broadcast: the row is added to both rows of a, the column to all three
    // columns.
    const Tensor row = tensor({10, 20, 30});
    const Tensor column = tensor({100, 200}, {2, 1});
    std::cout << "a + row = " << a + row << "\n\n";
    std::cout << "a + column = " << a + column << "\n\n";

    // Reductions: over everything, or over one dimension.
    std::cout << "sum(a) = " << sum(a) << "\n\n";
    std::cout << "mean(a, 0) = " << mean(a, 0) << "\n\n";
    std::cout << "argmax(a, 1) = " << argmax(a, 1) << "\n\n";

    // [2, 3] x [3, 2] -> [2, 2]
    std::cout << "matmul(a, transpose(a, 0, 1)) = " << matmul(a, transpose(a, 0, 1)) << "\n\n";

    // A view has another shape over the same memory; nothing is copied.
    const Tensor flat = flatten(a);
    flat.mutable_data()[0] = -1;
    std::cout << "after flat[0] = -1, a = " << a << "\n\n";

    // Random numbers come from a generator that is seeded and handed in: the same every time.
    Rng rng(42);
    std::cout << "randn({2, 4}, rng) = " << randn({2, 4}, rng) << "\n\n";

    // Shapes that do not fit are an Error that says so.
    try {
        matmul(a, a);
    } catch (const Error& error) {
        std::cout << "matmul(a, a) throws:\n  " << error.what() << '\n';
    }
}

int main(int argc, char** argv) {
    return examples::run(argc, argv, "What a tensor is, and what can be done with one.", show);
}

// mnist: a file of pictures and one of labels (IDX)
// covers: datasets/mnist.cpp datasets/idx.cpp datasets/files.cpp
// longest: 100
#include <primer/datasets/mnist.h>

#include "target.h"

using namespace primer;

FUZZ(input) {
    if (input.empty()) return;
    // Pixels are taken as they are, so the fuzzer need not change them: the first byte says how
    // many blank pictures follow the input's part of the first file.
    const auto blank = static_cast<std::size_t>(input[0] & 3);
    std::vector<std::string> files = fuzz::parts_of(input.substr(1), 2);
    files[0].append(blank * 28 * 28, '\0');
    fuzz::expect_error_at_most([&] {
        std::istringstream images(files[0]), labels(files[1]);
        const ImageDataset data = read_mnist(images, labels);
        for (Index i = 0; i < data.size(); ++i) {
            if (data.label(i) < 0 || data.label(i) > 9) __builtin_trap();
        }
    });
}
// SPDX-License-Identifier: MIT

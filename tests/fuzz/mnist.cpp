// mnist: a file of pictures and one of labels (IDX)
// covers: datasets/mnist.cpp datasets/files.cpp
#include "primer/datasets/mnist.h"

#include "target.h"

using namespace primer;

FUZZ(input) {
    const std::vector<std::string> files = fuzz::parts_of(input, 2);
    fuzz::expect_error_at_most([&] {
        std::istringstream images(files[0]), labels(files[1]);
        const ImageDataset data = read_mnist(images, labels);
        for (Index i = 0; i < data.size(); ++i) {
            if (data.label(i) < 0 || data.label(i) > 9) __builtin_trap();
        }
    });
}

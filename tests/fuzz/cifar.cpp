// cifar: a file of CIFAR-10's and of CIFAR-100's form
// covers: datasets/cifar.cpp datasets/files.cpp
#include "primer/datasets/cifar.h"

#include "target.h"

using namespace primer;

FUZZ(input) {
    fuzz::expect_error_at_most([&] {
        std::istringstream in = fuzz::stream_of(input);
        read_cifar10(in);
    });
    for (const Cifar100Labels labels : {Cifar100Labels::fine, Cifar100Labels::coarse}) {
        fuzz::expect_error_at_most([&] {
            std::istringstream in = fuzz::stream_of(input);
            read_cifar100(in, labels);
        });
    }
}

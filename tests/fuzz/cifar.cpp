// cifar: a file in CIFAR-10's or CIFAR-100's format
// covers: datasets/cifar.cpp datasets/files.cpp
// longest: 10
#include <primer/datasets/cifar.h>

#include "target.h"

using namespace primer;

namespace {

void read(std::string_view file, int form) {
    std::istringstream in = fuzz::stream_of(file);
    const ImageDataset data =
        form == 0 ? read_cifar10(in)
                  : read_cifar100(in, form == 1 ? Cifar100Labels::fine : Cifar100Labels::coarse);
    if (data.size() < 1) __builtin_trap();
    for (Index i = 0; i < data.size(); ++i) {
        if (data.label(i) < 0 || data.label(i) >= data.classes()) __builtin_trap();
    }
}

}  // namespace

FUZZ(input) {
    if (input.size() < 2) return;
    // Pixels are taken as they are, so the fuzzer spends no time on them. The first byte is the
    // form; the second says how many bytes a file has more or fewer than whole pictures. Each byte
    // that follows, or for CIFAR-100 each two, are the labels of a blank picture.
    const int form = static_cast<unsigned char>(input[0]) % 3;
    const auto extra = static_cast<signed char>(input[1]);
    const std::size_t labels = form == 0 ? 1 : 2;
    std::string file;
    for (std::string_view rest = input.substr(2); !rest.empty();) {
        file += rest.substr(0, labels);
        file.append(3072, '\0');
        rest.remove_prefix(std::min(labels, rest.size()));
    }
    const std::size_t cut = extra < 0 ? static_cast<std::size_t>(-extra) : 0;
    file.resize(extra < 0 ? file.size() - std::min(cut, file.size())
                          : file.size() + static_cast<std::size_t>(extra));
    fuzz::expect_error_at_most([&] { read(file, form); });
}
// SPDX-License-Identifier: MIT

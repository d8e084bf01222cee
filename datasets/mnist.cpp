#include "mnist.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.h"
#include "files.h"

namespace primer {
namespace {

namespace fs = std::filesystem;
using files::shown;

constexpr Index kSide = 28;
constexpr files::Source kMnist{"mnist", "MNIST"};
constexpr files::Source kFashionMnist{"fashion_mnist", "Fashion-MNIST"};
constexpr files::Source kKmnist{"kmnist", "KMNIST"};
constexpr files::Source kEmnist{"emnist", "EMNIST"};

struct Kind {
    const char* what;
    const char* end_of_name;
};
constexpr Kind kImages{"images", "idx3-ubyte"}, kLabels{"labels", "idx1-ubyte"};
constexpr std::array kKinds{kImages, kLabels};

std::string prefix(Split split) { return split == Split::train ? "train" : "t10k"; }
std::string prefix(EmnistSplit which, Split split) {
    return std::string("emnist-") + name(which) + (split == Split::train ? "-train" : "-test");
}

/// A file's names: as published, and as some copies spell it.
std::array<std::string, 2> names(const std::string& prefix, const Kind& kind) {
    const std::string begin = prefix + "-" + kind.what;
    return {begin + "-" + kind.end_of_name, begin + "." + kind.end_of_name};
}

files::File open(const files::Source& source, const fs::path& dir, const std::string& prefix,
                 const Kind& kind) {
    const std::array<std::string, 2> spellings = names(prefix, kind);
    for (const std::string& name : spellings) {
        if (source.there(dir / name)) return {source, dir / name};
    }
    for (const std::string& name : spellings) {
        const fs::path packed = dir / (name + ".gz");
        check(!source.there(packed), source.name, ": expected ", shown(dir / name),
              ", found it packed; gunzip --keep ", shown(packed), " unpacks it");
    }
    fail(source.name, ": expected the file ", shown(dir / spellings[0]), " (or ", spellings[1],
         "), found neither", source.missing(dir));
}

ImageDataset read(const files::Source& source, const fs::path& dir, const std::string& prefix,
                  const IdxOptions& options = {}) {
    source.check_folder(dir);
    files::File images = open(source, dir, prefix, kImages);
    return files::read_idx(source, std::move(images), open(source, dir, prefix, kLabels), options,
                           kSide);
}

/// Whether any of the files is there, packed or not.
bool found(const files::Source& source, const fs::path& dir, const std::string& prefix) {
    for (const Kind& kind : kKinds) {
        for (const std::string& name : names(prefix, kind)) {
            if (source.there(dir / name) || source.there(dir / (name + ".gz"))) return true;
        }
    }
    return false;
}

std::vector<std::string> letters(char first, char last) {
    std::vector<std::string> all;
    for (char c = first; c <= last; ++c) all.emplace_back(1, c);
    return all;
}

}  // namespace

ImageDataset mnist(const fs::path& dir, Split split) { return read(kMnist, dir, prefix(split)); }
ImageDataset fashion_mnist(const fs::path& dir, Split split) {
    return read(kFashionMnist, dir, prefix(split));
}
ImageDataset kmnist(const fs::path& dir, Split split) { return read(kKmnist, dir, prefix(split)); }

ImageDataset read_mnist(std::istream& images, std::istream& labels) {
    return files::read_idx(kMnist, files::File(kMnist, images, "images"),
                           files::File(kMnist, labels, "labels"), {}, kSide);
}

bool mnist_found(const fs::path& dir) {
    return found(kMnist, dir, prefix(Split::train)) || found(kMnist, dir, prefix(Split::test));
}

const char* name(EmnistSplit which) {
    switch (which) {
        case EmnistSplit::byclass:
            return "byclass";
        case EmnistSplit::bymerge:
            return "bymerge";
        case EmnistSplit::balanced:
            return "balanced";
        case EmnistSplit::letters:
            return "letters";
        case EmnistSplit::digits:
            return "digits";
        case EmnistSplit::mnist:
            return "mnist";
    }
    fail("emnist: there is no such split");
}

std::vector<std::string> emnist_classes(EmnistSplit which) {
    if (which == EmnistSplit::letters) return letters('a', 'z');
    std::vector<std::string> classes = letters('0', '9');
    if (which == EmnistSplit::digits || which == EmnistSplit::mnist) return classes;
    std::vector<std::string> small = letters('a', 'z');
    if (which != EmnistSplit::byclass) {
        // Small letters that look like the capital ones count as these.
        small = {"a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"};
    }
    for (const std::vector<std::string>& more : {letters('A', 'Z'), small}) {
        classes.insert(classes.end(), more.begin(), more.end());
    }
    return classes;
}

ImageDataset emnist(const fs::path& dir, EmnistSplit which, Split split) {
    return read(kEmnist, dir, prefix(which, split),
                {.classes = std::ssize(emnist_classes(which)),
                 .first_label = which == EmnistSplit::letters ? 1 : 0,
                 .transposed = true});
}

bool emnist_found(const fs::path& dir, EmnistSplit which) {
    return found(kEmnist, dir, prefix(which, Split::train)) ||
           found(kEmnist, dir, prefix(which, Split::test));
}

}  // namespace primer
// SPDX-License-Identifier: MIT

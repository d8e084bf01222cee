#include <primer/datasets/idx.h>

#include <array>
#include <string>

#include <primer/datasets/mnist.h>
#include "folder.h"
#include "support.h"

namespace primer {
namespace {

std::string idx(std::initializer_list<std::uint32_t> header, const std::string& data) {
    std::string bytes;
    for (std::uint32_t number : header) {
        for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xff);
    }
    return bytes + data;
}

// Two pictures of 2 x 3: the bytes 1 ... 6 and 11 ... 16.
std::string pictures() { return idx({0x803, 2, 2, 3}, {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}); }
std::string labels(const std::string& data) {
    return idx({0x801, static_cast<std::uint32_t>(data.size())}, data);
}

std::array<Real, 6> picture(const ImageDataset& data, Index i) {
    std::array<Real, 6> values{};
    data.load(i, values);
    return values;
}

struct Files {
    explicit Files(const std::string& label_bytes) {
        folder.write("pictures", pictures());
        folder.write("labels", labels(label_bytes));
    }
    ImageDataset read(const IdxOptions& options = {}) const {
        return idx_dataset(folder.path() / "pictures", folder.path() / "labels", options);
    }
    Folder folder;
};

TEST_CASE("idx_dataset: pictures of any size, labels from 0") {
    const ImageDataset data = Files({1, 0}).read({.classes = 2});
    CHECK(data.size() == 2);
    CHECK(data.shape() == Shape{1, 2, 3});
    CHECK(data.classes() == 2);
    CHECK(data.label(0) == 1);
    CHECK(data.label(1) == 0);
    CHECK(picture(data, 1) == std::array<Real, 6>{11, 12, 13, 14, 15, 16});
}

TEST_CASE("idx_dataset: labels that begin elsewhere, pictures that lie on their side") {
    const ImageDataset data =
        Files({26, 1}).read({.classes = 26, .first_label = 1, .transposed = true});
    CHECK(data.shape() == Shape{1, 3, 2});
    CHECK(data.label(0) == 25);
    CHECK(data.label(1) == 0);
    CHECK(picture(data, 0) == std::array<Real, 6>{1, 4, 2, 5, 3, 6});
    CHECK(picture(data, 1) == std::array<Real, 6>{11, 14, 12, 15, 13, 16});
}

TEST_CASE("idx_dataset: bad labels, options and files") {
    check_error(
        [] {
            Files({1, 2}).read({.classes = 2});
        },
        {"idx_dataset", "expected labels from 0 to 1", "labels'", "found 2 for image 1"});
    check_error(
        [] {
            Files({0, 1}).read({.classes = 2, .first_label = 1});
        },
        {"expected labels from 1 to 2", "found 0 for image 0"});
    check_error([] { Files({0, 1, 1}).read(); }, {"as many labels", "found 3 and 2"});
    check_error([] { Files({0, 1}).read({.classes = 0}); }, {"expected 1 to 256 classes, got 0"});
    check_error([] { Files({0, 1}).read({.classes = 257}); }, {"got 257"});
    check_error(
        [] {
            Files({0, 1}).read({.classes = 200, .first_label = 100});
        },
        {"labels of one byte", "200 classes from 100 on"});
    check_error([] { Files({0, 1}).read({.first_label = -1}); }, {"from -1 on"});
    const Folder folder;
    folder.write("labels", labels({0}));
    check_error([&] { idx_dataset(folder.path() / "none", folder.path() / "labels"); },
                {"idx_dataset: expected the file", "none'", "found no such file"});
    folder.write("empty", idx({0x803, 1, 0, 3}, ""));
    check_error([&] { idx_dataset(folder.path() / "empty", folder.path() / "labels"); },
                {"images of at least 1 x 1, found 0 x 3"});
}

// A folder with one set of EMNIST's form: 28 x 28, the first row of each picture white.
void write_emnist(const Folder& folder, const std::string& name, const std::string& label_bytes) {
    std::string pixels;
    for (std::size_t i = 0; i < label_bytes.size(); ++i) {
        pixels += std::string(28, '\xff') + std::string(27 * 28, '\0');
    }
    const auto count = static_cast<std::uint32_t>(label_bytes.size());
    folder.write(name + "-images-idx3-ubyte", idx({0x803, count, 28, 28}, pixels));
    folder.write(name + "-labels-idx1-ubyte", labels(label_bytes));
}

TEST_CASE("emnist: each of its sets, upright and with labels from 0") {
    const struct {
        EmnistSplit which;
        std::string name;
        char first, last;  // labels in the file
        Index classes;
    } sets[] = {{EmnistSplit::byclass, "byclass", 0, 61, 62},
                {EmnistSplit::bymerge, "bymerge", 0, 46, 47},
                {EmnistSplit::balanced, "balanced", 0, 46, 47},
                {EmnistSplit::letters, "letters", 1, 26, 26},
                {EmnistSplit::digits, "digits", 0, 9, 10},
                {EmnistSplit::mnist, "mnist", 0, 9, 10}};
    const Folder folder;
    for (const auto& set : sets) {
        CHECK(!emnist_found(folder.path(), set.which));
        write_emnist(folder, "emnist-" + set.name + "-test", {set.last, set.first});
        CHECK(emnist_found(folder.path(), set.which));
        const ImageDataset data = emnist(folder.path(), set.which, Split::test);
        CHECK(data.classes() == set.classes);
        CHECK(std::ssize(emnist_classes(set.which)) == set.classes);
        CHECK(data.label(0) == set.classes - 1);
        CHECK(data.label(1) == 0);
        CHECK(data.pixels(0)[27 * 28] == 255);  // the first column
        CHECK(data.pixels(0)[1] == 0);
        check_error([&] { emnist(folder.path(), set.which, Split::train); },
                    {"emnist: expected the file", "-train-images", "fetch emnist"});
    }
    CHECK(emnist_classes(EmnistSplit::byclass)[36] == "a");
    CHECK(emnist_classes(EmnistSplit::balanced)[46] == "t");
    CHECK(emnist_classes(EmnistSplit::letters)[25] == "z");
}

TEST_CASE("fashion_mnist and kmnist: MNIST's files, with their own names in messages") {
    const Folder folder;
    std::string pixels(28 * 28, '\x07');
    folder.write("t10k-images-idx3-ubyte", idx({0x803, 1, 28, 28}, pixels));
    folder.write("t10k-labels-idx1-ubyte", labels({9}));
    CHECK(fashion_mnist(folder.path(), Split::test).label(0) == 9);
    CHECK(kmnist(folder.path(), Split::test).shape() == Shape{1, 28, 28});
    check_error([&] { fashion_mnist(folder.path(), Split::train); },
                {"fashion_mnist: expected the file", "./primer fetch fashion_mnist"});
    check_error([&] { kmnist(folder.path(), Split::train); },
                {"kmnist: expected the file", "./primer fetch kmnist"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include <primer/datasets/mnist.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kImages = 0x00000803;
constexpr std::uint32_t kLabels = 0x00000801;

std::string idx(std::initializer_list<std::uint32_t> header, const std::string& data) {
    std::string bytes;
    for (std::uint32_t number : header) {
        for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xff);
    }
    return bytes + data;
}

// `count` images; every pixel of image i is i + 1.
std::string images(std::uint32_t count) {
    std::string data;
    for (std::uint32_t i = 0; i < count; ++i) data += std::string(784, static_cast<char>(i + 1));
    return idx({kImages, count, 28, 28}, data);
}

std::string labels(const std::string& data) {
    return idx({kLabels, static_cast<std::uint32_t>(data.size())}, data);
}

const std::string kThree = {7, 0, 9};
const std::string kImagesName = "train-images-idx3-ubyte";
const std::string kLabelsName = "train-labels-idx1-ubyte";

// Checks the Error of mnist for a folder in which everything is right except for what `spoil`
// changes: one line, with the absolute path of `culprit`, what was expected and what was found.
void check_mnist_error(const std::function<void(const Folder&)>& spoil, const std::string& culprit,
                       std::initializer_list<const char*> parts) {
    const Folder folder;
    folder.write(kImagesName, images(3));
    folder.write(kLabelsName, labels(kThree));
    spoil(folder);
    const std::string path = "'" + (folder.path() / culprit).string() + "'";
    const auto load = [&] { mnist(folder.path(), Split::train); };
    check_error(load, {"mnist: ", "expected", "found", path.c_str()});
    check_error(load, parts);
    try {
        load();
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
    }
}

TEST_CASE("mnist: reads both splits, under either spelling of the names") {
    const Folder folder;
    folder.write("train-images-idx3-ubyte", images(3));
    folder.write("train-labels.idx1-ubyte", labels(kThree));
    folder.write("t10k-images.idx3-ubyte", images(2));
    folder.write("t10k-labels-idx1-ubyte", labels({1, 2}));

    const ImageDataset train = mnist(folder.path(), Split::train);
    CHECK(train.size() == 3);
    CHECK(train.shape() == Shape{1, 28, 28});
    CHECK(train.classes() == 10);
    CHECK(train.label(0) == 7);
    CHECK(train.label(2) == 9);
    CHECK(train.pixels(0).front() == 1);
    CHECK(train.pixels(2).back() == 3);

    const ImageDataset test = mnist(folder.path(), Split::test);
    CHECK(test.size() == 2);
    CHECK(test.label(1) == 2);
    CHECK(test.pixels(1).front() == 2);
}

TEST_CASE("mnist: pixels lie in the order of the file") {
    const Folder folder;
    std::string data(784, '\0');
    data[1 * 28 + 2] = '\xff';
    folder.write(kImagesName, idx({kImages, 1, 28, 28}, data));
    folder.write(kLabelsName, labels({3}));
    const ImageDataset train = mnist(folder.path(), Split::train);
    CHECK(train.pixels(0)[1 * 28 + 2] == 255);
    CHECK(train.pixels(0)[2 * 28 + 1] == 0);
}

TEST_CASE("mnist: a folder that is missing, or a file" * needs_posix()) {
    check_error(
        [] { mnist("no-such-folder", Split::train); },
        {"mnist: expected a folder", ("'" + fs::current_path().string() + "/no-such").c_str(),
         "./primer fetch mnist --to '"});
    check_error([] { mnist("", Split::train); },
                {"mnist: expected the name of a folder", "found an empty one"});
    const Folder folder;
    folder.write("file", "");
    check_error([&] { mnist(folder.path() / "file", Split::train); },
                {"mnist: expected a folder", "/file', which is a file"});
    check_error([&] { mnist(folder.path() / std::string(5000, 'x'), Split::train); },
                {"mnist: cannot look at '", "xxx': "});
}

TEST_CASE("mnist: a file that is missing") {
    check_mnist_error(
        [](const Folder& f) { fs::remove(f.path() / kImagesName); }, kImagesName,
        {"(or train-images.idx3-ubyte), found neither", "./primer fetch mnist --to '"});
    check_mnist_error([](const Folder& f) { fs::remove(f.path() / kLabelsName); }, kLabelsName,
                      {"(or train-labels.idx1-ubyte), found neither"});
    const Folder folder;
    folder.write(kImagesName, images(3));
    folder.write(kLabelsName, labels(kThree));
    check_error([&] { mnist(folder.path(), Split::test); }, {"/t10k-images-idx3-ubyte'"});
}

TEST_CASE("mnist: a file left packed") {
    for (const std::string name : {"train-images-idx3-ubyte.gz", "train-images.idx3-ubyte.gz"}) {
        check_mnist_error(
            [&](const Folder& f) { fs::rename(f.path() / kImagesName, f.path() / name); }, name,
            {"found it packed; gunzip --keep '"});
    }
    check_mnist_error([](const Folder& f) { f.write(kLabelsName, "\x1f\x8b\x08"); }, kLabelsName,
                      {"begins with 1f 8b", "train-labels-idx1-ubyte.gz' && gunzip --keep '"});
}

TEST_CASE("mnist: a file of another kind") {
    check_mnist_error([](const Folder& f) { f.write(kImagesName, labels(kThree)); }, kImagesName,
                      {"to hold images (magic number 0x00000803)",
                       "found that it holds labels (0x00000801)", "swapped?"});
    check_mnist_error([](const Folder& f) { f.write(kLabelsName, images(3)); }, kLabelsName,
                      {"to hold labels (magic number 0x00000801)",
                       "found that it holds images (0x00000803)", "swapped?"});
    check_mnist_error([](const Folder& f) { f.write(kImagesName, "<html>404 Not Found</html>"); },
                      kImagesName,
                      {"magic number 0x00000803 of an IDX file of images", "found 0x3c68746d"});
}

TEST_CASE("mnist: a file shorter than its header") {
    check_mnist_error(
        [](const Folder& f) { f.write(kImagesName, ""); }, kImagesName,
        {"a header of 16 bytes, found a file of 0", "./primer fetch mnist --to NEW-FOLDER"});
    check_mnist_error([](const Folder& f) { f.write(kImagesName, images(3).substr(0, 15)); },
                      kImagesName, {"a header of 16 bytes, found a file of 15"});
    check_mnist_error([](const Folder& f) { f.write(kLabelsName, labels(kThree).substr(0, 3)); },
                      kLabelsName, {"a header of 8 bytes, found a file of 3"});
}

// 16 + 3 x 784 = 2368, 8 + 3 = 11.
TEST_CASE("mnist: a file shorter or longer than its header says") {
    check_mnist_error([](const Folder& f) { f.write(kImagesName, images(3).substr(0, 2367)); },
                      kImagesName,
                      {"to have 2368 bytes, because its header announces 3 images, found 2367",
                       "was a download broken off?"});
    check_mnist_error(
        [](const Folder& f) { f.write(kImagesName, images(3) + "x"); }, kImagesName,
        {"to have 2368 bytes", "found 2369; in Primer's source folder, ./primer fetch"});
    check_mnist_error([](const Folder& f) { f.write(kLabelsName, labels(kThree).substr(0, 10)); },
                      kLabelsName, {"to have 11 bytes", "announces 3 labels, found 10"});
    check_mnist_error([](const Folder& f) { f.write(kLabelsName, labels(kThree) + "x"); },
                      kLabelsName, {"to have 11 bytes", "found 12"});
}

TEST_CASE("mnist: a header of enormous counts takes no memory") {
    constexpr std::uint32_t most = 0xffffffff;
    check_mnist_error(
        [](const Folder& f) {
            f.write(kImagesName, idx({kImages, most, 28, 28}, "x"));
        },
        kImagesName, {"announces 4294967295 images, found 17"});  // would be 3.4 TB
    check_mnist_error(
        [](const Folder& f) {
            f.write(kLabelsName, idx({kLabels, most}, "x"));
        },
        kLabelsName, {"announces 4294967295 labels, found 9"});
    check_mnist_error(
        [](const Folder& f) {
            f.write(kImagesName, idx({kImages, most, most, most}, "x"));
        },
        kImagesName, {"announces 4294967295 x 4294967295 for each, more than any file can hold"});
    // 2^31 x 2^31 x 4 = 2^64, which would wrap around to 0.
    check_mnist_error(
        [](const Folder& f) {
            f.write(kImagesName, idx({kImages, 4, 1u << 31, 1u << 31}, ""));
        },
        kImagesName, {"announces 2147483648 x 2147483648 for each, more than any file can hold"});
}

TEST_CASE("mnist: reading takes the size of the files in memory, and 1 MB" * needs_posix()) {
    const Folder folder;
    const std::uint32_t count = 50'000;
    folder.write(kImagesName, idx({kImages, count, 28, 28}, std::string(784 * count, '\1')));
    folder.write(kLabelsName, labels(std::string(count, '\3')));
    const auto load = [&] { mnist(folder.path(), Split::train); };
    CHECK(within_memory((784 + 1) * count + (1 << 20), load) == "");
    // A file of holes only, which takes no room on the disk, is not taken into memory.
    folder.write(kImagesName, idx({kImages, count, 28, 28}, ""));
    fs::resize_file(folder.path() / kImagesName, std::uintmax_t{1} << 32);
    CHECK(within_memory(1 << 20, load).find("found 4294967296") != std::string::npos);
}

TEST_CASE("mnist: pictures of another size, or none") {
    check_mnist_error(
        [](const Folder& f) {
            f.write(kImagesName, idx({kImages, 3, 32, 32}, std::string(3 * 32 * 32, 'x')));
        },
        kImagesName, {"to hold images of 28 x 28, found 32 x 32"});
    check_mnist_error(
        [](const Folder& f) {
            f.write(kImagesName, idx({kImages, 3, 0, 28}, ""));
        },
        kImagesName, {"to hold images of 28 x 28, found 0 x 28"});
    check_mnist_error([](const Folder& f) { f.write(kImagesName, images(0)); }, kImagesName,
                      {"to hold images, found that its header announces 0 of them"});
    check_mnist_error([](const Folder& f) { f.write(kLabelsName, labels("")); }, kLabelsName,
                      {"to hold labels, found that its header announces 0 of them"});
}

TEST_CASE("mnist: labels that do not match the images") {
    check_mnist_error(
        [](const Folder& f) {
            f.write(kLabelsName, labels({1, 2}));
        },
        kLabelsName,
        {"expected as many labels in", kImagesName.c_str(), "found 2 and 3",
         "published files to compare with"});
    check_mnist_error(
        [](const Folder& f) {
            f.write(kLabelsName, labels({1, 10, 11}));
        },
        kLabelsName,
        {"expected labels from 0 to 9", "found 10 for image 1", "--to NEW-FOLDER",
         "for data of your own, give idx_dataset their number of classes"});
    check_mnist_error(
        [](const Folder& f) {
            f.write(kLabelsName, labels({1, 2, '\xff'}));
        },
        kLabelsName, {"found 255 for image 2"});
}

TEST_CASE("mnist: something that is no file") {
    check_mnist_error(
        [](const Folder& f) {
            fs::remove(f.path() / kImagesName);
            fs::create_directory(f.path() / kImagesName);
        },
        kImagesName, {"to be a file, found a folder"});
}

TEST_CASE("mnist: an unreadable file" * needs_posix()) {
    const Folder folder;
    folder.write(kImagesName, images(3));
    folder.write(kLabelsName, labels(kThree));
    fs::permissions(folder.path() / kImagesName, fs::perms::none);
    const AsNobody nobody;
    check_error([&] { mnist(folder.path(), Split::train); },
                {"mnist: expected '", kImagesName.c_str(),
                 "to be readable, found that it cannot be opened: Permission denied; check its "
                 "permissions"});
}

TEST_CASE("mnist_found: any of the files will do, whole or not") {
    const Folder folder;
    CHECK_FALSE(mnist_found(folder.path() / "missing"));
    CHECK_FALSE(mnist_found(folder.path()));
    folder.write("something-else", "");
    CHECK_FALSE(mnist_found(folder.path()));
    for (const std::string name : {"train-images-idx3-ubyte", "train-labels.idx1-ubyte",
                                   "t10k-images-idx3-ubyte.gz", "t10k-labels.idx1-ubyte.gz"}) {
        folder.write(name, "");
        CHECK(mnist_found(folder.path()));
        fs::remove(folder.path() / name);
    }
}

TEST_CASE("real data: mnist: the published files") {
    const fs::path folder = real_data("mnist");
    if (folder.empty()) return;
    const ImageDataset train = mnist(folder, Split::train);
    const ImageDataset test = mnist(folder, Split::test);
    REQUIRE(train.size() == 60000);
    REQUIRE(test.size() == 10000);

    // The first digits of each file, and the count of every class.
    std::vector<Index> first;
    for (Index i = 0; i < 5; ++i) first.push_back(train.label(i));
    for (Index i = 0; i < 5; ++i) first.push_back(test.label(i));
    CHECK(first == std::vector<Index>{5, 0, 4, 1, 9, 7, 2, 1, 0, 4});
    std::array<Index, 10> of_class{};
    for (Index i = 0; i < 60000; ++i) ++of_class[static_cast<std::size_t>(train.label(i))];
    CHECK(of_class ==
          std::array<Index, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});

    // kMnistMean and kMnistStddev, as their comment says.
    std::uint64_t sum = 0, sum2 = 0;
    for (Index i = 0; i < 60000; ++i) {
        for (std::uint64_t x : train.pixels(i)) {
            sum += x;
            sum2 += x * x;
        }
    }
    constexpr double count = 60000.0 * 784;
    const double mean = static_cast<double>(sum) / count / 255;
    const double mean2 = static_cast<double>(sum2) / count / (255 * 255);
    CHECK(std::abs(mean - double{kMnistMean}) < 0.00005);
    CHECK(std::abs(std::sqrt(mean2 - mean * mean) - double{kMnistStddev}) < 0.00005);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

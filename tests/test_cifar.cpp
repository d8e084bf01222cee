#include <primer/datasets/cifar.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// Small files, so that the tests are quick.
ImageDataset small10(const fs::path& dir, Split split) {
    return cifar10(dir, split, CifarLength::any);
}

ImageDataset small100(const fs::path& dir, Split split,
                      Cifar100Labels labels = Cifar100Labels::fine) {
    return cifar100(dir, split, labels, CifarLength::any);
}

// A picture of one colour after its label bytes.
std::string record(const std::string& labels, char red, char green, char blue) {
    return labels + std::string(1024, red) + std::string(1024, green) + std::string(1024, blue);
}

// One black picture for each of the labels; CIFAR-100 has two labels a picture.
std::string black(std::initializer_list<std::string> labels) {
    std::string bytes;
    for (const std::string& label : labels) bytes += record(label, 0, 0, 0);
    return bytes;
}

const std::vector<std::string> kTrainNames{"data_batch_1.bin", "data_batch_2.bin",
                                           "data_batch_3.bin", "data_batch_4.bin",
                                           "data_batch_5.bin"};

// All training files, in a folder inside the test's.
void write_train(const Folder& folder, const std::string& inside = ".") {
    fs::create_directory(folder.path() / inside);
    for (const std::string& name : kTrainNames) {
        folder.write(inside + "/" + name, black({"\x01", "\x02"}));
    }
}

std::vector<Index> labels(const Dataset& dataset) {
    std::vector<Index> all;
    for (Index i = 0; i < dataset.size(); ++i) all.push_back(dataset.label(i));
    return all;
}

// Checks the Error of `load` for a folder in which everything is right except for what `spoil`
// changes: one line, with the absolute path of `culprit`, what was expected and what was found.
void check_one_line(const std::function<void()>& load, const Folder& folder,
                    const std::string& culprit, std::initializer_list<const char*> parts) {
    const fs::path path = culprit.empty() ? folder.path() : folder.path() / culprit;
    const std::string shown = "'" + path.string() + "'";
    check_error(load, {"expected", "found", shown.c_str()});
    check_error(load, parts);
    try {
        load();
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
    }
}

void check_cifar10_error(const std::function<void(const Folder&)>& spoil,
                         const std::string& culprit, std::initializer_list<const char*> parts) {
    const Folder folder;
    write_train(folder);
    spoil(folder);
    const auto load = [&] { small10(folder.path(), Split::train); };
    check_error(load, {"cifar10: expected "});
    check_one_line(load, folder, culprit, parts);
}

void check_cifar100_error(const std::function<void(const Folder&)>& spoil,
                          const std::string& culprit, std::initializer_list<const char*> parts) {
    const Folder folder;
    folder.write("train.bin", black({{1, 2}, {3, 4}}));
    spoil(folder);
    for (Cifar100Labels which : {Cifar100Labels::fine, Cifar100Labels::coarse}) {
        const auto load = [&] { small100(folder.path(), Split::train, which); };
        check_error(load, {"cifar100: expected "});
        check_one_line(load, folder, culprit, parts);
    }
}

TEST_CASE("cifar10: the five training files one after another, each of any length") {
    const Folder folder;
    folder.write("data_batch_1.bin", record("\x07", 10, 20, 30));
    folder.write("data_batch_2.bin", black({"\x01", "\x02", "\x03"}));
    folder.write("data_batch_3.bin", black({"\x09"}));
    folder.write("data_batch_4.bin", black({{'\0'}, "\x05"}));
    folder.write("data_batch_5.bin", record("\x08", 11, 21, '\xff'));
    folder.write("test_batch.bin", black({"\x06"}));
    folder.write("batches.meta.txt", "airplane\n");

    const ImageDataset train = small10(folder.path(), Split::train);
    CHECK(train.shape() == Shape{3, 32, 32});
    CHECK(train.classes() == 10);
    CHECK(labels(train) == std::vector<Index>{7, 1, 2, 3, 9, 0, 5, 8});
    const auto first = train.pixels(0), last = train.pixels(7);
    CHECK(first.front() == 10);
    CHECK(first[1023] == 10);
    CHECK(first[1024] == 20);
    CHECK(first[2047] == 20);
    CHECK(first[2048] == 30);
    CHECK(first.back() == 30);
    CHECK(train.pixels(1).front() == 0);
    CHECK(last[0] == 11);
    CHECK(last[1500] == 21);
    CHECK(last.back() == 255);

    CHECK(labels(small10(folder.path(), Split::test)) == std::vector<Index>{6});
}

TEST_CASE("cifar10: rows lie in the order of the file") {
    const Folder folder;
    std::string bytes = black({"\x03"});
    bytes[1 + 1024 + 2 * 32 + 5] = '\x77';  // green, row 2, column 5
    folder.write("test_batch.bin", bytes);
    const ImageDataset test = small10(folder.path(), Split::test);
    std::vector<Real> values(3 * 32 * 32);
    test.load(0, values);
    CHECK(tensor(values, test.shape()).at({1, 2, 5}) == 0x77);
    CHECK(std::count(values.begin(), values.end(), Real(0)) == 3 * 32 * 32 - 1);
}

TEST_CASE("cifar10: the folder that the archive unpacks to, unless the files are beside it") {
    const Folder folder;
    write_train(folder, "cifar-10-batches-bin");
    CHECK(small10(folder.path(), Split::train).size() == 10);
    CHECK(small10(folder.path() / "cifar-10-batches-bin", Split::train).size() == 10);
    // Half of the files beside it do not count ...
    for (int i : {0, 1, 2, 3}) {
        folder.write(kTrainNames[static_cast<std::size_t>(i)], black({"\x04"}));
    }
    CHECK(small10(folder.path(), Split::train).size() == 10);
    // ... all of them do.
    folder.write(kTrainNames[4], black({"\x04"}));
    CHECK(labels(small10(folder.path(), Split::train)) == std::vector<Index>{4, 4, 4, 4, 4});
}

TEST_CASE("cifar100: fine and coarse labels of the same pictures") {
    const Folder folder;
    folder.write("train.bin", record({19, 99}, 1, 2, 3) + record({0, 20}, 4, 5, 6));
    folder.write("test.bin", black({{7, 8}}));
    const ImageDataset fine = small100(folder.path(), Split::train);
    CHECK(fine.classes() == 100);
    CHECK(labels(fine) == std::vector<Index>{99, 20});
    const ImageDataset coarse = small100(folder.path(), Split::train, Cifar100Labels::coarse);
    CHECK(coarse.classes() == 20);
    CHECK(labels(coarse) == std::vector<Index>{19, 0});
    for (const ImageDataset* set : {&fine, &coarse}) {
        CHECK(set->shape() == Shape{3, 32, 32});
        CHECK(set->pixels(0)[0] == 1);
        CHECK(set->pixels(0)[1024] == 2);
        CHECK(set->pixels(1)[3071] == 6);
    }
    CHECK(labels(small100(folder.path(), Split::test, Cifar100Labels::fine)) ==
          std::vector<Index>{8});

    const Folder outer;
    fs::copy(folder.path(), outer.path() / "cifar-100-binary");
    CHECK(small100(outer.path(), Split::train).size() == 2);
}

TEST_CASE("cifar: a folder that is missing, or a file") {
    const std::string path = "'" + fs::current_path().string() + "/no-such-folder'";
    const auto load10 = [](const fs::path& dir) { small10(dir, Split::train); };
    const auto load100 = [](const fs::path& dir) { small100(dir, Split::train); };
    check_error([&] { load10("no-such-folder"); },
                {"cifar10: expected a folder with CIFAR-10's files, found no ", path.c_str(),
                 "; in Primer's source folder, ./primer fetch cifar10 --to '", "downloads it"});
    check_error([&] { load100("no-such-folder"); },
                {"cifar100: expected a folder with CIFAR-100's files, found no ", path.c_str(),
                 "; in Primer's source folder, ./primer fetch cifar100 --to '"});
    check_error([&] { load10(""); }, {"cifar10: expected the name of a folder"});
    const Folder folder;
    folder.write("cifar-10-binary.tar.gz", "");
    check_error([&] { load10(folder.path() / "cifar-10-binary.tar.gz"); },
                {"cifar10: expected a folder", "which is a file; name the folder that it is in"});
    if (kPosix) {  // to Windows, a name that is too long is one that is not there
        check_error([&] { load10(folder.path() / std::string(5000, 'x')); },
                    {"cifar10: cannot look at '"});
    }
}

TEST_CASE("cifar10: all missing files are named") {
    check_cifar10_error(
        [](const Folder& f) {
            fs::remove(f.path() / "data_batch_2.bin");
            fs::remove(f.path() / "data_batch_5.bin");
        },
        "",
        {"expected CIFAR-10's training files in '",
         "found no data_batch_2.bin, no data_batch_5.bin; in Primer's source folder, ./primer "
         "fetch cifar10 --to '",
         "' downloads it"});
    const Folder folder;
    check_error([&] { small10(folder.path(), Split::train); },
                {"found no data_batch_1.bin, no data_batch_2.bin, no data_batch_3.bin, no "
                 "data_batch_4.bin, no data_batch_5.bin; "});
    check_error([&] { small10(folder.path(), Split::test); },
                {"expected CIFAR-10's test files in '", "found no test_batch.bin; "});
    check_error([&] { small100(folder.path(), Split::train); },
                {"cifar100: expected CIFAR-100's training files in '", "found no train.bin; "});
    check_error([&] { small100(folder.path(), Split::test); }, {"found no test.bin; "});
}

TEST_CASE("cifar10: missing from the folder that the archive unpacks to") {
    const Folder folder;
    write_train(folder, "cifar-10-batches-bin");
    fs::remove(folder.path() / "cifar-10-batches-bin/data_batch_3.bin");
    check_one_line([&] { small10(folder.path(), Split::train); }, folder, "cifar-10-batches-bin",
                   {"/cifar-10-batches-bin', found no data_batch_3.bin; in Primer's source folder, "
                    "./primer fetch",
                    "/cifar-10-batches-bin' downloads it"});
}

TEST_CASE("cifar10: a file in the place of that folder is none of our business") {
    const Folder folder;
    folder.write("cifar-10-batches-bin", "");
    const std::string searched = "files in '" + folder.path().string() + "', found no test_batch";
    check_error([&] { small10(folder.path(), Split::test); }, {searched.c_str()});
}

TEST_CASE("cifar: the archive left packed") {
    for (const std::string name : {"cifar-10-binary.tar.gz", "cifar-10-binary.tar"}) {
        check_cifar10_error(
            [&](const Folder& f) {
                fs::remove(f.path() / "data_batch_4.bin");
                f.write(name, "");
            },
            name, {"/data_batch_4.bin', found it packed; tar -xkf '", "' unpacks it"});
    }
    check_cifar100_error(
        [](const Folder& f) {
            fs::rename(f.path() / "train.bin", f.path() / "cifar-100-binary.tar.gz");
        },
        "cifar-100-binary.tar.gz", {"/train.bin', found it packed; tar -xkf '", " -C '"});
    check_cifar10_error([](const Folder& f) { f.write("data_batch_2.bin", "\x1f\x8b\x08"); },
                        "data_batch_2.bin", {"unpacked, found that it begins with 1f 8b"});
}

TEST_CASE("cifar: the version for Python") {
    for (const std::string name : {"data_batch_1", "test_batch", "cifar-10-python.tar.gz"}) {
        check_cifar10_error(
            [&](const Folder& f) {
                fs::remove(f.path() / "data_batch_1.bin");
                f.write(name, "");
            },
            name,
            {"/data_batch_1.bin' of the binary version, found '", "' of the version for Python; ",
             "./primer fetch cifar10 --to '", "' downloads it"});
    }
    for (const std::string name : {"train", "test", "cifar-100-python.tar.gz"}) {
        check_cifar100_error(
            [&](const Folder& f) { fs::rename(f.path() / "train.bin", f.path() / name); }, name,
            {"/train.bin' of the binary version, found '", "' of the version for Python; "});
    }
    const Folder ten, hundred;
    fs::create_directory(ten.path() / "cifar-10-batches-py");
    check_error([&] { small10(ten.path(), Split::train); },
                {"/cifar-10-batches-py' of the version for Python"});
    fs::create_directory(hundred.path() / "cifar-100-python");
    check_error([&] { small100(hundred.path(), Split::train); },
                {"/cifar-100-python' of the version for Python"});
    // The same under the binary version's name.
    check_cifar10_error(
        [](const Folder& f) { f.write("data_batch_3.bin", "\x80\x02}q"); }, "data_batch_3.bin",
        {"begins with 80, as Python's pickle files do", "published files to compare with"});
}

// 2 x 3073 = 6146, 2 x 3074 = 6148.
TEST_CASE("cifar: a file that does not end with a whole picture") {
    check_cifar10_error(
        [](const Folder& f) {
            f.write("data_batch_1.bin", black({"1", "2"}).substr(0, 6145));
        },
        "data_batch_1.bin",
        {"to hold whole pictures of 3073 bytes, found 6145 bytes, 1 pictures and 3072 bytes",
         "was a download broken off?", "published files to compare with"});
    check_cifar10_error(
        [](const Folder& f) {
            f.write("data_batch_5.bin", black({"\x01", "\x02"}) + "x");
        },
        "data_batch_5.bin", {"found 6147 bytes, 2 pictures and 1 bytes"});
    check_cifar10_error([](const Folder& f) { f.write("data_batch_5.bin", "x"); },
                        "data_batch_5.bin", {"found 1 bytes, 0 pictures and 1 bytes"});
    check_cifar10_error([](const Folder& f) { f.write("data_batch_5.bin", ""); },
                        "data_batch_5.bin", {"found 0 bytes, 0 pictures and 0 bytes"});
    check_cifar100_error(
        [](const Folder& f) {
            f.write("train.bin", black({{1, 2}, {3, 4}}).substr(0, 6147));
        },
        "train.bin", {"pictures of 3074 bytes, found 6147 bytes, 1 pictures and 3073 bytes"});
}

// 10000 x 3073 = 30730000, 10000 x 3074 = 30740000, 50000 x 3074 = 153700000. Beyond what was
// written, the file is all zeros, which take no room on the disk.
TEST_CASE("cifar: the published files have the published length") {
    const Folder folder;
    const auto make = [&](const std::string& name, std::uintmax_t bytes) {
        folder.write(name, "");
        fs::resize_file(folder.path() / name, bytes);
    };
    for (const std::string& name : kTrainNames) make(name, 30'730'000);
    make("test_batch.bin", 30'730'000);
    CHECK(cifar10(folder.path(), Split::test).size() == 10000);

    const auto train10 = [&] { cifar10(folder.path(), Split::train); };
    make("data_batch_4.bin", 30'730'000 - 3073);  // one picture fewer: at a boundary
    check_one_line(train10, folder, "data_batch_4.bin",
                   {"to hold 10000 pictures, 30730000 bytes, found 30726927 bytes (was a download "
                    "broken off?); in Primer's source folder, ./primer fetch cifar10"});
    make("data_batch_4.bin", 30'730'000 + 3073);
    check_one_line(
        train10, folder, "data_batch_4.bin",
        {"30730000 bytes, found 30733073 bytes; in Primer's source folder, ./primer fetch cifar10",
         "for a file of your own, ask for CifarLength::any"});
    make("data_batch_4.bin", 0);
    check_one_line(train10, folder, "data_batch_4.bin", {"found 0 bytes (was a download"});
    make("test_batch.bin", 30'730'001);
    check_one_line([&] { cifar10(folder.path(), Split::test); }, folder, "test_batch.bin",
                   {"to hold 10000 pictures", "found 30730001 bytes"});

    make("train.bin", 30'740'000);
    make("test.bin", 30'740'000);
    CHECK(cifar100(folder.path(), Split::test).size() == 10000);
    check_one_line(
        [&] { cifar100(folder.path(), Split::train); }, folder, "train.bin",
        {"cifar100: expected",
         "to hold 50000 pictures, 153700000 bytes, found 30740000 "
         "bytes (was a download broken off?); in Primer's source folder, ./primer fetch cifar100"});
}

TEST_CASE("cifar: reading takes the size of the files in memory, and 1 MB" * needs_posix()) {
    const Folder folder;
    std::string pictures;
    for (int i = 0; i < 5000; ++i) pictures += record("\x04", 1, 2, 3);
    for (const std::string& name : kTrainNames) folder.write(name, pictures);
    CHECK(within_memory(5 * pictures.size() + (1 << 20),
                        [&] { small10(folder.path(), Split::train); }) == "");
    // Files of whole pictures, all holes, which take no room on the disk.
    fs::resize_file(folder.path() / kTrainNames[4], std::uintmax_t{3073} << 20);
    CHECK(within_memory(1 << 20, [&] { cifar10(folder.path(), Split::train); }) != "out of memory");
}

TEST_CASE("cifar: labels that cannot be") {
    check_cifar10_error(
        [](const Folder& f) {
            f.write("data_batch_2.bin", black({"\x09", "\x0a", "\x0b"}));
        },
        "data_batch_2.bin",
        {"labels from 0 to 9",
         "found 10 for picture 1; in Primer's source folder, ./primer fetch"});
    check_cifar10_error(
        [](const Folder& f) {
            f.write("data_batch_5.bin", black({"\x09", "\xff"}));
        },
        "data_batch_5.bin", {"found 255 for picture 1"});
    check_cifar100_error(
        [](const Folder& f) {
            f.write("train.bin", black({{1, 2}, {20, 4}}));
        },
        "train.bin", {"expected coarse labels from 0 to 19", "found 20 for picture 1"});
    check_cifar100_error(
        [](const Folder& f) {
            f.write("train.bin", black({{1, 100}}));
        },
        "train.bin", {"expected fine labels from 0 to 99", "found 100 for picture 0"});
}

TEST_CASE("cifar: something that is no file, and one that may not be read" * needs_posix()) {
    check_cifar10_error(
        [](const Folder& f) {
            fs::remove(f.path() / "data_batch_3.bin");
            fs::create_directory(f.path() / "data_batch_3.bin");
        },
        "data_batch_3.bin", {"to be a file, found a folder"});

    const Folder folder;
    folder.write("test_batch.bin", black({"\x01"}));
    fs::permissions(folder.path() / "test_batch.bin", fs::perms::none);
    const AsNobody nobody;
    check_one_line([&] { small10(folder.path(), Split::test); }, folder, "test_batch.bin",
                   {"cifar10: expected '", "to be readable", "check its permissions"});
}

TEST_CASE("cifar: found by any of its files, whole or not" * needs_posix()) {
    const Folder folder;
    const auto check_found = [&](bool (*found)(const fs::path&), bool (*other)(const fs::path&),
                                 std::initializer_list<const char*> names) {
        CHECK_FALSE(found(folder.path() / "missing"));
        CHECK_FALSE(found(folder.path()));
        for (const std::string name : names) {
            CAPTURE(name);
            folder.write(name, "");
            CHECK(found(folder.path()));
            CHECK_FALSE(other(folder.path()));
            fs::remove(folder.path() / name);
        }
    };
    check_found(cifar10_found, cifar100_found,
                {"data_batch_1.bin", "data_batch_5.bin", "test_batch.bin", "cifar-10-batches-bin",
                 "cifar-10-binary.tar.gz", "cifar-10-binary.tar", "data_batch_1",
                 "cifar-10-python.tar.gz"});
    check_found(
        cifar100_found, cifar10_found,
        {"train.bin", "test.bin", "cifar-100-binary", "cifar-100-binary.tar.gz", "train", "test"});
    folder.write("something-else", "");
    CHECK_FALSE(cifar10_found(folder.path()));
    CHECK_FALSE(cifar100_found(folder.path()));
    check_error([&] { cifar10_found(folder.path() / std::string(5000, 'x')); },
                {"cifar10: cannot look at '"});
}

// Mean and standard deviation of one channel, as the constants' comment says.
std::array<double, 2> statistics(const ImageDataset& pictures, std::size_t channel) {
    std::uint64_t sum = 0, sum2 = 0;
    for (Index i = 0; i < pictures.size(); ++i) {
        for (std::uint64_t x : pictures.pixels(i).subspan(channel * 1024, 1024)) {
            sum += x;
            sum2 += x * x;
        }
    }
    const double count = static_cast<double>(pictures.size()) * 1024;
    const double mean = static_cast<double>(sum) / count / 255;
    const double mean2 = static_cast<double>(sum2) / count / (255 * 255);
    return {mean, std::sqrt(mean2 - mean * mean)};
}

TEST_CASE("real data: cifar10: the published files") {
    const fs::path folder = real_data("cifar10");
    if (folder.empty()) return;
    const ImageDataset train = cifar10(folder, Split::train), test = cifar10(folder, Split::test);
    REQUIRE(train.size() == 50000);
    REQUIRE(test.size() == 10000);

    // The first labels of each file, and the same number of every class.
    std::vector<Index> first;
    for (Index i = 0; i < 5; ++i) first.push_back(train.label(i));
    for (Index i = 0; i < 5; ++i) first.push_back(test.label(i));
    CHECK(first == std::vector<Index>{6, 9, 9, 4, 1, 3, 8, 8, 0, 6});
    for (const ImageDataset* set : {&train, &test}) {
        std::array<Index, 10> of_class{};
        for (Index label : labels(*set)) ++of_class[static_cast<std::size_t>(label)];
        for (Index count : of_class) CHECK(count == set->size() / 10);
    }

    // Copies that have gone through a lossy format pass as well: their deviations are about 0.002
    // too small. The other deviations in use, 0.2023, 0.1994, 0.2010, would not pass.
    for (std::size_t c = 0; c < 3; ++c) {
        const auto [mean, stddev] = statistics(train, c);
        CAPTURE(c);
        CHECK(std::abs(mean - static_cast<double>(kCifar10Mean[c])) < 0.001);
        CHECK(std::abs(stddev - static_cast<double>(kCifar10Stddev[c])) < 0.003);
    }

    std::ifstream names(folder / "batches.meta.txt");
    for (const std::string expected : kCifar10Classes) {
        std::string name;
        names >> name;
        CHECK(name == expected);
    }
}

TEST_CASE("real data: cifar100: the published files") {
    const fs::path folder = real_data("cifar100");
    if (folder.empty()) return;
    const ImageDataset train = cifar100(folder, Split::train);
    REQUIRE(train.size() == 50000);
    REQUIRE(cifar100(folder, Split::test).size() == 10000);
    for (std::size_t c = 0; c < 3; ++c) {
        const auto [mean, stddev] = statistics(train, c);
        CHECK(std::abs(mean - static_cast<double>(kCifar100Mean[c])) < 0.001);
        CHECK(std::abs(stddev - static_cast<double>(kCifar100Stddev[c])) < 0.003);
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT

#include "data.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/text.h>
#include <primer/datasets/cifar.h>
#include <primer/datasets/image_folder.h>
#include <primer/datasets/mnist.h>
#include <primer/datasets/synthetic_digits.h>
#include <primer/datasets/synthetic_shapes.h>
#include "program.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

struct Kind {
    const char* name;  ///< of its folder
    const char* title;
    bool (*found)(const fs::path&);  ///< whether any of its files are there
};
constexpr Kind kMnist{"mnist", "MNIST", mnist_found}, kCifar{"cifar10", "CIFAR-10", cifar10_found};

constexpr Index kSyntheticTrain = 30000, kSyntheticTest = 5000;

/// The folder that the user gave, or the first of the usual places that has data of this kind; else
/// "".
fs::path find_folder(const std::string& flag, const Kind& kind, const Kind& other) {
    if (!flag.empty()) {
        check_usage(kind.found(flag) || !other.found(flag), "--data: expected a folder with ",
                    kind.title, "'s files, got ", full_name(flag), " with ", other.title, "'s");
        return flag;
    }
    const char* root = std::getenv("PRIMER_DATA");
    if (root != nullptr && *root != '\0') {
        std::error_code ignored;
        // An error, not drawn data without a word: whoever sets it means real data.
        check(fs::is_directory(root, ignored),
              "PRIMER_DATA: expected a folder with the datasets' folders (mnist, cifar10) in it, "
              "got ",
              in_quotes(root), ", which is no folder; correct it, or unset it");
        if (kind.found(fs::path(root) / kind.name)) return fs::path(root) / kind.name;
        for (const Kind& here : {kind, other}) {
            check(!here.found(root),
                  "PRIMER_DATA: expected the folder with the datasets' folders (mnist, cifar10) in "
                  "it, got ",
                  in_quotes(root), ", which has ", here.title,
                  "'s files themselves; set it to the folder around that, or name the files' "
                  "folder with --data");
        }
    }
    const fs::path local = fs::path("data") / kind.name;
    return kind.found(local) ? local : fs::path();
}

/// Whether it has folders in it and neither files of ours nor a folder for them: then these folders
/// are classes of pictures.
bool is_picture_folder(const fs::path& folder) {
    std::error_code error;
    for (const Kind& kind : {kMnist, kCifar}) {
        if (kind.found(folder) || fs::is_directory(folder / kind.name, error)) return false;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.is_directory(error)) return true;
    }
    return false;
}

/// channel_statistics for Normalize, which divides by the deviations: where all pixels of a channel
/// are equal there is nothing to scale.
ChannelStatistics statistics_of(const ImageDataset& pictures) {
    ChannelStatistics statistics = channel_statistics(pictures);
    std::ranges::replace(statistics.stddev, Real(0), Real(1));
    return statistics;
}

/// Some of the pictures, as a dataset of their own.
ImageDataset copy_of(const Subset& part, const ImageDataset& pictures) {
    std::vector<std::uint8_t> pixels, labels;
    for (const Index i : part.indices()) {
        const std::span<const std::uint8_t> picture = pictures.pixels(i);
        pixels.insert(pixels.end(), picture.begin(), picture.end());
        labels.push_back(static_cast<std::uint8_t>(pictures.label(i)));
    }
    return ImageDataset(pictures.shape(), pictures.classes(), std::move(pixels), std::move(labels));
}

/// "Not used: notes.txt and 2 more are not pictures.", or "".
std::string skipped_line(const std::vector<std::string>& skipped) {
    if (skipped.empty()) return "";
    const std::string rest = skipped.size() == 1 ? " is not a picture."
                                                 : " and " + std::to_string(skipped.size() - 1) +
                                                       " more are not pictures.";
    return "Not used: " + printable(skipped[0]) + rest;
}

TrainAndTest pictures_in(const fs::path& folder, Size2 size, Index channels) {
    const ImageFolderOptions options{.channels = channels};
    const std::string source = "the pictures in " + folder.string();
    std::error_code error;
    const bool has_test = fs::is_directory(folder / "test", error);
    const bool has_parts = fs::is_directory(folder / "train", error) &&
                           (has_test || fs::is_directory(folder / "val", error));
    if (!has_parts) {
        const ImageFolder all = image_folder(folder, size, options);
        Rng rng(1);
        const std::vector<Subset> parts = random_split(all.pictures, {0.8, 0.2}, rng);
        ImageDataset train = copy_of(parts[0], all.pictures);
        const ChannelStatistics statistics = statistics_of(train);
        return {std::move(train), copy_of(parts[1], all.pictures), source, folder, all.classes,
                statistics,       skipped_line(all.skipped)};
    }
    ImageFolder train = image_folder(folder / "train", size, options);
    ImageFolder test = image_folder(folder / (has_test ? "test" : "val"), size, options);
    check(train.classes == test.classes,
          "--data: expected the same classes for training and test in ", full_name(folder),
          ", found ", train.classes.size(), " and ", test.classes.size(),
          " folders, or other names");
    train.skipped.insert(train.skipped.end(), test.skipped.begin(), test.skipped.end());
    const ChannelStatistics statistics = statistics_of(train.pictures);
    return {std::move(train.pictures),
            std::move(test.pictures),
            source,
            folder,
            train.classes,
            statistics,
            skipped_line(train.skipped)};
}

constexpr std::array kEmnistSplits{EmnistSplit::byclass,  EmnistSplit::bymerge,
                                   EmnistSplit::balanced, EmnistSplit::letters,
                                   EmnistSplit::digits,   EmnistSplit::mnist};

/// The set that the last part of `flag` names, if the files are in the folder before it.
std::optional<TrainAndTest> emnist_named(const fs::path& flag) {
    const fs::path folder = flag.has_parent_path() ? flag.parent_path() : fs::path(".");
    for (const EmnistSplit which : kEmnistSplits) {
        check_usage(!emnist_found(flag, which), "--data: expected one of EMNIST's sets, such as ",
                    full_name(flag / "letters"), ", got the folder of them all, ", full_name(flag));
        if (flag.filename() != name(which) || !emnist_found(folder, which)) continue;
        ImageDataset train = emnist(folder, which, Split::train);
        const ChannelStatistics statistics = statistics_of(train);
        return TrainAndTest{std::move(train),
                            emnist(folder, which, Split::test),
                            "EMNIST's " + std::string(name(which)) + " from " + folder.string(),
                            flag,
                            emnist_classes(which),
                            statistics,
                            ""};
    }
    return {};
}

/// A folder with the files of MNIST or of a set whose files have the same names: the folder's name
/// tells which.
TrainAndTest mnist_in(const fs::path& folder) {
    // A path may end with a slash; then its last part is empty.
    const fs::path named = folder.has_filename() ? folder : folder.parent_path();
    const std::string kind = named.filename().string();
    const auto whole = [&](const char* title, const auto& classes) {
        ImageDataset train = mnist(folder, Split::train);
        const ChannelStatistics statistics = statistics_of(train);
        return TrainAndTest{std::move(train),
                            mnist(folder, Split::test),
                            title + (" from " + folder.string()),
                            folder,
                            {classes.begin(), classes.end()},
                            statistics,
                            ""};
    };
    if (kind == "fashion_mnist") return whole("Fashion-MNIST", kFashionMnistClasses);
    if (kind == "kmnist") return whole("KMNIST", kKmnistClasses);
    TrainAndTest digits = whole("MNIST", emnist_classes(EmnistSplit::mnist));
    if (kind == "mnist") digits.statistics = {{kMnistMean}, {kMnistStddev}};
    return digits;
}

}  // namespace

TrainAndTest find_digits(const std::string& flag) {
    if (!flag.empty()) {
        if (std::optional<TrainAndTest> letters = emnist_named(flag)) return *std::move(letters);
        if (is_picture_folder(flag)) return pictures_in(flag, 28, 1);
    }
    const fs::path folder = find_folder(flag, kMnist, kCifar);
    if (!folder.empty()) return mnist_in(folder);
    return {synthetic_digits(kSyntheticTrain, 1),
            synthetic_digits(kSyntheticTest, 2),
            "synthetic digits",
            "",
            emnist_classes(EmnistSplit::mnist),
            {{kMnistMean}, {kMnistStddev}},
            "No MNIST found (./primer fetch mnist downloads it): training on synthetic digits."};
}

TrainAndTest find_pictures(const std::string& flag) {
    const ChannelStatistics of_cifar{kCifar10Mean, kCifar10Stddev};
    if (!flag.empty() && is_picture_folder(flag)) return pictures_in(flag, 32, 3);
    const fs::path folder = find_folder(flag, kCifar, kMnist);
    if (!folder.empty()) {
        return {cifar10(folder, Split::train),
                cifar10(folder, Split::test),
                "CIFAR-10 from " + folder.string(),
                folder,
                {kCifar10Classes.begin(), kCifar10Classes.end()},
                of_cifar,
                ""};
    }
    return {
        synthetic_shapes(kSyntheticTrain, 1),
        synthetic_shapes(kSyntheticTest, 2),
        "synthetic shapes",
        "",
        {kShapeClasses.begin(), kShapeClasses.end()},
        of_cifar,
        "No CIFAR-10 found (./primer fetch cifar10 downloads it): training on synthetic shapes."};
}

void announce(const TrainAndTest& data) {
    if (!data.hint.empty()) std::cout << data.hint << '\n';
    std::cout << "Training on " << printable(data.source) << ": " << data.train.size()
              << " images, " << data.test.size() << " to test, " << num_threads()
              << (num_threads() == 1 ? " thread.\n" : " threads.\n");
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

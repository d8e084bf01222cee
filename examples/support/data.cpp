#include "data.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/text.h>
#include <primer/datasets/cifar.h>
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

/// The folder that the user gave, or the first of the usual places in which data of this kind are;
/// else "".
fs::path find_folder(const std::string& flag, const Kind& kind, const Kind& other) {
    if (!flag.empty()) {
        check_usage(kind.found(flag) || !other.found(flag), "--data: expected a folder with ",
                    kind.title, "'s files, got ", full_name(flag), " with ", other.title, "'s");
        return flag;
    }
    const char* root = std::getenv("PRIMER_DATA");
    if (root != nullptr && *root != '\0') {
        std::error_code ignored;
        // An error, not silently drawn data: a user who sets it wants real data.
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

}  // namespace

TrainAndTest find_digits(const std::string& flag) {
    std::vector<std::string> classes;
    for (int i = 0; i < 10; ++i) classes.push_back(std::to_string(i));
    const fs::path folder = find_folder(flag, kMnist, kCifar);
    if (!folder.empty()) {
        return {mnist(folder, Split::train),
                mnist(folder, Split::test),
                "MNIST from " + folder.string(),
                folder,
                classes,
                ""};
    }
    return {synthetic_digits(kSyntheticTrain, 1),
            synthetic_digits(kSyntheticTest, 2),
            "synthetic digits",
            "",
            classes,
            "No MNIST found (./primer fetch mnist downloads it): training on synthetic digits."};
}

TrainAndTest find_pictures(const std::string& flag) {
    const fs::path folder = find_folder(flag, kCifar, kMnist);
    if (!folder.empty()) {
        return {cifar10(folder, Split::train),
                cifar10(folder, Split::test),
                "CIFAR-10 from " + folder.string(),
                folder,
                {kCifar10Classes.begin(), kCifar10Classes.end()},
                ""};
    }
    return {
        synthetic_shapes(kSyntheticTrain, 1),
        synthetic_shapes(kSyntheticTest, 2),
        "synthetic shapes",
        "",
        {kShapeClasses.begin(), kShapeClasses.end()},
        "No CIFAR-10 found (./primer fetch cifar10 downloads it): training on synthetic shapes."};
}

void announce(const TrainAndTest& data) {
    if (!data.hint.empty()) std::cout << data.hint << '\n';
    std::cout << "Training on " << printable(data.source) << ": " << data.train.size()
              << " images, " << data.test.size() << " to test, " << num_threads()
              << (num_threads() == 1 ? " thread.\n" : " threads.\n");
}

}  // namespace primer::examples

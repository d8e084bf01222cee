#include "cifar.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "../core/error.h"
#include "files.h"

// A file consists of records only:
//
//   CIFAR-10     label                1024 bytes red   1024 green   1024 blue
//   CIFAR-100    coarse label, fine   1024 bytes red   1024 green   1024 blue
//
// with one byte for each label and each pixel; pixels row by row.

namespace primer {
namespace {

namespace fs = std::filesystem;
using files::File;
using files::shown;

constexpr std::size_t kPixels = 3 * 32 * 32;

/// One of the label bytes that a record begins with.
struct Label {
    const char* what;
    Index classes;
};

using Names = std::span<const char* const>;

/// What distinguishes the two datasets.
struct Form {
    files::Source source;
    std::span<const Label> labels;
    Names train, test;              ///< of the files
    std::size_t in_train, in_test;  ///< pictures in each file
    const char* folder;             ///< to which the published archive unpacks
    Names archives;                 ///< the archive's name, and the name that some browsers give it
    Names for_python;               ///< files of the version for Python

    Names names(Split split) const { return split == Split::train ? train : test; }
    std::size_t pictures(Split split) const { return split == Split::train ? in_train : in_test; }
    std::size_t record() const { return labels.size() + kPixels; }
};

constexpr Label kLabels10[]{{"labels", 10}};
constexpr const char* kTrain10[]{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                 "data_batch_4.bin", "data_batch_5.bin"};
constexpr const char* kTest10[]{"test_batch.bin"};
constexpr const char* kArchives10[]{"cifar-10-binary.tar.gz", "cifar-10-binary.tar"};
constexpr const char* kPython10[]{"data_batch_1", "test_batch", "cifar-10-batches-py",
                                  "cifar-10-python.tar.gz"};
constexpr Form kCifar10{
    .source = {"cifar10", "CIFAR-10"},
    .labels = kLabels10,
    .train = kTrain10,
    .test = kTest10,
    .in_train = 10000,
    .in_test = 10000,
    .folder = "cifar-10-batches-bin",
    .archives = kArchives10,
    .for_python = kPython10,
};

constexpr Label kLabels100[]{{"coarse labels", 20}, {"fine labels", 100}};
constexpr const char* kTrain100[]{"train.bin"};
constexpr const char* kTest100[]{"test.bin"};
constexpr const char* kArchives100[]{"cifar-100-binary.tar.gz", "cifar-100-binary.tar"};
constexpr const char* kPython100[]{"train", "test", "cifar-100-python", "cifar-100-python.tar.gz"};
constexpr Form kCifar100{
    .source = {"cifar100", "CIFAR-100"},
    .labels = kLabels100,
    .train = kTrain100,
    .test = kTest100,
    .in_train = 50000,
    .in_test = 10000,
    .folder = "cifar-100-binary",
    .archives = kArchives100,
    .for_python = kPython100,
};

std::vector<std::string> missing(const Form& form, const fs::path& dir, Split split) {
    std::vector<std::string> names;
    for (const char* name : form.names(split)) {
        if (!form.source.there(dir / name)) names.push_back(name);
    }
    return names;
}

/// Throws Error for files missing from `folder`, which is `dir` or a folder in it, with a likely
/// cause.
[[noreturn]] void fail_missing(const Form& form, const fs::path& dir, const fs::path& folder,
                               Split split, const std::vector<std::string>& names) {
    const char *const name = form.source.name, *const title = form.source.title;
    for (const char* archive : form.archives) {
        check(!form.source.there(dir / archive), name, ": expected ", shown(folder / names[0]),
              ", found it packed; tar -xkf ", shown(dir / archive), " -C ", shown(dir),
              " unpacks it");
    }
    for (const char* file : form.for_python) {
        check(!form.source.there(dir / file), name, ": expected ", shown(folder / names[0]),
              " of the binary version, found ", shown(dir / file), " of the version for Python",
              form.source.missing(folder));
    }
    std::string list = names[0];
    for (std::size_t i = 1; i < names.size(); ++i) list += ", no " + names[i];
    fail(name, ": expected ", title, "'s ", split == Split::train ? "training" : "test",
         " files in ", shown(folder), ", found no ", list, form.source.missing(folder));
}

/// The folder with all files of the split: `dir`, or the one in it to which the archive unpacks.
fs::path find(const Form& form, const fs::path& dir, Split split) {
    form.source.check_folder(dir);
    if (missing(form, dir, split).empty()) return dir;
    const fs::path unpacked = dir / form.folder;
    const bool nested = form.source.type_of(unpacked) == fs::file_type::directory;
    const fs::path& folder = nested ? unpacked : dir;
    const std::vector<std::string> names = missing(form, folder, split);
    if (!names.empty()) fail_missing(form, dir, folder, split, names);
    return folder;
}

/// Checks that the file has `pictures` records or, if that is 0, any number of whole ones. Returns
/// their number.
std::size_t check_length(const Form& form, File& file, std::size_t pictures) {
    const char* const name = form.source.name;
    file.check_unpacked();
    check(!file.begins_with({0x80}), name, ": expected ", shown(file.path()),
          " of the binary version, found that it begins with 80, as Python's pickle files do",
          form.source.compare());
    const std::uint64_t bytes = file.bytes(), record = form.record();
    const char* cause = " (was a download broken off?)";
    const bool whole = bytes > 0 && bytes % record == 0;
    check(pictures == 0 || bytes == pictures * record, name, ": expected ", shown(file.path()),
          " to hold ", pictures, " pictures, ", pictures * record, " bytes, found ", bytes,
          " bytes", bytes < pictures * record ? cause : "", form.source.compare(),
          whole ? "; for a file of your own, ask for CifarLength::any" : "");
    check(whole, name, ": expected ", shown(file.path()), " to hold whole pictures of ", record,
          " bytes, found ", bytes, " bytes, ", bytes / record, " pictures and ", bytes % record,
          " bytes", cause, form.source.compare());
    return static_cast<std::size_t>(bytes / record);
}

/// Reads a file's records: the pixels to `pixels`, and byte `which` of the labels to `labels`.
void read(const Form& form, File& file, std::size_t which, std::span<std::uint8_t> pixels,
          std::span<std::uint8_t> labels) {
    std::array<std::uint8_t, 2> all{};
    const std::span found = std::span(all).first(form.labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        file.read(found);
        for (std::size_t k = 0; k < found.size(); ++k) {
            const auto& [what, classes] = form.labels[k];
            if (found[k] >= classes) {
                fail(form.source.name, ": expected ", what, " from 0 to ", classes - 1, " in ",
                     shown(file.path()), ", found ", int{found[k]}, " for picture ", i,
                     form.source.compare());
            }
        }
        labels[i] = found[which];
        file.read(pixels.subspan(i * kPixels, kPixels));
    }
}

/// The records of all files, of which each must hold `pictures`; 0 stands for any number.
ImageDataset read_all(const Form& form, std::vector<File> files, std::size_t pictures,
                      std::size_t which) {
    std::vector<std::size_t> records;
    std::size_t count = 0;
    for (File& file : files) {
        records.push_back(check_length(form, file, pictures));
        count += records.back();
    }

    // Allocates only now that the true sizes are known.
    std::vector<std::uint8_t> pixels(count * kPixels), labels(count);
    std::size_t first = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        read(form, files[i], which,
             std::span(pixels).subspan(first * kPixels, records[i] * kPixels),
             std::span(labels).subspan(first, records[i]));
        first += records[i];
    }
    return ImageDataset({3, 32, 32}, form.labels[which].classes, std::move(pixels),
                        std::move(labels));
}

ImageDataset load(const Form& form, const fs::path& dir, Split split, CifarLength length,
                  std::size_t which) {
    const fs::path folder = find(form, dir, split);
    std::vector<File> files;
    for (const char* name : form.names(split)) files.emplace_back(form.source, folder / name);
    return read_all(form, std::move(files),
                    length == CifarLength::published ? form.pictures(split) : 0, which);
}

ImageDataset read_stream(const Form& form, std::istream& in, std::size_t which) {
    std::vector<File> file;
    file.emplace_back(form.source, in, "pictures");
    return read_all(form, std::move(file), 0, which);
}

bool found(const Form& form, const fs::path& dir) {
    const auto any = [&](Names names) {
        return std::ranges::any_of(names,
                                   [&](const char* name) { return form.source.there(dir / name); });
    };
    return any(form.train) || any(form.test) || any(form.archives) || any(form.for_python) ||
           form.source.there(dir / form.folder);
}

}  // namespace

ImageDataset cifar10(const fs::path& dir, Split split, CifarLength length) {
    return load(kCifar10, dir, split, length, 0);
}

ImageDataset read_cifar10(std::istream& in) { return read_stream(kCifar10, in, 0); }

ImageDataset cifar100(const fs::path& dir, Split split, Cifar100Labels labels, CifarLength length) {
    return load(kCifar100, dir, split, length, labels == Cifar100Labels::coarse ? 0 : 1);
}

ImageDataset read_cifar100(std::istream& in, Cifar100Labels labels) {
    return read_stream(kCifar100, in, labels == Cifar100Labels::coarse ? 0 : 1);
}

bool cifar10_found(const fs::path& dir) { return found(kCifar10, dir); }

bool cifar100_found(const fs::path& dir) { return found(kCifar100, dir); }

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "image_folder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include "../core/error.h"
#include "../core/full_name.h"
#include "../core/io/image.h"
#include "../core/kernels/parallel.h"
#include "pictures.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
    std::string ending = path.extension().string();
    for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    constexpr std::array known{".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".pnm"};
    return std::ranges::find(known, ending) != known.end();
}

/// What is in the folder, hidden files aside, sorted: file systems have orders of their own.
std::vector<fs::path> contents(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().filename().string()[0] != '.') found.push_back(entry->path());
    }
    check(!error, "image_folder: cannot read the folder ", full_name(folder), ": ",
          error.message());
    std::ranges::sort(found);
    return found;
}

struct Found {
    std::vector<fs::path> pictures, others;
};

/// Looks in the folder and in those within it. A chain of links may lead back to it, so none is
/// followed deeper than the system allows.
void look(const fs::path& folder, Found& found, int depth = 0) {
    constexpr int kDeepest = 32;
    check(depth < kDeepest, "image_folder: more than ", kDeepest,
          " folders within one another, or a link back to one of them: ", full_name(folder));
    for (const fs::path& path : contents(folder)) {
        std::error_code error;
        if (fs::is_directory(path, error)) {
            look(path, found, depth + 1);
        } else {
            (is_picture(path) ? found.pictures : found.others).push_back(path);
        }
    }
}

std::vector<std::uint8_t> read(const fs::path& path, const ImageFolderOptions& options,
                               Size2 size) {
    const Tensor x = fitted_picture(load_image(path), options.channels, size.h, size.w);
    std::vector<std::uint8_t> bytes;
    bytes.reserve(x.values().size());
    for (const Real v : x.values()) {
        bytes.push_back(static_cast<std::uint8_t>(std::lround(std::clamp<Real>(v, 0, 255))));
    }
    return bytes;
}

/// The pictures' bytes, or why one could not be read; all threads read.
struct Reading {
    std::vector<std::uint8_t> bytes;
    std::string reason;
};

std::vector<Reading> read_all(const std::vector<fs::path>& paths, const ImageFolderOptions& options,
                              Size2 size) {
    std::vector<Reading> all(paths.size());
    parallel_for(std::ssize(paths), 1, [&](Index begin, Index end) {
        for (Index k = begin; k < end; ++k) {
            const auto i = static_cast<std::size_t>(k);
            try {
                all[i].bytes = read(paths[i], options, size);
            } catch (const std::exception& error) {
                all[i].reason = error.what();
            }
        }
    });
    return all;
}

void check_readable(const fs::path& root, const std::vector<std::string>& reasons) {
    if (reasons.empty()) return;
    constexpr std::size_t kNamed = 5;
    std::string list;
    for (std::size_t i = 0; i < std::min(kNamed, reasons.size()); ++i) list += "\n  " + reasons[i];
    if (reasons.size() > kNamed) list += "\n  ...";
    fail("image_folder: expected readable pictures in ", full_name(root), ", found ",
         reasons.size(), " that cannot be read; move them away, or set skip_unreadable:", list);
}

}  // namespace

ImageFolder image_folder(const fs::path& root, Size2 size, const ImageFolderOptions& options) {
    check_at_least(1, size, "image_folder", "size");
    check(options.channels == 1 || options.channels == 3,
          "image_folder: expected 1 or 3 channels, got ", options.channels);
    std::error_code error;
    check(fs::is_directory(root, error),
          "image_folder: expected a folder with a folder for each "
          "class, got ",
          full_name(root), error ? ": " + error.message() : "");

    std::vector<std::string> classes, skipped, reasons;
    std::vector<std::uint8_t> pixels, labels;
    const auto relative = [&](const fs::path& path) {
        return path.lexically_relative(root).generic_string();
    };
    for (const fs::path& entry : contents(root)) {
        if (!fs::is_directory(entry, error)) {
            skipped.push_back(relative(entry));
            continue;
        }
        check(classes.size() < 256, "image_folder: expected at most 256 classes, found more in ",
              full_name(root));
        Found found;
        look(entry, found);
        for (const fs::path& other : found.others) skipped.push_back(relative(other));
        const std::vector<Reading> readings = read_all(found.pictures, options, size);
        const std::size_t before = labels.size();
        for (std::size_t i = 0; i < readings.size(); ++i) {
            const Reading& reading = readings[i];
            if (!reading.reason.empty()) {
                reasons.push_back(reading.reason);
                skipped.push_back(relative(found.pictures[i]));
                continue;
            }
            pixels.insert(pixels.end(), reading.bytes.begin(), reading.bytes.end());
            labels.push_back(static_cast<std::uint8_t>(classes.size()));
        }
        if (!options.skip_unreadable) check_readable(root, reasons);
        check(labels.size() > before, "image_folder: expected pictures in the class's folder ",
              full_name(entry), ", found none that can be read (PNG, JPEG, BMP, PGM, PPM)");
        classes.push_back(entry.filename().string());
    }
    check(!classes.empty(), "image_folder: expected a folder for each class in ", full_name(root),
          ", found none");
    return {ImageDataset({options.channels, size.h, size.w}, std::ssize(classes), std::move(pixels),
                         std::move(labels)),
            std::move(classes), std::move(skipped)};
}

}  // namespace primer
// SPDX-License-Identifier: MIT

#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <primer/core/shape.h>

namespace primer::examples {

inline constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

/// Numbers by the name of a layer or parameter, in the order of the model.
using NamedNumbers = std::vector<std::pair<std::string, double>>;
using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// What was logged within an epoch. Here as below, what the file does not say is kNotKnown.
struct StepRecord {
    Index step = 0;  ///< steps done, over the whole run
    double loss = kNotKnown, lr = kNotKnown, images_per_s = kNotKnown;
    NamedNumbers gradient_norms;
};

/// What was logged at the end of an epoch; accuracies from 0 to 1.
struct EpochRecord {
    Index step = 0, epoch = 0;
    double train_loss = kNotKnown, train_accuracy = kNotKnown;
    double test_loss = kNotKnown, test_accuracy = kNotKnown;
    double seconds = kNotKnown, images_per_s = kNotKnown;
    NamedNumbers dead_units;  ///< shares, by activation
};

/// A PNG file's bytes; none if there is no such picture.
struct PngPicture {
    std::string bytes;
    Index width = 0, height = 0;
};

/// A test picture that was classified wrong. Classes are -1 where the file does not say.
struct Mistake {
    Index index = -1, truth = -1, predicted = -1;
    double probability = kNotKnown;  ///< of the predicted class
    PngPicture picture;
};

/// A run directory, as far as it could be read. All texts come from the files: escape them.
struct Run {
    std::filesystem::path folder;
    std::string name;  ///< of the folder
    std::string example, command, started;
    NamedTexts settings, machine;
    std::string source, shape;              ///< of the data
    Index train_size = -1, test_size = -1;  ///< -1: not known
    std::vector<std::string> classes;
    std::string model;      ///< its summary or, without one, its description
    Index parameters = -1;  ///< -1: not known
    Index planned_epochs = -1, batches_per_epoch = -1;  ///< from the settings; -1: not known

    std::vector<StepRecord> steps;
    std::vector<EpochRecord> epochs;
    std::vector<std::vector<Index>> confusion;  ///< square: [true class][predicted class]
    std::vector<Mistake> mistakes;              ///< the most confident first
    PngPicture filters;

    std::vector<std::string> missing;  ///< what could not be read, a sentence each

    std::string class_name(Index i) const;
};

/// Reads a run directory, whether its run came to an end or was cut off. The files may be hostile:
/// no picture outside of the directory is read, and whatever makes no sense is left out and named
/// in Run::missing. Throws Error, one line with the absolute path, if there is no directory or no
/// run.json that can be read, and for a run.json of more than 16 MB. A metrics.jsonl of more than
/// 64 MB, an evaluation.json of more than 16 MB and pictures of more than 4 MB are left out, as are
/// lines of more than 1 MB and whatever JsonReader refuses; after 1000 such lines the rest of
/// metrics.jsonl is left out. Only the first 1000 members of an object count. Memory: at most 16
/// times the files, and 32 MB. Time: proportional to them.
Run read_run(const std::filesystem::path& folder);

/// The bytes of the file with this name in a run directory, or nothing if there is none. Throws
/// Error for a file that is not a regular one, that lies elsewhere or that has more than `limit`
/// bytes.
using RunFiles =
    std::function<std::optional<std::string>(const std::string& name, std::uintmax_t limit)>;

/// The same for a run directory that need not lie on a disk; messages call it `folder`.
Run read_run(const std::filesystem::path& folder, const RunFiles& files);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT

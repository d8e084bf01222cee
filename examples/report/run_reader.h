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

/// What was logged during an epoch. Here and below, kNotKnown stands for what the file does not
/// say.
struct StepRecord {
    Index step = 0;  ///< steps that were done, over the whole run
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

/// A run directory, as far as it could be read. All texts come from the files and must be escaped.
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

/// Reads a run directory, whether its run has ended or was cut off. The files may be hostile: no
/// picture outside the directory is read, and what makes no sense is left out and named in
/// Run::missing. Throws Error, one line with the absolute path, if there is no directory or no
/// run.json that can be read, and for a run.json of more than 16 MB; a metrics.jsonl of more than
/// 64 MB, an evaluation.json of more than 16 MB and pictures of more than 4 MB are left out. What
/// JsonReader refuses and a line of more than 1 MB make no sense. Of an object's members the first
/// 1000 count. Memory: at most 16 times the files, and 32 MB. Time: proportional to them.
Run read_run(const std::filesystem::path& folder);

/// The bytes of the file with this name in a run directory, or nothing if there is none. Throws
/// Error for a file that is not regular, lies elsewhere or has more than `limit` bytes.
using RunFiles =
    std::function<std::optional<std::string>(const std::string& name, std::uintmax_t limit)>;

/// The same for a run directory that need not be on a disk. `folder` is what messages call it.
Run read_run(const std::filesystem::path& folder, const RunFiles& files);

}  // namespace primer::examples

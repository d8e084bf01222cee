#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "../rng.h"
#include "../tensor.h"

namespace primer {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// What a checkpoint needs to know of a model: handles, so that what is read through them is saved
/// and what is written through them is restored.
struct ModelState {
    std::string description;  ///< its structure, as << prints it
    NamedTensors tensors;     ///< its parameters and buffers
    std::vector<std::pair<std::string, Rng*>> generators;
};

/// Sums over the examples of the running epoch, of which a progress display shows the means.
struct EpochSums {
    double loss = 0;
    Index correct = 0;   ///< classified right
    Index examples = 0;  ///< all of them
};

/// Everything that training needs to go on as if it had never stopped. Values are kept in Real's
/// own width, bit for bit.
///
/// In the file a header of 36 bytes comes first, in this machine's byte order:
///
///     8 bytes   "PRIMERCK"
///     4 bytes   0x01020304: tells the byte order
///     4 bytes   version of the format, 1
///     4 bytes   sizeof(Real)
///     4 bytes   CRC-32C of the rest of the file
///     8 bytes   length of the rest of the file
///     4 bytes   CRC-32C of the header up to here
///
/// and then the members, in their order below. Texts and lists begin with their length, 8 bytes.
struct Checkpoint {
    std::vector<std::string> command;  ///< the program's name, then its flags
    std::string note;                  ///< whatever else the program wants to find again
    std::string model;                 ///< ModelState::description
    std::vector<std::pair<std::string, Rng::State>> generators;

    Index step = 0;             ///< training steps that are done: schedules follow from it
    Index batches = 1;          ///< in an epoch
    Index examples = 1;         ///< in an epoch
    Rng::State train_loader{};  ///< of the loader when the running epoch began
    Rng::State test_loader{};   ///< of the loader for the next evaluation
    EpochSums sums;             ///< of the running epoch
    double best_accuracy = 0;   ///< of all evaluations so far, from 0 to 1

    NamedTensors tensors;    ///< ModelState::tensors
    NamedTensors optimizer;  ///< Optimizer::named_state()

    /// The epochs before the running one. A running epoch has at least one batch behind it; when it
    /// has all of them, its evaluation is still to come.
    Index epochs_before() const { return step == 0 ? 0 : (step - 1) / batches; }
    /// How many batches of the running epoch are done.
    Index batches_done() const { return step - epochs_before() * batches; }

    /// Takes the model's values (handles, not copies) and the states of its generators.
    void take(const ModelState& from);
    /// Throws Error, one line that names `source` and all that differs, unless the checkpoint is of
    /// this model: the same structure, tensors and generators, each name once.
    void check_fits(const ModelState& model, const std::string& source) const;
    /// Puts the saved values and states into the model. Throws the Error of check_fits, and Error
    /// for a tensor that can not be written now or a state that no generator has; then it has
    /// changed nothing. Where an optimizer is restored too, call its check_state() before, so that
    /// a file that fits only one of the two changes neither.
    void restore(const ModelState& into, const std::string& source) const;

    /// Writes the file as Replacement does: it is there whole and flushed to the disk, or an Error
    /// says why not and what was there before is untouched.
    void save(const std::filesystem::path& path) const;
    /// The same bytes to a stream, whose state tells whether it took them.
    void write(std::ostream& out) const;
    /// Reads a file. It is taken for hostile: nothing is allocated on its word alone, and whatever
    /// is not exactly what save writes is an Error, one line with the path, what was expected and
    /// what was found. So is a file of more than 100 000 words, generators and tensors, which save
    /// would not write. Depth: lists of texts and tensors, no deeper. Memory: at most 4 times the
    /// file, and 64 MB. Time: in proportion to the file's size n, and to n log n for its names.
    static Checkpoint load(const std::filesystem::path& path);
    /// The same from a stream that can seek, from its beginning to its end. `source` is what
    /// messages call it.
    static Checkpoint read(std::istream& in, const std::string& source);
};

}  // namespace primer

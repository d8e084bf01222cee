#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "../rng.h"
#include "../tensor.h"

namespace primer {

/// Tensors with their names in the model.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// The parts of a model that a checkpoint covers. All are handles; saving reads through them,
/// restoring writes through them.
struct ModelState {
    std::string description;  ///< its structure, as << prints it
    NamedTensors tensors;     ///< its parameters and buffers
    /// Its generators, with their names.
    std::vector<std::pair<std::string, Rng*>> generators;
};

/// Sums over the examples of the current epoch; a progress display shows their means.
struct EpochSums {
    double loss = 0;     ///< the sum of their losses
    Index correct = 0;   ///< classified correctly
    Index examples = 0;  ///< all of them
};

/// Everything that training needs to continue as if it had never stopped. Values keep Real's width,
/// bit for bit.
///
/// The file begins with a header of 36 bytes, in this machine's byte order:
///
///     8 bytes   "PRIMERCK"
///     4 bytes   0x01020304: shows the byte order
///     4 bytes   version of the format, 1
///     4 bytes   sizeof(Real)
///     4 bytes   CRC-32C of the rest of the file
///     8 bytes   length of the rest of the file
///     4 bytes   CRC-32C of the header up to here
///
/// Then follow the members, in the order below. Texts and lists begin with their length, 8 bytes.
struct Checkpoint {
    std::vector<std::string> command;  ///< the program's name, then its flags
    std::string note;                  ///< anything else that the program wants to keep
    std::string model;                 ///< ModelState::description
    /// The states of ModelState::generators.
    std::vector<std::pair<std::string, Rng::State>> generators;

    Index step = 0;             ///< finished training steps; schedules depend on it
    Index batches = 1;          ///< in an epoch
    Index examples = 1;         ///< in an epoch
    Rng::State train_loader{};  ///< of the loader when the current epoch began
    Rng::State test_loader{};   ///< of the loader for the next evaluation
    EpochSums sums;             ///< of the current epoch
    double best_accuracy = 0;   ///< of all evaluations so far, from 0 to 1

    NamedTensors tensors;    ///< ModelState::tensors
    NamedTensors optimizer;  ///< Optimizer::named_state()

    /// The current epoch, from 1 on, and how many of its batches are done. If all are, its
    /// evaluation is still to come.
    Index epoch() const { return step == 0 ? 1 : (step - 1) / batches + 1; }
    Index batch() const { return step - (epoch() - 1) * batches; }

    /// Takes the model's values (handles, not copies) and the states of its generators.
    void take(const ModelState& from);
    /// Throws Error, one line with `source` and all differences, unless the checkpoint fits this
    /// model: the same structure, tensors and generators, each name once.
    void check_fits(const ModelState& model, const std::string& source) const;
    /// Copies the saved values and states to the model. Throws the Error of check_fits, and Error
    /// for a tensor that cannot be written now or a state that no generator has; nothing has
    /// changed then. If you restore an optimizer, too, call its check_state() first, so that a file
    /// that fits only one of the two changes neither.
    void restore(const ModelState& into, const std::string& source) const;

    /// Writes the file as Replacement does: either the whole file is on the disk, or an Error gives
    /// the reason and the old file is untouched.
    void save(const std::filesystem::path& path) const;
    /// Writes the same bytes to a stream; check its state afterwards.
    void write(std::ostream& out) const;
    /// Reads a file. The file may be hostile. No allocation relies on its claims alone, and
    /// anything that save would not write throws Error, one line with the path, what was expected
    /// and what was found. So does a file of more than 100 000 words, generators and tensors, which
    /// save does not write. Depth: lists of texts and tensors, no deeper. Memory: at most 4 times
    /// the file, and 64 MB. Time: proportional to the file's size n, and to n log n for its names.
    static Checkpoint load(const std::filesystem::path& path);
    /// The same from a seekable stream, from its beginning to its end. Messages call it `source`.
    static Checkpoint read(std::istream& in, const std::string& source);
};

}  // namespace primer
// SPDX-License-Identifier: MIT

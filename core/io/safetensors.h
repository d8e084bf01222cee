#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../int_tensor.h"
#include "../state_dict.h"
#include "../tensor.h"

// The safetensors format, in which PyTorch and others exchange weights:
//
//   8 bytes   N, little endian
//   N bytes   the header, JSON, which may end in spaces:
//             {"__metadata__": {"format": "pt"},
//              "fc.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//   the rest  the tensors' bytes: row-major, little endian, each at its data_offsets, counted from
//             here; together they cover every byte once
//
// https://github.com/huggingface/safetensors#format

namespace primer {

/// A tensor in the file's own dtype.
struct SafeTensor {
    std::string dtype;             ///< "F32", "I64", ...
    Shape shape;                   ///< as in the file
    std::vector<std::byte> bytes;  ///< little-endian, in row-major order
};

/// What to do with a number that Real cannot hold: throw Error, or round it to the nearest Real.
enum class Rounding { forbid, nearest };

/// The options of load_safetensors.
struct LoadOptions {
    /// All names and shapes must agree. Otherwise those that agree are loaded and the rest is left
    /// alone. (PyTorch's strict=False still requires equal shapes.)
    bool strict = true;
    Rounding rounding = Rounding::forbid;  ///< for numbers that Real cannot hold
};

/// The names in which a file and a model differ, all empty if they agree; and notes on what was
/// done without an error: sentences that a program should print.
struct LoadReport {
    std::vector<std::string> missing;     ///< not in the file
    std::vector<std::string> unexpected;  ///< only in the file
    std::vector<std::string> misshapen;   ///< in both, with different shapes
    std::vector<std::string> notes;       ///< what a program should print
};

/// A safetensors file, read and checked. The file may be hostile. No read or allocation relies on
/// its claims alone, and a file that breaks a rule of the format is rejected, even where a reader
/// could guess the meaning. So is one of more than 100 000 tensors or texts of metadata. Depth: the
/// format's own three levels. Memory: at most 4 times the file, and 64 MB; tensor() and
/// int_tensor() take at most 12 times the tensor's bytes. Time: proportional to the file's size n,
/// and to n log n for its names. Every Error is one line: the file, what was expected, what was
/// found.
class SafetensorsFile {
  public:
    /// Reads a file.
    static SafetensorsFile load(const std::filesystem::path& path);
    /// The same from a seekable stream, from its beginning to its end. Messages call it `source`.
    static SafetensorsFile read(std::istream& in, const std::string& source);

    /// The names of the tensors, sorted.
    std::vector<std::string> names() const;
    /// Whether it has a tensor of this name.
    bool contains(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }
    /// Throws Error, naming the file, if there is no such tensor.
    const SafeTensor& raw(std::string_view name) const;
    /// The tensor that load_into would copy to the model's tensor `name`, wrappers removed.
    const SafeTensor& find(const std::string& name) const;

    /// The tensor `name`, which must be F64, F32, F16, BF16, whole numbers or BOOL. Throws Error
    /// for a value that is not exact in Real, unless `rounding` allows it.
    Tensor tensor(std::string_view name, Rounding rounding = Rounding::forbid) const;
    /// The tensor `name`, which must be whole numbers (I64 to I8, U64 to U8) or BOOL. Throws Error
    /// for a U64 beyond 2^63 - 1.
    IntTensor int_tensor(std::string_view name) const;

    /// Copies the file's tensors to the tensors of the same names. As in PyTorch, a count of
    /// batches ("num_batches_tracked") may be missing and is then left alone. If a name fits only
    /// without what PyTorch's wrappers add, this is removed, and the report's notes say so:
    /// "module." (DataParallel), "_orig_mod." (torch.compile), "_fsdp_wrapped_module." and
    /// "_checkpoint_wrapped_module." anywhere, "model." in front, and AveragedModel's n_averaged. A
    /// tensor with several names needs only one of them in the file; different values for them
    /// throw Error. Also throws Error with all missing, unexpected and misshapen names, unless the
    /// options allow them, and the Error of tensor(); nothing has changed then.
    LoadReport load_into(const StateDict& tensors, const LoadOptions& options = {}) const;

    /// The texts under "__metadata__"; empty if there are none.
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    /// The file's name in messages: its absolute path.
    const std::string& source() const { return source_; }

  private:
    std::string source_;
    std::map<std::string, SafeTensor, std::less<>> tensors_;
    std::map<std::string, std::string> metadata_;
};

/// Writes the tensors to a file: F32 (or F64, where Real is double), and I64 for whole numbers. A
/// tensor with several names is written under each, because PyTorch's load_state_dict requires all
/// of them. The same tensors and metadata give the same bytes, those of the format's own library.
/// PyTorch requires {"format", "pt"} in the metadata of files from other programs.
///
///     save_safetensors("model.safetensors", model.state_dict());
///
/// The file is written whole or not at all: see Replacement, also for its Errors. Throws Error, and
/// writes nothing, for a name that comes twice or is "__metadata__", for texts that are not UTF-8,
/// for an undefined tensor, for a fraction in a tensor of whole numbers, and for more tensors or
/// texts than SafetensorsFile would read.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// SafetensorsFile::load(path).load_into(tensors, options):
///
///     load_safetensors("model.safetensors", model.state_dict());
LoadReport load_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                            const LoadOptions& options = {});

}  // namespace primer
// SPDX-License-Identifier: MIT
